/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples among the regions of a slab that is not apart: mostly one or two,
 * so a list, which goes when the last of them does. The caller locks the bin.
 */
#ifndef LIBALLOC_HEAP_SLAB_SAMPLES_H
#define LIBALLOC_HEAP_SLAB_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

struct slab_samples;

/* Keeps a sample, which is not 0, for a region that has none; false: no memory.
 */
bool slab_samples_add(struct slab_samples **list, uint32_t region,
		      uint32_t sample);
/* The region's sample, or 0; list may be NULL. */
uint32_t slab_samples_get(const struct slab_samples *list, uint32_t region);
/* The same, which is kept no more. */
uint32_t slab_samples_take(struct slab_samples **list, uint32_t region);
/* Frees the list, whatever is in it. */
void slab_samples_free(struct slab_samples **list);

#endif
