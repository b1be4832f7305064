/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small mutex on a futex. Locks have ranks and are taken in rising order;
 * with LIBALLOC_DEBUG or JEHEAP_DEVELOPER a wrong order aborts. Not recursive.
 * A zeroed lock of a set rank is free; taking and releasing keep errno. The
 * memory of a lock stays one's, since who releases it looks at it after that.
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
	LOCK_PROF_POOL,
	LOCK_PROF_RECENT,
	LOCK_PROF_LOG,
	LOCK_PROF_IMAGES,
	LOCK_BACKGROUND,
	LOCK_CONTAINER,
	LOCK_ARENA_LIST,
	LOCK_CACHE_LIST,
	LOCK_GUARD,
	LOCK_THREAD_LIST,
	LOCK_LEDGER,
	LOCK_EXCHANGE,
	LOCK_BIN,
	LOCK_PAGE_HEAP,
	LOCK_METADATA,
};

/* What a lock went through since it was made, or cleared. */
struct lock_stats {
	uint64_t ops;		    /* times that it was taken */
	uint64_t waits;		    /* of these, after sleeping */
	uint64_t spin_acquisitions; /* of these, after trying again and again */
	uint64_t owner_switches;    /* taken by another thread than before */
	uint64_t wait_ns;	    /* spent asleep, all threads together */
	uint64_t max_wait_ns;	    /* the longest sleep */
	uint64_t max_waiters;	    /* the most threads asleep at once */
};

struct lock {
	uint32_t word;	  /* 0: free, 1: taken */
	uint8_t rank;	  /* enum lock_rank */
	uint8_t asleep;	  /* somebody may be; atomic */
	uint16_t waiters; /* threads that are now; atomic */
	/* Written by whoever holds the lock: */
	const void *owner; /* tells threads apart; who had it last */
	struct lock_stats stats;
};

#define LOCK_INIT(the_rank)                                                    \
 {                                                                             \
  .word = 0, .rank = (the_rank)                                                \
 }

void lock_init(struct lock *lock, enum lock_rank rank);
/*
 * For a zeroed lock, which is a free one but for its rank: gives it that, as
 * often as one likes and by any thread.
 */
static inline void lock_set_rank(struct lock *lock, enum lock_rank rank)
{
	__atomic_store_n(&lock->rank, (uint8_t)rank, __ATOMIC_RELAXED);
}
void lock_take(struct lock *lock);
bool lock_try(struct lock *lock);
void lock_release(struct lock *lock);

/* Adds the lock's counts to sum; of the longest and the most, the larger. */
void lock_add_stats(const struct lock *lock, struct lock_stats *sum);
/* Counts from 0 again; takes the lock. */
void lock_clear_stats(struct lock *lock);

/* For fork alone: takes many of one rank; frees a copied lock in the child. */
void lock_take_for_fork(struct lock *lock);
void lock_release_for_fork(struct lock *lock);
void lock_reset(struct lock *lock);

#endif
