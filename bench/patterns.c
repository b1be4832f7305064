/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * patterns PATTERN OPERATIONS THREADS: a fixed amount of malloc and free in
 * one pattern, with nothing else to speak of. The same work for the same
 * arguments, on any allocator.
 *
 *	churn     each thread replaces random objects of its own
 *	handover  as churn, but each thread soon ends, and a new one goes on
 *	          with its objects: the server that Larson and Krishnan describe
 *	remote    each thread passes what it allocates to the next, which frees
 *	large     as churn, with objects of 64 KiB to 4 MiB
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_THREADS = 64,
	CHURN_SLOTS = 10000,
	LARGE_SLOTS = 32,
	HANDOVER_SLOTS = 2000,
	HANDOVER_OPERATIONS = 20000, /* until a thread ends */
	BATCH = 256,
	BATCHES_WAITING = 16,
};

struct batch {
	struct batch *next;
	void *objects[BATCH];
};

struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct batch *batches;
	unsigned waiting;
	int closed;
};

struct worker {
	pthread_t thread;
	uint64_t random;
	uint64_t operations; /* still to be done */
	size_t slot_count;
	char **slots;
	size_t (*size)(uint64_t random);
	struct mailbox inbox;
	struct mailbox *outbox;
};

static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* Mostly small: half up to 128 bytes, one in 64 up to 32 KiB. */
static size_t mixed_size(uint64_t random)
{
	unsigned kind = random >> 40 & 63;

	if (kind == 0)
		return 1024 + random % (31 << 10);
	if (kind < 32)
		return 128 + random % 896;
	return 8 + random % 120;
}

static size_t small_size(uint64_t random)
{
	return 16 + random % 496;
}

static size_t large_size(uint64_t random)
{
	return (64 << 10) + random % ((4 << 20) - (64 << 10));
}

static void *must(void *memory)
{
	if (!memory) {
		fputs("patterns: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

static char *object_new(size_t bytes)
{
	char *object = must(malloc(bytes));

	object[0] = 1;
	object[bytes - 1] = 1;
	return object;
}

static void replace_objects(struct worker *worker, uint64_t operations)
{
	for (uint64_t i = 0; i < operations; i++) {
		uint64_t random = next_random(&worker->random);
		char **slot = &worker->slots[random % worker->slot_count];

		free(*slot);
		*slot = object_new(worker->size(random >> 8));
	}
}

static void slots_new(struct worker *worker, size_t count)
{
	worker->slot_count = count;
	worker->slots = must(calloc(count, sizeof(*worker->slots)));
}

static void slots_free(struct worker *worker)
{
	for (size_t i = 0; i < worker->slot_count; i++)
		free(worker->slots[i]);
	free(worker->slots);
}

static void *churn_main(void *argument)
{
	struct worker *worker = argument;

	replace_objects(worker, worker->operations);
	return NULL;
}

static void start(pthread_t *thread, void *(*main)(void *), void *argument)
{
	if (pthread_create(thread, NULL, main, argument)) {
		fputs("patterns: cannot start a thread\n", stderr);
		exit(2);
	}
}

/* A thread of the chain; its successor joins it, and so frees its stack. */
static void *handover_main(void *argument)
{
	struct worker *worker = argument;
	uint64_t operations = worker->operations < HANDOVER_OPERATIONS
				      ? worker->operations
				      : HANDOVER_OPERATIONS;

	replace_objects(worker, operations);
	worker->operations -= operations;
	return NULL;
}

static void *handover_chain(void *argument)
{
	struct worker *worker = argument;

	while (worker->operations > 0) {
		pthread_t thread;

		start(&thread, handover_main, worker);
		pthread_join(thread, NULL);
	}
	return NULL;
}

static void mailbox_put(struct mailbox *box, struct batch *batch)
{
	pthread_mutex_lock(&box->lock);
	while (batch && box->waiting >= BATCHES_WAITING)
		pthread_cond_wait(&box->changed, &box->lock);
	if (batch) {
		batch->next = box->batches;
		box->batches = batch;
		box->waiting++;
	} else {
		box->closed = 1;
	}
	pthread_cond_broadcast(&box->changed);
	pthread_mutex_unlock(&box->lock);
}

/* A batch, or NULL once the box is closed and empty. */
static struct batch *mailbox_take(struct mailbox *box)
{
	struct batch *batch;

	pthread_mutex_lock(&box->lock);
	while (!box->batches && !box->closed)
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

static void *remote_receive(void *argument)
{
	struct worker *worker = argument;
	struct batch *batch;

	while ((batch = mailbox_take(&worker->inbox))) {
		for (size_t i = 0; i < BATCH; i++)
			free(batch->objects[i]);
		free(batch);
	}
	return NULL;
}

static void *remote_main(void *argument)
{
	struct worker *worker = argument;
	pthread_t receiver;

	start(&receiver, remote_receive, worker);
	for (uint64_t done = 0; done < worker->operations; done += BATCH) {
		struct batch *batch = must(malloc(sizeof(struct batch)));

		for (size_t i = 0; i < BATCH; i++)
			batch->objects[i] = object_new(
				small_size(next_random(&worker->random)));
		mailbox_put(worker->outbox, batch);
	}
	mailbox_put(worker->outbox, NULL);
	pthread_join(receiver, NULL);
	return NULL;
}

static const struct pattern {
	const char *name;
	void *(*main)(void *);
	size_t slots;
	size_t (*size)(uint64_t random);
} patterns[] = {
	{"churn", churn_main, CHURN_SLOTS, mixed_size},
	{"handover", handover_chain, HANDOVER_SLOTS, small_size},
	{"remote", remote_main, 0, small_size},
	{"large", churn_main, LARGE_SLOTS, large_size},
};

static const struct pattern *find_pattern(const char *name)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (strcmp(patterns[i].name, name) == 0)
			return &patterns[i];
	return NULL;
}

static void run(const struct pattern *pattern, uint64_t operations,
		unsigned threads)
{
	static struct worker workers[MAX_THREADS];

	for (unsigned i = 0; i < threads; i++) {
		struct worker *worker = &workers[i];

		worker->random = i * UINT64_C(0x9e3779b97f4a7c15) + 1;
		worker->operations = operations / threads;
		worker->size = pattern->size;
		worker->outbox = &workers[(i + 1) % threads].inbox;
		pthread_mutex_init(&worker->inbox.lock, NULL);
		pthread_cond_init(&worker->inbox.changed, NULL);
		slots_new(worker, pattern->slots);
	}
	for (unsigned i = 0; i < threads; i++)
		start(&workers[i].thread, pattern->main, &workers[i]);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < threads; i++)
		slots_free(&workers[i]);
}

int main(int argc, char **argv)
{
	const struct pattern *pattern =
		argc == 4 ? find_pattern(argv[1]) : NULL;
	unsigned long long operations;
	unsigned long threads;

	if (!pattern) {
		fputs("Usage: patterns churn|handover|remote|large"
		      " OPERATIONS THREADS\n",
		      stderr);
		return 2;
	}
	operations = strtoull(argv[2], NULL, 10);
	threads = strtoul(argv[3], NULL, 10);
	if (operations == 0 || threads == 0 || threads > MAX_THREADS) {
		fputs("patterns: operations > 0, threads from 1 to 64\n",
		      stderr);
		return 2;
	}
	run(pattern, operations, (unsigned)threads);
	return 0;
}
