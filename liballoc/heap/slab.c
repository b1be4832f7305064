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
#include "liballoc/heap/slab_samples.h"
#include "liballoc/safety/report.h"

_Static_assert(SLAB_MAX_BYTES / PAGE_MAP_UNIT <= 16, "watched_pages");

static const char no_allocation[] = "free of a pointer that is no allocation:";

static unsigned word_count(const struct extent *slab)
{
	return (size_classes[slab->size_class].regions + 63) / 64;
}

static bool bitmap_is_far(const struct extent *slab)
{
	return size_classes[slab->size_class].regions >
	       EXTENT_INLINE_WORDS * 64;
}

static uint64_t *bitmap(struct extent *slab)
{
	return bitmap_is_far(slab) ? slab->far_bitmap : slab->inline_bitmap;
}

static void set_words(const struct extent *slab)
{
	unsigned flags = PAGE_LIVE;
	uint64_t word;

	if (slab->arena->manual)
		flags |= PAGE_BYPASS;
	if (slab->apart)
		flags |= PAGE_SAMPLED;
	word = page_word(slab, slab->size_class, flags);
	page_map_set_all(slab->base, slab->bytes, word);
	page_class_set(slab->base, slab->bytes, word);
}

/* Bits go all at once: two regions may share one, and two samples a page. */
static void unmark_all(struct extent *slab)
{
	unsigned pages = slab->watched_pages;

	for (; pages; pages &= pages - 1)
		page_map_mark(slab->base + (unsigned)__builtin_ctz(pages) *
						   PAGE_MAP_UNIT,
			      false);
	slab->watched_pages = 0;
	__atomic_store_n(&slab->watched_filter, 0, __ATOMIC_RELAXED);
}

/* Of one that is not apart, from here on. */
static void watch(struct extent *slab, const void *region)
{
	size_t page = ((uintptr_t)region - slab->base) / PAGE_MAP_UNIT;

	slab->sampled++;
	__atomic_store_n(&slab->watched_filter,
			 slab->watched_filter | slab_region_bit(region),
			 __ATOMIC_RELAXED);
	if (slab->watched_pages >> page & 1)
		return;
	slab->watched_pages |= (uint16_t)(1u << page);
	page_map_mark((uintptr_t)region, true);
}

static void unwatch(struct extent *slab)
{
	if (!--slab->sampled)
		unmark_all(slab);
}

void slab_watch(struct extent *slab, const void *region, bool watched)
{
	if (slab->apart)
		return;
	if (watched)
		watch(slab, region);
	else
		unwatch(slab);
}

static void free_far(struct extent *slab)
{
	unsigned regions = size_classes[slab->size_class].regions;

	if (bitmap_is_far(slab))
		metadata_free(slab->far_bitmap,
			      word_count(slab) * sizeof(uint64_t));
	if (slab->apart && slab->samples)
		metadata_free(slab->samples, regions * sizeof(uint32_t));
	else if (!slab->apart)
		slab_samples_free(&slab->some);
}

/* What stands apart from the extent; false: no memory. */
static bool allocate_far(struct extent *slab)
{
	unsigned regions = size_classes[slab->size_class].regions;

	slab->samples = NULL;
	if (bitmap_is_far(slab))
		slab->far_bitmap =
			metadata_allocate(word_count(slab) * sizeof(uint64_t));
	if (!bitmap(slab))
		return false;
	if (!slab->apart)
		return true;
	slab->samples = metadata_allocate(regions * sizeof(uint32_t));
	if (!slab->samples)
		free_far(slab);
	return slab->samples != NULL;
}

bool slab_add_sample(struct extent *slab, const void *region, uint32_t sample)
{
	if (!slab_samples_add(&slab->some, slab_index(slab, region), sample))
		return false;
	watch(slab, region);
	return true;
}

uint32_t slab_get_sample(const struct extent *slab, const void *region)
{
	return slab->apart
		       ? *slab_sample(slab, region)
		       : slab_samples_get(slab->some, slab_index(slab, region));
}

uint32_t slab_take_sample(struct extent *slab, const void *region)
{
	uint32_t sample =
		slab_samples_take(&slab->some, slab_index(slab, region));

	if (sample)
		unwatch(slab);
	return sample;
}

bool slab_init(struct extent *slab, unsigned size_class, bool apart)
{
	unsigned regions = size_classes[size_class].regions, words;
	uint64_t *bits;

	slab->size_class = (uint8_t)size_class;
	slab->apart = apart;
	if (!allocate_far(slab))
		return false;
	words = word_count(slab);
	bits = bitmap(slab);
	memset(bits, 0xff, words * sizeof(*bits));
	if (regions % 64)
		bits[words - 1] = (UINT64_C(1) << regions % 64) - 1;
	slab->free_count = (uint16_t)regions;
	slab->first_word = 0;
	slab->sampled = 0;
	slab->watched_pages = 0;
	slab->watched_filter = apart ? UINT64_MAX : 0;
	slab->state = EXTENT_SLAB;
	set_words(slab);
	return true;
}

