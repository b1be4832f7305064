/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replacing objects at random.
 *	churn     each thread replaces objects of its own, of mixed sizes
 *	handover  likewise, but each thread soon ends, and a new one goes on
 *	          with its objects
 *	server    the server of Larson and Krishnan, "Memory allocation for
 *	          long-running server applications" (ISMM 1998), with the
 *	          figures in common use: 5000 blocks of 8 to 1000 bytes for each
 *	          thread, first laid out and shuffled by the main thread; after
 *	          100 rounds a successor takes the blocks over
 */
#include "bench/loads/load.h"

#include <stdlib.h>

enum {
	CHURN_SLOTS = 10000,
	HANDOVER_SLOTS = 2000,
	HANDOVER_LIFE = 20000, /* operations until a thread ends */
	SERVER_SLOTS = 5000,
	SERVER_LIFE = 100 * SERVER_SLOTS,
};

struct worker {
	uint64_t random;
	uint64_t operations; /* still to be done */
	uint64_t life;	     /* operations of one thread; 0: no limit */
	size_t slot_count;
	char **slots;
	size_t (*size)(uint64_t random);
} LOAD_OWN_LINES;

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

static size_t server_size(uint64_t random)
{
	return 8 + random % 993;
}

static void *replace(void *argument)
{
	struct worker *worker = argument;
	uint64_t count = worker->operations;

	if (worker->life && worker->life < count)
		count = worker->life;
	worker->operations -= count;
	for (; count > 0; count--) {
		uint64_t random = next_random(&worker->random);
		char **slot = &worker->slots[random % worker->slot_count];

		free(*slot);
		*slot = object_new(worker->size(random >> 8));
	}
	return NULL;
}

/* Each thread's successor starts once it has ended. */
static void *chain(void *argument)
{
	struct worker *worker = argument;

	while (worker->operations > 0) {
		pthread_t thread;

		thread_start(&thread, replace, worker);
		pthread_join(thread, NULL);
	}
	return NULL;
}

/* The main thread's own blocks, in an order unlike that of their addresses. */
static void fill_shuffled(char **slots, size_t count, size_t (*size)(uint64_t))
{
	uint64_t random = random_seed(LOAD_THREADS);

	for (size_t i = 0; i < count; i++)
		slots[i] = object_new(size(next_random(&random) >> 8));
	for (size_t i = count - 1; i > 0; i--) {
		size_t other = next_random(&random) % (i + 1);
		char *slot = slots[i];

		slots[i] = slots[other];
		slots[other] = slot;
	}
}

/* Like tells size, slot_count and life. */
static void run(struct worker like, uint64_t operations, unsigned threads,
		void *(*main)(void *), int fill)
{
	struct worker workers[LOAD_THREADS];
	size_t all = like.slot_count * threads;
	char **slots = must(calloc(all, sizeof(*slots)));

	if (fill)
		fill_shuffled(slots, all, like.size);
	for (unsigned i = 0; i < threads; i++) {
		workers[i] = like;
		workers[i].random = random_seed(i);
		workers[i].operations = operations / threads;
		workers[i].slots = slots + i * like.slot_count;
	}
	workers_run(main, workers, sizeof(workers[0]), threads);
	for (size_t i = 0; i < all; i++)
		free(slots[i]);
	free(slots);
}

static void churn(uint64_t operations, unsigned threads)
{
	run((struct worker){.slot_count = CHURN_SLOTS, .size = mixed_size},
	    operations, threads, replace, 0);
}

static void handover(uint64_t operations, unsigned threads)
{
	run((struct worker){.slot_count = HANDOVER_SLOTS,
			    .size = small_size,
			    .life = HANDOVER_LIFE},
	    operations, threads, chain, 0);
}

static void server(uint64_t operations, unsigned threads)
{
	run((struct worker){.slot_count = SERVER_SLOTS,
			    .size = server_size,
			    .life = SERVER_LIFE},
	    operations, threads, chain, 1);
}

const struct load churn_load = {"churn", "random objects replaced", churn};
const struct load handover_load = {"handover", "churn by threads that soon end",
				   handover};
const struct load server_load = {"server", "Larson and Krishnan's server",
				 server};
