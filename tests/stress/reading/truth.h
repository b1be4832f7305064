/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `busy` knows of itself, in a file that it shares with who reads it. A
 * sum is counted before the call that makes it true (begun) and after it, so
 * that whoever reads the one before he looks and the other afterwards knows
 * the bounds of all that he can have seen. Words are relaxed atomics.
 */
#ifndef TESTS_STRESS_READING_TRUTH_H
#define TESTS_STRESS_READING_TRUTH_H

#include <stdint.h>

#define TRUTH_THREADS 64

struct truth_slot {
	uint64_t allocating; /* usable bytes, the call under way included */
	uint64_t allocated;
	uint64_t freeing;
	uint64_t freed;
	uint64_t unused[4]; /* a cache line each */
};

struct truth {
	uint64_t ready; /* all threads have been started once */
	uint64_t ended; /* threads */
	uint64_t forks;
	uint64_t loads;	  /* of a library */
	uint64_t child;	  /* the last one's pid */
	uint64_t lock_up; /* set by the reader: all threads are to block */
	uint64_t blocked; /* threads that are about to, for good */
	uint64_t unused;
	struct truth_slot slots[TRUTH_THREADS];
};

static inline uint64_t truth_get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void truth_add(uint64_t *word, uint64_t delta)
{
	__atomic_fetch_add(word, delta, __ATOMIC_SEQ_CST);
}

#endif
