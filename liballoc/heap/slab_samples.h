/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples among the regions of a slab that is not apart: mostly one or two,
 * so a list, which goes when the last of them does. One sample alone stands in
 * the pointer to the list itself, which is odd then, and is served here. The
 * caller locks the bin.
 */
#ifndef LIBALLOC_HEAP_SLAB_SAMPLES_H
#define LIBALLOC_HEAP_SLAB_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slab_samples;

_Static_assert(sizeof(uintptr_t) == sizeof(uint64_t), "64 bits");

/* A region's number is small: bits 1 to 31; the sample has those above. */
static inline bool slab_samples_is_single(const struct slab_samples *list)
{
	return (uintptr_t)list & 1;
}

static inline uint32_t slab_samples_region(const struct slab_samples *list)
{
	return (uint32_t)(uintptr_t)list >> 1;
}

static inline uint32_t slab_samples_sample(const struct slab_samples *list)
{
	return (uint32_t)((uintptr_t)list >> 32);
}

/* Where there is a list, of one or more. */
bool slab_samples_add_more(struct slab_samples **list, uint32_t region,
			   uint32_t sample);
/* Where there are more than one, or were. */
uint32_t slab_samples_get_of_many(const struct slab_samples *list,
				  uint32_t region);
uint32_t slab_samples_take_of_many(struct slab_samples **list, uint32_t region);

/*
 * Keeps a sample, which is not 0, for a region that has none; false: no memory.
 */
static inline bool slab_samples_add(struct slab_samples **list, uint32_t region,
				    uint32_t sample)
{
	if (*list)
		return slab_samples_add_more(list, region, sample);
	*list = (struct slab_samples *)((uintptr_t)sample << 32 |
					(uintptr_t)region << 1 | 1);
	return true;
}

/* The region's sample, or 0; list may be NULL. */
static inline uint32_t slab_samples_get(const struct slab_samples *list,
					uint32_t region)
{
	if (list && !slab_samples_is_single(list))
		return slab_samples_get_of_many(list, region);
	return list && slab_samples_region(list) == region
		       ? slab_samples_sample(list)
		       : 0;
}

/* The same, which is kept no more. */
static inline uint32_t slab_samples_take(struct slab_samples **list,
					 uint32_t region)
{
	uint32_t sample;

	if (*list && !slab_samples_is_single(*list))
		return slab_samples_take_of_many(list, region);
	sample = slab_samples_get(*list, region);
	if (sample)
		*list = NULL;
	return sample;
}

/* Frees the list, whatever is in it. */
void slab_samples_free(struct slab_samples **list);

#endif
