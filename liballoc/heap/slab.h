/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A slab: a run of pages cut into regions of one size, and a bitmap apart
 * from them that says which are free. The caller locks its bin.
 */
#ifndef LIBALLOC_HEAP_SLAB_H
#define LIBALLOC_HEAP_SLAB_H

#include <stdbool.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/size_class.h"

/*
 * Makes a run that the page heap gave into an empty slab; apart: one for
 * samples. False: no memory.
 */
bool slab_init(struct extent *slab, unsigned size_class, bool apart);
/* Undoes that: the run may go back to the page heap. */
void slab_fini(struct extent *slab);

/*
 * How many regions in a row fill cache lines with nobody else's object on
 * them: a power of two; 1 where a line more or less does not matter.
 */
unsigned slab_group(unsigned size_class);
/*
 * Takes up to want free regions, stored from regions[want - 1] downwards;
 * returns how many. Whole groups come first, so that threads do not share
 * lines, and else the lowest addresses.
 */
unsigned slab_take(struct extent *slab, void **regions, unsigned want);
/*
 * Gives back regions[0, n), the first n that lie in this slab (0 < n <= count);
 * returns n. Aborts where one is no region, or is free already.
 */
unsigned slab_give(struct extent *slab, void *const *regions, unsigned count);

/* One free region, of which there is at least one. */
void *slab_take_one(struct extent *slab);
/* Gives one back; false, with nothing done, where it is no region in use. */
bool slab_give_one(struct extent *slab, void *region);
/* Is region index in use? */
bool slab_in_use(const struct extent *slab, unsigned index);
/* The region's index. */
static inline uint32_t slab_index(const struct extent *slab, const void *region)
{
	const struct size_class *class = &size_classes[slab->size_class];
	size_t offset = (uintptr_t)region - slab->base;

	return (uint32_t)size_class_region(class, offset);
}
/*
 * The bit that stands for a region in watched_filter: by the line that it
 * begins in, which no other of its page does that is as large.
 */
static inline uint64_t slab_region_bit(const void *region)
{
	return UINT64_C(1) << ((uintptr_t)region >> 6) % 64;
}

/*
 * The profiler wants to see the region's free, or no longer: the page it
 * begins in is marked as long as the slab has any such, and the others are left
 * alone. Of a slab apart all pages are marked anyway.
 */
void slab_watch(struct extent *slab, const void *region, bool watched);
/* Of a slab apart: where what prof_sample() gave for the region is kept. */
static inline uint32_t *slab_sample(const struct extent *slab,
				    const void *region)
{
	return &slab->samples[slab_index(slab, region)];
}
/*
 * Of any other: keeps it, not 0, for a region that has none, and watches the
 * region. False: no memory.
 */
bool slab_add_sample(struct extent *slab, const void *region, uint32_t sample);
/* What is kept for it, of any slab; 0: nothing. */
uint32_t slab_get_sample(const struct extent *slab, const void *region);
/* Of one that is not apart: the same, which is kept no more. */
uint32_t slab_take_sample(struct extent *slab, const void *region);

#endif
