/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large objects.
 *	large         64 KiB to 4 MiB, replaced at random, hardly touched: what
 *	              remains is the allocator's own work
 *	large-touched 5 to 25 MiB, replaced at random, each page written: what
 *	              pages cost that were given back and fetched again
 *	grow          vectors grown by realloc, by half each time, to 32 MiB and
 *	              more, and strings grown bit by bit beside them
 */
#include "bench/loads/load.h"

#include <stdlib.h>
#include <string.h>

enum {
	MIB = 1 << 20,
	PAGE = 4096,
	SLOTS = 32,
	TOUCHED_SLOTS = 16,
	VECTORS = 4,
	VECTOR_START = 1000,
	VECTOR_END = 24 * MIB,
	STRING_STEP = 200,
	STRING_END = 64 << 10,
};

struct worker {
	uint64_t random;
	uint64_t operations;
	char *slots[SLOTS];
} LOAD_OWN_LINES;

static void *replace(void *argument)
{
	struct worker *worker = argument;

	while (worker->operations-- > 0) {
		uint64_t random = next_random(&worker->random);
		char **slot = &worker->slots[random % SLOTS];

		free(*slot);
		*slot = object_new((64 << 10) +
				   (random >> 8) % (4 * MIB - (64 << 10)));
	}
	return NULL;
}

static void touch_pages(char *object, size_t from, size_t end)
{
	for (size_t i = from; i < end; i += PAGE)
		object[i] = 1;
}

static void *replace_touched(void *argument)
{
	struct worker *worker = argument;

	while (worker->operations-- > 0) {
		uint64_t random = next_random(&worker->random);
		size_t bytes = 5 * MIB + (random >> 8) % (20 * MIB);
		char **slot = &worker->slots[random % TOUCHED_SLOTS];

		free(*slot);
		*slot = object_new(bytes);
		touch_pages(*slot, 0, bytes);
	}
	return NULL;
}

/* The bytes it has grown to. */
static size_t grow_by(char **object, size_t bytes, size_t more)
{
	*object = must(realloc(*object, bytes + more));
	memset(*object + bytes, 1, more);
	return bytes + more;
}

static void *grow_all(void *argument)
{
	struct worker *worker = argument;

	while (worker->operations > 0) {
		char *vectors[VECTORS + 1] = {NULL};
		char **string = &vectors[VECTORS];
		size_t sizes[VECTORS] = {0};
		size_t length = 0;

		for (size_t done = 0; done < VECTOR_END; done = sizes[0]) {
			for (unsigned i = 0; i < VECTORS; i++)
				sizes[i] = grow_by(&vectors[i], sizes[i],
						   sizes[i] / 2 + VECTOR_START +
							   100 * i);
			for (unsigned i = 0; i < 16; i++)
				length = grow_by(string, length, STRING_STEP);
		}
		while (length < STRING_END)
			length = grow_by(string, length, STRING_STEP);
		for (unsigned i = 0; i <= VECTORS; i++)
			free(vectors[i]);
		worker->operations--;
	}
	return NULL;
}

static void run(void *(*main)(void *), uint64_t operations, unsigned threads)
{
	struct worker workers[LOAD_THREADS] = {{.random = 0}};

	for (unsigned i = 0; i < threads; i++) {
		workers[i].random = random_seed(i);
		workers[i].operations = operations / threads;
	}
	workers_run(main, workers, sizeof(workers[0]), threads);
	for (unsigned i = 0; i < threads; i++)
		for (unsigned j = 0; j < SLOTS; j++)
			free(workers[i].slots[j]);
}

static void large(uint64_t operations, unsigned threads)
{
	run(replace, operations, threads);
}

static void large_touched(uint64_t operations, unsigned threads)
{
	run(replace_touched, operations, threads);
}

static void grow(uint64_t operations, unsigned threads)
{
	run(grow_all, operations, threads);
}

const struct load large_load = {
	"large", "64 KiB to 4 MiB replaced, hardly touched", large};
const struct load large_touched_load = {
	"large-touched", "5 to 25 MiB replaced, each page written",
	large_touched};
const struct load grow_load = {
	"grow", "vectors grown by realloc (operations: sets of them)", grow};
