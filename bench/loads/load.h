/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loads share: each does a fixed amount of malloc and free in one
 * pattern, the same for the same arguments on any allocator, with as little
 * else as can be. Each load's file says whose description it follows.
 */
#ifndef BENCH_LOADS_LOAD_H
#define BENCH_LOADS_LOAD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_THREADS 64 /* at most */
/*
 * For what each thread writes all the time: no two share a cache line, nor the
 * pair of lines that processors fetch together. What false sharing costs is to
 * be the allocator's doing, and not the load's.
 */
#define LOAD_OWN_LINES __attribute__((aligned(128)))

/* A load does about `operations` mallocs in all, shared among the threads. */
struct load {
	const char *name;
	const char *help;
	void (*run)(uint64_t operations, unsigned threads);
};

extern const struct load churn_load, handover_load, server_load;
extern const struct load remote_load, exchange_load;
extern const struct load scratch_load, thrash_load;
extern const struct load trees_load, bursts_load;
extern const struct load large_load, large_touched_load, grow_load;
extern const struct load stress_load, crossing_load;
extern const struct load batches_load, threads_load;

/* xorshift; the state is never 0. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static inline uint64_t random_seed(unsigned thread)
{
	return (thread + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

/* Ends the program where memory is NULL. */
void *must(void *memory);
/* malloc(bytes), its first and last byte written. */
char *object_new(size_t bytes);
/* malloc(bytes), all of it written. */
char *object_filled(size_t bytes);
void thread_start(pthread_t *thread, void *(*main)(void *), void *argument);
/* Runs main once for each element of an array of workers, and waits. */
void workers_run(void *(*main)(void *), void *workers, size_t worker_bytes,
		 unsigned count);

#endif
