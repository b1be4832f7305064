/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small mutex on a futex. Locks have ranks and are taken in rising order;
 * with LIBALLOC_DEBUG or JEHEAP_DEVELOPER a wrong order aborts. Not recursive.
 * A zeroed lock of a set rank is free; taking and releasing keep errno.
 */
#ifndef LIBALLOC_HEAP_LOCK_H
#define LIBALLOC_HEAP_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* In the order in which they may be taken; at most one of each rank. */
enum lock_rank {
	LOCK_CTL = 1,
	LOCK_PROF_DUMP,
	LOCK_PROF_TABLES,
	LOCK_PROF_STACKS,
	LOCK_PROF_COUNTS,
	LOCK_PROF_IMAGES,
	LOCK_ARENA_LIST,
	LOCK_CACHE_LIST,
	LOCK_THREAD_LIST,
	LOCK_LEDGER,
	LOCK_BIN,
	LOCK_PAGE_HEAP,
	LOCK_METADATA,
};

struct lock {
	uint32_t word; /* 0: free, 1: taken, 2: taken, with sleepers */
	uint32_t rank; /* enum lock_rank */
};

#define LOCK_INIT(the_rank)                                                    \
 {                                                                             \
  .word = 0, .rank = (the_rank)                                                \
 }

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_take(struct lock *lock);
bool lock_try(struct lock *lock);
void lock_release(struct lock *lock);

/* For fork alone: takes many of one rank; frees a copied lock in the child. */
void lock_take_for_fork(struct lock *lock);
void lock_release_for_fork(struct lock *lock);
void lock_reset(struct lock *lock);

#endif
