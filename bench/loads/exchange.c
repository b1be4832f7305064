/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects freed by another thread than the one that allocated them.
 *	remote    each thread passes batches of mixed small sizes to one other
 *	exchange  producers and consumers of 64-byte objects over one queue of
 *	          batches, after Lever and Boreham, "malloc() Performance in a
 *	          Multithreaded Linux Environment" (USENIX 2000); THREADS is the
 *	          number of producers, and of consumers
 */
#include "bench/loads/load.h"

#include <stdlib.h>

enum {
	REMOTE_BATCH = 256,
	EXCHANGE_BATCH = 4096,
	EXCHANGE_BYTES = 64,
	BATCHES_WAITING = 16,
};

struct batch {
	struct batch *next;
	size_t count;
	void *objects[];
};

struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct batch *batches;
	unsigned waiting;
	unsigned producers; /* that will still put */
};

struct worker {
	uint64_t random;
	uint64_t operations;
	size_t batch; /* objects in one */
	size_t (*size)(uint64_t random);
	struct mailbox *inbox, *outbox;
} LOAD_OWN_LINES;

static size_t small_size(uint64_t random)
{
	return 16 + random % 496;
}

static size_t one_size(uint64_t random)
{
	(void)random;
	return EXCHANGE_BYTES;
}

static void mailbox_put(struct mailbox *box, struct batch *batch)
{
	pthread_mutex_lock(&box->lock);
	while (box->waiting >= BATCHES_WAITING)
		pthread_cond_wait(&box->changed, &box->lock);
	batch->next = box->batches;
	box->batches = batch;
	box->waiting++;
	pthread_cond_broadcast(&box->changed);
	pthread_mutex_unlock(&box->lock);
}

static void mailbox_close(struct mailbox *box)
{
	pthread_mutex_lock(&box->lock);
	box->producers--;
	pthread_cond_broadcast(&box->changed);
	pthread_mutex_unlock(&box->lock);
}

/* A batch, or NULL once all producers are done and the box is empty. */
static struct batch *mailbox_take(struct mailbox *box)
{
	struct batch *batch;

	pthread_mutex_lock(&box->lock);
	while (!box->batches && box->producers)
		pthread_cond_wait(&box->changed, &box->lock);
	batch = box->batches;
	if (batch) {
		box->batches = batch->next;
		box->waiting--;
		pthread_cond_broadcast(&box->changed);
	}
	pthread_mutex_unlock(&box->lock);
	return batch;
}

static struct batch *batch_new(struct worker *worker)
{
	struct batch *batch =
		must(malloc(sizeof(*batch) + worker->batch * sizeof(void *)));

	batch->count = worker->batch;
	for (size_t i = 0; i < batch->count; i++)
		batch->objects[i] =
			object_new(worker->size(next_random(&worker->random)));
	return batch;
}

static void *consume(void *argument)
{
	struct worker *worker = argument;
	struct batch *batch;

	while ((batch = mailbox_take(worker->inbox))) {
		for (size_t i = 0; i < batch->count; i++)
			free(batch->objects[i]);
		free(batch);
	}
	return NULL;
}

/* Has a consumer of its own beside it. */
static void *produce(void *argument)
{
	struct worker *worker = argument;
	pthread_t consumer;

	thread_start(&consumer, consume, worker);
	for (uint64_t done = 0; done < worker->operations;
	     done += worker->batch)
		mailbox_put(worker->outbox, batch_new(worker));
	mailbox_close(worker->outbox);
	pthread_join(consumer, NULL);
	return NULL;
}

static void run(struct worker like, uint64_t operations, unsigned threads,
		unsigned box_count)
{
	struct worker workers[LOAD_THREADS];
	struct mailbox boxes[LOAD_THREADS] = {{.batches = NULL}};

	for (unsigned i = 0; i < threads; i++) {
		pthread_mutex_init(&boxes[i].lock, NULL);
		pthread_cond_init(&boxes[i].changed, NULL);
		boxes[i % box_count].producers++;
		workers[i] = like;
		workers[i].random = random_seed(i);
		workers[i].operations = operations / threads;
		workers[i].inbox = &boxes[i % box_count];
		workers[i].outbox = &boxes[(i + 1) % box_count];
	}
	workers_run(produce, workers, sizeof(workers[0]), threads);
}

static void remote(uint64_t operations, unsigned threads)
{
	run((struct worker){.batch = REMOTE_BATCH, .size = small_size},
	    operations, threads, threads);
}

static void exchange(uint64_t operations, unsigned threads)
{
	run((struct worker){.batch = EXCHANGE_BATCH, .size = one_size},
	    operations, threads, 1);
}

const struct load remote_load = {
	"remote", "each thread's objects freed by the next", remote};
const struct load exchange_load = {
	"exchange", "Lever and Boreham's producers and consumers", exchange};
