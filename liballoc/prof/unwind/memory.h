/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the stack without trusting what led there: nothing is read before
 * it is known to be readable. No locks, no allocation, async-signal-safe.
 */
#ifndef LIBALLOC_PROF_UNWIND_MEMORY_H
#define LIBALLOC_PROF_UNWIND_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNWIND_PAGES 8u

/* Readable memory: [low, high). */
struct stack_bounds {
	uint64_t low, high;
};

/*
 * A thread's own stack, which stays readable for as long as it runs. All 0: not
 * looked at yet. Not where the stack pointer happens to be, which may be in a
 * coroutine's stack: in what the C library gave the thread, or else in what the
 * kernel gave the first one.
 */
struct own_stack {
	struct stack_bounds known; /* from where it was used to its end */
	uint64_t base;		   /* its lowest address; 0: it grows */
};

struct unwind_memory {
	/*
	 * Of the stack that the walk began on: all of it where it is the
	 * thread's own, else as far as a walk has come.
	 */
	struct stack_bounds stack;
	bool own;
	/*
	 * Pages elsewhere that were readable, so many of them so far; the
	 * latest take the places of the first.
	 */
	uint64_t pages[UNWIND_PAGES];
	unsigned page_count;
};

/* sp: now. own: the thread's, brought up to date; NULL: none is kept. */
void unwind_memory_start(struct unwind_memory *memory, uint64_t sp,
			 struct own_stack *own);
/* Copies size bytes, at most 8; false where they are not readable. */
bool unwind_read(struct unwind_memory *memory, uint64_t address, void *to,
		 size_t size);

#endif
