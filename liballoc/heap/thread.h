/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What liballoc keeps for each thread. Lives in metadata memory, found by one
 * initial-exec TLS pointer; NULL before the thread's first allocation and
 * after its end, when allocations go uncached and unsampled.
 */
#ifndef LIBALLOC_HEAP_THREAD_H
#define LIBALLOC_HEAP_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/prof/prof.h"

struct arena;

struct thread {
	/*
	 * Usable bytes until the next event. An allocation subtracts its
	 * usable size; below zero it takes the slow path, which publishes
	 * the statistics, offers the object to prof_sample() and draws anew.
	 */
	int64_t countdown;
	int64_t countdown_start; /* what was drawn last */
	uint64_t allocated;	 /* bytes, up to the last draw */
	uint64_t deallocated;	 /* bytes, up to the last publication */
	/*
	 * Above 0: inside the allocator. Then an allocation goes unsampled,
	 * and takes no lock that the interrupted code may hold.
	 */
	unsigned reentrancy;
	uint64_t uid;
	struct arena *arena;
	struct prof_thread prof;
};

/* This thread's, made on first use; NULL where it cannot be had. */
struct thread *thread_get(void);
/* This thread's, or NULL; never makes one. */
struct thread *thread_peek(void);
/* Runs visit on each live thread with the thread list locked. */
void thread_each(void (*visit)(struct thread *thread, void *context),
		 void *context);

#endif
