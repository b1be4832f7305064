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

/*
 * A thread's own stack as far as it is known: [low, high) was readable, and
 * stays so while the thread runs on it. All 0: not looked at yet.
 */
struct stack_bounds {
	uint64_t low, high;
};

struct unwind_memory {
	struct stack_bounds stack;
	/*
	 * Pages elsewhere (signal stacks, coroutines) that were readable, so
	 * many of them so far; the latest take the places of the first.
	 */
	uint64_t pages[UNWIND_PAGES];
	unsigned page_count;
};

/* sp: now. bounds: the thread's, brought up to date; NULL: none are kept. */
void unwind_memory_start(struct unwind_memory *memory, uint64_t sp,
			 struct stack_bounds *bounds);
/* Copies size bytes, at most 8; false where they are not readable. */
bool unwind_read(struct unwind_memory *memory, uint64_t address, void *to,
		 size_t size);

#endif
