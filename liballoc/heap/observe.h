/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the controls look at inside the heap, beyond the ledger: counts of
 * locks, free runs by size. For whoever has the time: each call walks what it
 * needs, and takes the lock that guards it.
 */
#ifndef LIBALLOC_HEAP_OBSERVE_H
#define LIBALLOC_HEAP_OBSERVE_H

#include <stddef.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/lock.h"

#define OBSERVE_ALL_ARENAS UINT32_MAX

/* The locks that no arena owns. */
enum observed_lock {
	OBSERVED_LISTS,	     /* of arenas and of explicit caches */
	OBSERVED_THREADS,    /* the list of threads */
	OBSERVED_BACKGROUND, /* the background thread's work */
	OBSERVED_METADATA,   /* the allocator of metadata */
};

/* Each adds to sum. arena: one that is initialized, or all. */
void observe_lock(enum observed_lock which, struct lock_stats *sum);
void observe_page_lock(unsigned arena, struct lock_stats *sum);
void observe_bin_lock(unsigned arena, unsigned size_class,
		      struct lock_stats *sum);
/* All of the heap's locks count from 0 again. */
void observe_clear_locks(void);

/* Sizes of free runs: [0, this); the bytes at which one begins. */
unsigned observe_run_sizes(void);
size_t observe_run_bytes(unsigned size);

struct observed_runs {
	size_t count;
	size_t bytes;
};

/* Free runs of a state, from this size up to the next. */
struct observed_runs observe_runs(unsigned arena, enum extent_state state,
				  unsigned size);
/* Structs of extents that are kept for the next extents. */
size_t observe_spare_extents(unsigned arena);
/* Where the arena's count of active pages is; NULL: there is no such arena. */
const size_t *observe_active_pages(unsigned arena);

#endif
