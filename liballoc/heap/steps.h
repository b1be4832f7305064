/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What allocating, freeing and moving have in common: which cache and which
 * arena's regions a thread may use, what an address stands for, and what is
 * done at the end of each stay in the slow paths.
 */
#ifndef LIBALLOC_HEAP_STEPS_H
#define LIBALLOC_HEAP_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/thread.h"

/* The thread, where it may go the short way. */
static inline struct thread *short_way(void)
{
	struct thread *thread = thread_current;

	return thread->live && !thread_busy ? thread : NULL;
}

/* The cache that serves a request; NULL: none. thread may be NULL. */
static inline struct cache *choose_cache(struct thread *thread,
					 const struct heap_where *where)
{
	if (where && where->cache >= 0)
		return heap_cache(where->cache);
	if (where && (where->cache == HEAP_CACHE_NONE || where->arena))
		return NULL;
	return thread ? &thread->cache : NULL;
}

/* May the thread, or NULL, keep regions of that class of created arenas? */
static inline bool may_keep(const struct thread *thread,
			    const struct heap_where *where, unsigned size_class)
{
	return thread && size_class < thread->cache.class_count &&
	       (!where || where->cache == HEAP_CACHE_AUTOMATIC);
}

/* Does ptr point to the beginning of a region of the slab? */
static inline bool is_region(const struct extent *slab, const void *ptr)
{
	const struct size_class *class = &size_classes[slab->size_class];
	size_t offset = (uintptr_t)ptr - slab->base;

	return size_class_region(class, offset) < class->regions &&
	       size_class_begins(class, offset);
}

/*
 * The page word (page_map.h) of the live allocation that begins at ptr; aborts
 * on what is none.
 */
uint64_t heap_live_word(const void *ptr);
/* Its usable bytes. */
static inline size_t word_usable(uint64_t word)
{
	if (word & PAGE_LARGE)
		return page_word_extent(word)->usable;
	return size_classes[page_word_tag(word)].bytes;
}

/*
 * Zeroes what the large object of extent, which may hold what was there before,
 * has in [from, usable).
 */
void heap_clear_dirty(const struct extent *extent, size_t from);

/*
 * After the locks: accounts for the object, offers it to the profiler, which
 * may exchange it, unless alignment is GUARD_NEVER; where it is then. thread
 * may be NULL.
 */
static inline void *count_allocation(struct thread *thread, void *ptr,
				     size_t requested, size_t usable,
				     unsigned size_class, size_t alignment)
{
	if (!thread)
		return ptr;
	thread_tick(thread);
	thread->countdown -= (int64_t)usable;
	if (thread->countdown < 0)
		ptr = thread_event(thread, ptr, requested, usable, size_class,
				   alignment);
	thread_tell(thread);
	return ptr;
}

/* What follows each stay in the slow paths; thread may be NULL. */
void heap_leave(struct thread *thread);

/*
 * Looking at the clock twice takes as long as some calls: one in so many, a
 * number that goes along with no other.
 */
#define CALLS_PER_TIMING 61u

/* When the call began; 0: it is not timed. */
static inline uint64_t start_timing(const struct thread *thread)
{
	return thread && thread->slow_calls % CALLS_PER_TIMING == 0
		       ? os_clock_ns()
		       : 0;
}

#endif
