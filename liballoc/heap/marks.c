/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which live allocations are samples, or watched. Owns no state.
 */
#include "config.h"

#include "liballoc/heap/marks.h"

#include "liballoc/heap/arena.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/prof/prof.h"

/* Not inlined, so that what lies apart need not save registers. */
static __attribute__((noinline)) bool set_sample(struct extent *extent,
						 void *ptr, uint32_t sample)
{
	bool done = true;

	thread_busy++;
	if (extent->state == EXTENT_LARGE)
		page_heap_mark_large(extent->arena, extent, sample);
	else if (extent->state == EXTENT_GUARDED)
		__atomic_store_n(&extent->sampled, sample, __ATOMIC_RELAXED);
	else
		done = bin_add_sample(
			arena_bin(extent->arena, extent->size_class), extent,
			ptr, sample);
	thread_busy--;
	return done;
}

bool heap_set_sample(void *ptr, uint32_t sample)
{
	struct extent *extent = page_word_extent(page_map_get((uintptr_t)ptr));

	if (extent->state != EXTENT_SLAB || !extent->apart)
		return set_sample(extent, ptr, sample);
	__atomic_store_n(slab_sample(extent, ptr), sample, __ATOMIC_RELAXED);
	return true;
}

static uint32_t own_sample(const uint32_t *place)
{
	uint32_t sample = __atomic_load_n(place, __ATOMIC_RELAXED);

	return sample != EXTENT_WATCHED ? sample : 0;
}

/* The same of any allocation; 0: it is no sample. */
static uint32_t take_sample(const void *ptr, struct extent *extent)
{
	uint32_t sample = 0;

	if (extent->state == EXTENT_LARGE) {
		sample = own_sample(&extent->sampled);
		if (sample)
			page_heap_mark_large(extent->arena, extent, 0);
	} else if (extent->state == EXTENT_GUARDED) {
		sample = __atomic_exchange_n(&extent->sampled, 0,
					     __ATOMIC_RELAXED);
	} else if (extent->state == EXTENT_SLAB && extent->apart) {
		sample = take_sample_apart(extent, ptr);
	} else if (extent->state == EXTENT_SLAB) {
		thread_busy++;
		sample = bin_take_sample(
			arena_bin(extent->arena, extent->size_class), extent,
			ptr);
		thread_busy--;
	}
	return sample;
}

uint32_t heap_sample_of(const void *ptr)
{
	uint64_t word = page_map_get((uintptr_t)ptr);
	struct extent *extent = page_word_extent(word);

	if ((word & (PAGE_LIVE | PAGE_TAIL)) != PAGE_LIVE ||
	    !heap_is_marked(word))
		return 0;
	if (word & PAGE_LARGE)
		return own_sample(&extent->sampled);
	if (extent->apart)
		return own_sample(slab_sample(extent, ptr));
	return bin_peek_sample(arena_bin(extent->arena, extent->size_class),
			       extent, ptr);
}

bool heap_watch(void *ptr, bool watched)
{
	struct extent *extent = page_word_extent(page_map_get((uintptr_t)ptr));
	uint32_t from = watched ? 0 : EXTENT_WATCHED;

	thread_busy++;
	if (extent->state == EXTENT_SLAB)
		bin_watch(arena_bin(extent->arena, extent->size_class), extent,
			  ptr, watched);
	else if (extent->state == EXTENT_LARGE && extent->sampled == from)
		page_heap_mark_large(extent->arena, extent,
				     watched ? EXTENT_WATCHED : 0);
	thread_busy--;
	return extent->state != EXTENT_EMERGENCY;
}

bool heap_forget_sample(struct thread *thread, void *ptr, uint64_t word)
{
	uint32_t sample = take_sample(ptr, page_word_extent(word));

	prof_free(thread, ptr, sample);
	return sample != 0;
}
