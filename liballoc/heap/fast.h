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

/* Frees ptr; false: take heap_free(). */
static inline bool heap_fast_free(void *ptr)
{
	uint64_t word = page_map_get((uintptr_t)ptr);

	if (__builtin_expect((word & PAGE_PLAIN_MASK) != PAGE_LIVE, 0))
		return false;
	return cache_push(&thread_current->cache.bins[page_word_tag(word)],
			  ptr);
}

#endif
