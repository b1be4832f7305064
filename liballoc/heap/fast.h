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

/* An object for size at natural alignment; NULL: take heap_allocate(). */
static inline void *heap_fast_allocate(size_t size)
{
	struct thread *thread = thread_current;
	struct cache_bin *bin;
	int64_t left;

	if (__builtin_expect(size > CACHED_MAX_BYTES, 0))
		return NULL;
	bin = &thread->cache.bins[size_class_cached(size)];
	if (__builtin_expect(!cache_count(bin), 0))
		return NULL;
	left = thread->countdown - (int64_t)bin->bytes;
	if (__builtin_expect(left < 0, 0))
		return NULL;
	thread->countdown = left;
	return cache_pop(bin);
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
	uint64_t word = page_map_get((uintptr_t)ptr);

	if (__builtin_expect((word & PAGE_PLAIN_MASK) != PAGE_LIVE, 0))
		return false;
	return cache_push(&thread_current->cache.bins[page_word_tag(word)],
			  ptr);
}

/*
 * Small objects alone: ptr where it stays in its class, else moved between
 * the classes of the cache. NULL: nothing has happened.
 */
static inline void *heap_fast_reallocate(void *ptr, size_t size)
{
	uint64_t word = page_map_get((uintptr_t)ptr);
	unsigned size_class = page_word_tag(word);
	size_t kept = size;
	void *moved;

	if ((word & (PAGE_PLAIN_MASK | PAGE_LARGE)) != PAGE_LIVE ||
	    size - 1 >= CACHED_MAX_BYTES)
		return NULL;
	if (size_class_cached(size) == size_class)
		return ptr;
	moved = heap_fast_allocate(size);
	if (!moved)
		return NULL;
	if (kept > size_classes[size_class].bytes)
		kept = size_classes[size_class].bytes;
	memcpy(moved, ptr, kept);
	if (!heap_fast_free(ptr))
		heap_free(ptr, NULL);
	return moved;
}

#endif
