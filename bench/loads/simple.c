/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two patterns of the C library's own benchmarks, as its manual pages of
 * results describe them.
 *	batches   n blocks of one size allocated, then all freed, for n of 25
 *	          to 1600 and sizes of 16 to 1024 bytes
 *	threads   each thread frees and allocates at random places of a working
 *	          set of 1024 blocks of 4 bytes to 32 KiB, their number falling
 *	          with the square of the size
 */
#include "bench/loads/load.h"

#include <stdlib.h>

enum {
	BATCH_MAX = 1600,
	SET = 1024,
	SIZE_MIN = 4,
	SIZE_MAX_ = 32 << 10,
};

struct worker {
	uint64_t random;
	uint64_t operations;
} LOAD_OWN_LINES;

static void one_batch(void **blocks, size_t count, size_t bytes)
{
	for (size_t i = 0; i < count; i++)
		blocks[i] = object_new(bytes);
	for (size_t i = 0; i < count; i++)
		free(blocks[i]);
}

static void *work_batches(void *argument)
{
	static const size_t counts[] = {25, 100, 400, BATCH_MAX};
	struct worker *worker = argument;
	void *blocks[BATCH_MAX];
	uint64_t done = 0;

	while (done < worker->operations) {
		for (size_t bytes = 16; bytes <= 1024; bytes *= 2) {
			for (unsigned i = 0; i < 4; i++) {
				for (size_t j = 0; j < BATCH_MAX / counts[i];
				     j++)
					one_batch(blocks, counts[i], bytes);
				done += BATCH_MAX;
			}
		}
	}
	return NULL;
}

/* As many bytes in each span of sizes of the same width on a 1/x scale. */
static size_t falling_size(uint64_t *random)
{
	const double least = 1.0 / SIZE_MAX_, most = 1.0 / SIZE_MIN;
	double place = (double)(next_random(random) >> 11) / (1ull << 53);

	return (size_t)(1.0 / (least + place * (most - least)));
}

static void *work_set(void *argument)
{
	struct worker *worker = argument;
	void *set[SET] = {NULL};
	size_t sizes[SET];

	for (unsigned i = 0; i < SET; i++)
		sizes[i] = falling_size(&worker->random);
	for (uint64_t i = 0; i < worker->operations; i++) {
		uint64_t dice = next_random(&worker->random);

		free(set[dice % SET]);
		set[dice % SET] = object_new(sizes[(dice >> 32) % SET]);
	}
	for (unsigned i = 0; i < SET; i++)
		free(set[i]);
	return NULL;
}

static void run(void *(*main)(void *), uint64_t operations, unsigned threads)
{
	struct worker workers[LOAD_THREADS];

	for (unsigned i = 0; i < threads; i++) {
		workers[i].random = random_seed(i);
		workers[i].operations = operations / threads;
	}
	workers_run(main, workers, sizeof(workers[0]), threads);
}

static void batches(uint64_t operations, unsigned threads)
{
	run(work_batches, operations, threads);
}

static void threads(uint64_t operations, unsigned count)
{
	run(work_set, operations, count);
}

const struct load batches_load = {
	"batches", "blocks of one size allocated, then all freed", batches};
const struct load threads_load = {
	"threads", "random places of a working set on each thread", threads};
