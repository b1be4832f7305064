/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast paths: what an allocation or a free that a thread's own cache can
 * serve does, and nothing else. Inline, for the API alone.
 *
 * Signals: a handler that interrupts a fast path may call the functions that
 * are async-signal-safe, of which malloc and free are none. One that does so
 * all the same may be handed the object that the interrupted call is about to
 * return; the slow paths guard against it, these do not.
 */
#ifndef LIBALLOC_HEAP_FAST_H
#define LIBALLOC_HEAP_FAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "liballoc/heap/heap.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/thread.h"

/*
 * An object for size at natural alignment; NULL: take heap_allocate(), or where
 * *counted is not 0, heap_allocate_counted(). What was there before the
 * subtraction need not be kept for that.
 */
static inline void *heap_fast_try(size_t size, size_t *counted)
{
	struct thread *thread = thread_current;
	struct cache_bin *bin;

	if (__builtin_expect(size > CACHED_MAX_BYTES, 0))
		return NULL;
	bin = &thread->cache.bins[size_class_slot(size)];
	if (__builtin_expect(!cache_count(bin), 0))
		return NULL;
	thread->countdown -= bin->bytes;
	if (__builtin_expect(thread->countdown < 0, 0)) {
		*counted = bin->bytes;
		return NULL;
	}
	return cache_pop(bin);
}

/* As above, with nothing to be told. */
static inline void *heap_fast_allocate(size_t size)
{
	size_t counted = 0;
	void *ptr = heap_fast_try(size, &counted);

	if (__builtin_expect(counted != 0, 0))
		thread_current->countdown += (int64_t)counted;
	return ptr;
}

/*
 * As above, at alignment, a power of two. Classes are multiples of the powers
 * of two up to the page that divide what is rounded up to them.
 */
static inline void *heap_fast_allocate_aligned(size_t size, size_t alignment)
{
	if (__builtin_expect(size > CACHED_MAX_BYTES, 0) ||
	    __builtin_expect(alignment > PAGE_MAP_UNIT, 0))
		return NULL;
	/* No bytes at all count as one. */
	return heap_fast_allocate((size + !size + alignment - 1) & -alignment);
}

/* Frees ptr; false: take heap_free(). */
static inline bool heap_fast_free(void *ptr)
{
	if (HEAP_CHECKS_ALL)
		return false;
	return cache_push(&thread_current->cache.bins[page_class_slot(ptr)],
			  ptr);
}

/* The usable size of ptr; 0: take heap_usable(). */
static inline size_t heap_fast_usable(const void *ptr)
{
	size_t slot = page_class_slot(ptr);

	return HEAP_CHECKS_ALL || !slot ? 0 : size_classes[slot - 1].bytes;
}

/* Are objects of size what those of the slot are? */
static inline bool heap_fast_fits(size_t slot, size_t size)
{
	return !HEAP_CHECKS_ALL && size - 1 < CACHED_MAX_BYTES &&
	       size_class_slot(size) == slot;
}

/*
 * Moves ptr, which is of the slot, to an object of size, by the fast path;
 * NULL: take heap_reallocate(), nothing has changed.
 */
static inline void *heap_fast_move(void *ptr, size_t slot, size_t size)
{
	struct cache_bin *bin = &thread_current->cache.bins[slot];
	void *fresh;

	if (HEAP_CHECKS_ALL || !slot || size - 1 >= CACHED_MAX_BYTES)
		return NULL;
	fresh = heap_fast_allocate(size);
	if (!fresh)
		return NULL;
	memcpy(fresh, ptr, size < bin->bytes ? size : bin->bytes);
	if (!cache_push(bin, ptr))
		heap_free(ptr, NULL);
	return fresh;
}

#endif
