/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which live allocations are samples, or watched. What prof_sample() gave for
 * one is kept with it: in its extent where it is large or guarded, in its
 * slab's table where it lies apart, else with its bin (slab_samples.h). Pages
 * in which one begins are marked, so that the fast path leaves them alone; but
 * those of large objects that no bin holds, which it leaves alone anyway.
 */
#ifndef LIBALLOC_HEAP_MARKS_H
#define LIBALLOC_HEAP_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/slab.h"

struct thread;

/* A large object that may stay in a thread's cache, though in no bin. */
#define PAGE_LONG (PAGE_LARGE | PAGE_UNCACHED)

/* May the allocation be a sample, or watched? */
static inline bool heap_is_marked(uint64_t word)
{
	return word & PAGE_SAMPLED ||
	       ((word & PAGE_LONG) == PAGE_LONG &&
		__atomic_load_n(&page_word_extent(word)->sampled,
				__ATOMIC_RELAXED));
}

/*
 * What a slab apart keeps for the region, which is kept no more. Who frees one
 * twice at a time may find it twice, and the profiler does not.
 */
static inline uint32_t take_sample_apart(const struct extent *slab,
					 const void *ptr)
{
	uint32_t *place = slab_sample(slab, ptr);
	uint32_t sample = __atomic_load_n(place, __ATOMIC_RELAXED);

	__atomic_store_n(place, 0, __ATOMIC_RELAXED);
	return sample;
}

/* The object is about to go: the profiler forgets it; was it a sample? */
bool heap_forget_sample(struct thread *thread, void *ptr, uint64_t word);

#endif
