/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bitmap of a slab. Owns the extent's slab fields and the page words of
 * its pages; takes no lock.
 */
#include "config.h"

#include "liballoc/heap/slab.h"

#include <string.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"

static unsigned word_count(const struct extent *slab)
{
	return (size_classes[slab->size_class].regions + 63) / 64;
}

bool slab_init(struct extent *slab, unsigned size_class)
{
	unsigned regions = size_classes[size_class].regions, words;

	slab->size_class = (uint8_t)size_class;
	words = word_count(slab);
	slab->bitmap = slab->inline_bitmap;
	if (words > EXTENT_INLINE_WORDS)
		slab->bitmap = metadata_allocate(words * sizeof(uint64_t));
	if (!slab->bitmap)
		return false;
	memset(slab->bitmap, 0xff, words * sizeof(uint64_t));
	if (regions % 64)
		slab->bitmap[words - 1] = (UINT64_C(1) << regions % 64) - 1;
	slab->free_count = regions;
	slab->first_word = 0;
	slab->sampled = 0;
	slab->state = EXTENT_SLAB;
	slab_set_words(slab);
	return true;
}

void slab_fini(struct extent *slab)
{
	page_map_set_all(slab->base, slab->bytes, 0);
	if (slab->bitmap != slab->inline_bitmap)
		metadata_free(slab->bitmap,
			      word_count(slab) * sizeof(uint64_t));
	slab->bitmap = NULL;
	slab->state = EXTENT_BUSY;
}

unsigned slab_take(struct extent *slab, void **regions, unsigned want)
{
	size_t bytes = size_classes[slab->size_class].bytes;
	unsigned i = slab->first_word, taken = 0;

	if (want > slab->free_count)
		want = slab->free_count;
	regions += want;
	while (taken < want) {
		uint64_t bits = slab->bitmap[i];

		while (bits && taken < want) {
			size_t region =
				i * (size_t)64 + (size_t)__builtin_ctzll(bits);

			bits &= bits - 1;
			*--regions = (void *)(slab->base + region * bytes);
			taken++;
		}
		slab->bitmap[i] = bits;
		if (!bits)
			i++;
	}
	slab->first_word = i;
	slab->free_count -= want;
	return want;
}

void slab_give(struct extent *slab, void *region)
{
	const struct size_class *class = &size_classes[slab->size_class];
	size_t offset = (uintptr_t)region - slab->base;
	size_t index = offset * class->reciprocal >> 32;
	uint64_t bit = UINT64_C(1) << index % 64;

	if (index >= class->regions || index * class->bytes != offset)
		os_die("free of a pointer that is no allocation:", region);
	if (slab->bitmap[index / 64] & bit)
		os_die("double free of", region);
	slab->bitmap[index / 64] |= bit;
	if (index / 64 < slab->first_word)
		slab->first_word = (uint32_t)(index / 64);
	slab->free_count++;
}

void slab_set_words(const struct extent *slab)
{
	unsigned flags = PAGE_LIVE;

	if (slab->arena->manual)
		flags |= PAGE_BYPASS;
	if (slab->sampled)
		flags |= PAGE_SAMPLED;
	page_map_set_all(slab->base, slab->bytes,
			 page_word(slab, slab->size_class, flags));
}