void slab_fini(struct extent *slab)
{
	page_class_set(slab->base, slab->bytes, 0);
	page_map_set_all(slab->base, slab->bytes, 0);
	free_far(slab);
	slab->state = EXTENT_BUSY;
}

unsigned slab_group(unsigned size_class)
{
	size_t bytes = size_classes[size_class].bytes;
	unsigned lg = (unsigned)__builtin_ctzll(bytes);

	return bytes < 128 && lg < 6 ? 64u >> lg : 1;
}

/* Of a word's bits those whose whole group is set. Groups divide words. */
static uint64_t whole_groups(uint64_t word, unsigned group)
{
	uint64_t all = (UINT64_C(1) << group) - 1;
	unsigned shift;

	for (shift = 1; shift < group; shift *= 2)
		word &= word >> shift;
	return (word & UINT64_MAX / all) * all;
}

/* Takes up to want of these bits of word i, stored downwards from end. */
static unsigned take_bits(struct extent *slab, unsigned i, uint64_t bits,
			  void **end, unsigned want)
{
	size_t bytes = size_classes[slab->size_class].bytes;
	uint64_t left = bits;
	unsigned taken = 0;

	while (left && taken < want) {
		size_t region = i * (size_t)64 + (size_t)__builtin_ctzll(left);

		left &= left - 1;
		*--end = (void *)(slab->base + region * bytes);
		taken++;
	}
	bitmap(slab)[i] &= left | ~bits;
	return taken;
}

unsigned slab_take(struct extent *slab, void **regions, unsigned want)
{
	unsigned group = slab_group(slab->size_class);
	unsigned words = word_count(slab), taken = 0, whole, i;
	uint64_t *bits = bitmap(slab);

	if (want > slab->free_count)
		want = slab->free_count;
	whole = group > 1 ? want - want % group : 0;
	for (i = slab->first_word; taken < whole && i < words; i++)
		taken += take_bits(slab, i, whole_groups(bits[i], group),
				   regions + want - taken, whole - taken);
	for (i = slab->first_word; taken < want; i++)
		taken += take_bits(slab, i, bits[i], regions + want - taken,
				   want - taken);
	slab->free_count = (uint16_t)(slab->free_count - want);
	while (slab->free_count && !bits[slab->first_word])
		slab->first_word++;
	return want;
}

unsigned slab_give(struct extent *slab, void *const *regions, unsigned count)
{
	/* A copy, which no store to the bitmap can change. */
	const struct size_class class = size_classes[slab->size_class];
	size_t end = class.regions * class.bytes;
	size_t lowest = slab->first_word * (size_t)64;
	uint64_t *bits = bitmap(slab);
	uintptr_t base = slab->base;
	unsigned i;

	for (i = 0; i < count; i++) {
		size_t offset = (uintptr_t)regions[i] - base;
		size_t index = size_class_region(&class, offset);
		uint64_t bit = UINT64_C(1) << index % 64;

		if (offset >= end)
			break;
		if (!size_class_begins(&class, offset))
			report_error(no_allocation, regions[i]);
		if (bits[index / 64] & bit)
			report_error("double free of", regions[i]);
		bits[index / 64] |= bit;
		if (index < lowest)
			lowest = index;
	}
	if (!i) /* behind the last region */
		report_error(no_allocation, regions[0]);
	slab->first_word = (uint8_t)(lowest / 64);
	slab->free_count = (uint16_t)(slab->free_count + i);
	return i;
}

void *slab_take_one(struct extent *slab)
{
	uint64_t *bits = bitmap(slab);
	unsigned i = slab->first_word;
	size_t region;

	while (!bits[i])
		i++;
	region = i * (size_t)64 + (size_t)__builtin_ctzll(bits[i]);
	bits[i] &= bits[i] - 1;
	slab->first_word = (uint8_t)i;
	slab->free_count--;
	return (void *)(slab->base +
			region * size_classes[slab->size_class].bytes);
}

bool slab_give_one(struct extent *slab, void *region)
{
	const struct size_class *class = &size_classes[slab->size_class];
	size_t offset = (uintptr_t)region - slab->base;
	size_t index = size_class_region(class, offset);
	uint64_t *bits = bitmap(slab), bit = UINT64_C(1) << index % 64;

	if (index >= class->regions || !size_class_begins(class, offset) ||
	    bits[index / 64] & bit)
		return false;
	bits[index / 64] |= bit;
	if (index / 64 < slab->first_word)
		slab->first_word = (uint8_t)(index / 64);
	slab->free_count++;
	return true;
}

bool slab_in_use(const struct extent *slab, unsigned index)
{
	const uint64_t *bits =
		bitmap_is_far(slab) ? slab->far_bitmap : slab->inline_bitmap;

	return !(bits[index / 64] >> index % 64 & 1);
}
