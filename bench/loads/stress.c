/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mixed lives and mixed threads.
 *	stress    the pattern of Leijen's mstress (Leijen, Zorn, de Moura,
 *	          "Mimalloc: Free List Sharding in Action", 2019): rounds of
 *	          threads that allocate sizes in powers of two, keep some for
 *	          long, exchange some through a shared table, and free the rest
 *	crossing  the pattern of Jansson's rpmalloc benchmark: sizes from 8 to
 *	          16000 bytes, the smaller the likelier, replaced in place; now
 *	          and then a thread frees a list that another passed on
 */
#include "bench/loads/load.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
	TRANSFER_SLOTS = 1000,
	STRESS_ROUND = 40000, /* operations of one thread of a round */
	KEPT_MAX = STRESS_ROUND / 4,
	CROSSING_SLOTS = 1000,
	CROSSING_EACH = 800, /* operations between lists */
};

struct crossing {
	struct crossing *next;
};

struct worker {
	uint64_t random;
	uint64_t operations;
	_Atomic(struct crossing *) *lists; /* one of each thread */
	unsigned index, count;
} LOAD_OWN_LINES;

static _Atomic(char *) transfer[TRANSFER_SLOTS];

/* Words of 1, 2, 4...; one in a thousand up to 100 times as large. */
static size_t stress_size(uint64_t *random)
{
	uint64_t dice = next_random(random);
	size_t words = (size_t)1 << (dice >> 8) % 6;

	if (dice % 1000 == 0)
		words *= 100;
	else if (dice % 100 == 1)
		words *= 20;
	return words * sizeof(uint64_t);
}

static void *stress_round(void *argument)
{
	struct worker *worker = argument;
	uint64_t *random = &worker->random;
	char **kept = must(calloc(KEPT_MAX, sizeof(*kept)));
	char **brief = must(calloc(KEPT_MAX, sizeof(*brief)));

	for (unsigned i = 0; i < STRESS_ROUND; i++) {
		uint64_t dice = next_random(random);
		char *object = object_filled(stress_size(random));
		char **slot = &brief[dice % KEPT_MAX];

		if (dice >> 32 & 1) {
			slot = &kept[i / 4];
		} else if ((dice >> 33) % 4 == 0) {
			object = atomic_exchange(
				&transfer[dice % TRANSFER_SLOTS], object);
		}
		free(*slot);
		*slot = object;
	}
	for (unsigned i = 0; i < KEPT_MAX; i++) {
		free(kept[i]);
		free(brief[i]);
	}
	free(kept);
	free(brief);
	return NULL;
}

static void stress(uint64_t operations, unsigned threads)
{
	struct worker workers[LOAD_THREADS];
	uint64_t rounds = operations / STRESS_ROUND / threads + 1;

	for (uint64_t round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < threads; i++)
			workers[i].random =
				random_seed((unsigned)round * threads + i);
		workers_run(stress_round, workers, sizeof(workers[0]), threads);
	}
	for (unsigned i = 0; i < TRANSFER_SLOTS; i++)
		free(transfer[i]);
}

/* Likelier the smaller: the product of two uniform numbers. */
static size_t crossing_size(uint64_t *random)
{
	uint64_t dice = next_random(random);

	return 8 + ((dice & 0xffff) * (dice >> 16 & 0xffff) * 15993 >> 32);
}

static struct crossing *crossing_new(uint64_t *random)
{
	size_t bytes = crossing_size(random);

	return (struct crossing *)(void *)object_filled(bytes);
}

static void list_free(struct crossing *list)
{
	while (list) {
		struct crossing *next = list->next;

		free(list);
		list = next;
	}
}

/* Half of the objects become a list for the next thread. */
static void pass_on(struct worker *worker, struct crossing **slots)
{
	unsigned to = (worker->index + 1) % worker->count;
	struct crossing *list = NULL;

	for (unsigned i = 0; i < CROSSING_SLOTS; i += 2) {
		if (!slots[i])
			continue;
		slots[i]->next = list;
		list = slots[i];
		slots[i] = NULL;
	}
	list_free(atomic_exchange(&worker->lists[to], list));
	list_free(atomic_exchange(&worker->lists[worker->index], NULL));
}

static void *cross(void *argument)
{
	struct worker *worker = argument;
	struct crossing *slots[CROSSING_SLOTS] = {NULL};

	for (uint64_t i = 0; i < worker->operations; i++) {
		uint64_t dice = next_random(&worker->random);
		struct crossing **slot = &slots[dice % CROSSING_SLOTS];

		free(*slot);
		*slot = crossing_new(&worker->random);
		if (i % CROSSING_EACH == 0)
			pass_on(worker, slots);
	}
	for (unsigned i = 0; i < CROSSING_SLOTS; i++)
		free(slots[i]);
	return NULL;
}

static void crossing(uint64_t operations, unsigned threads)
{
	static _Atomic(struct crossing *) lists[LOAD_THREADS];
	struct worker workers[LOAD_THREADS];

	for (unsigned i = 0; i < threads; i++)
		workers[i] = (struct worker){.random = random_seed(i),
					     .operations = operations / threads,
					     .lists = lists,
					     .index = i,
					     .count = threads};
	workers_run(cross, workers, sizeof(workers[0]), threads);
	for (unsigned i = 0; i < threads; i++)
		list_free(lists[i]);
}

const struct load stress_load = {
	"stress", "Leijen's mstress: mixed lives, objects exchanged", stress};
const struct load crossing_load = {
	"crossing", "Jansson's mix: lists freed by another thread", crossing};
