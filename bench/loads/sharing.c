/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * False sharing of cache lines, as Berger, McKinley, Blumofe and Wilson
 * describe it in "Hoard: A Scalable Memory Allocator for Multithreaded
 * Applications" (ASPLOS 2000). OPERATIONS counts objects; each is written
 * many times before it is freed.
 *	scratch   passive: the main thread hands each thread an object, which it
 *	          frees, so that an allocator that reuses it there keeps two
 *	          threads on one line
 *	thrash    active: threads allocate small objects side by side, which an
 *	          allocator may take from one line
 */
#include "bench/loads/load.h"

#include <stdlib.h>

enum {
	OBJECT_BYTES = 8,
	WRITES = 1000000, /* of each object, shared among the threads */
};

struct worker {
	char *first; /* an object of the main thread, or NULL */
	uint64_t operations;
	uint64_t writes;
} LOAD_OWN_LINES;

static void write_often(volatile char *object, uint64_t writes)
{
	while (writes--)
		for (unsigned i = 0; i < OBJECT_BYTES; i++)
			object[i] = (char)(object[i] + 1);
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	free(worker->first);
	for (uint64_t i = 0; i < worker->operations; i++) {
		char *object = object_filled(OBJECT_BYTES);

		write_often(object, worker->writes);
		free(object);
	}
	return NULL;
}

static void run(uint64_t operations, unsigned threads, int pass_on)
{
	struct worker workers[LOAD_THREADS];

	for (unsigned i = 0; i < threads; i++) {
		workers[i].first = pass_on ? object_new(OBJECT_BYTES) : NULL;
		workers[i].operations = operations;
		workers[i].writes = WRITES / OBJECT_BYTES / threads;
	}
	workers_run(work, workers, sizeof(workers[0]), threads);
}

static void scratch(uint64_t operations, unsigned threads)
{
	run(operations, threads, 1);
}

static void thrash(uint64_t operations, unsigned threads)
{
	run(operations, threads, 0);
}

const struct load scratch_load = {
	"scratch", "passive false sharing (Berger's cache-scratch)", scratch};
const struct load thrash_load = {
	"thrash", "active false sharing (Berger's cache-thrash)", thrash};
