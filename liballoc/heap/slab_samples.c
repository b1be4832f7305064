/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists of samples. One sample alone stands in the pointer itself, which
 * is odd then; more of them own a block of metadata memory, a line at first.
 */
#include "config.h"

#include "liballoc/heap/slab_samples.h"

#include <stddef.h>
#include <string.h>

#include "liballoc/heap/metadata.h"

struct entry {
	uint32_t region, sample;
};

struct slab_samples {
	uint32_t used, bytes; /* entries, and of the block */
	struct entry entries[];
};

#define FIRST_BYTES 64u

static uint32_t room(const struct slab_samples *list)
{
	return (uint32_t)((list->bytes - sizeof(*list)) /
			  sizeof(list->entries[0]));
}

static bool is_single(const struct slab_samples *list)
{
	return (uintptr_t)list & 1;
}

/* A region's number is small: bits 1 to 31; the sample has those above. */
static struct slab_samples *single(uint32_t region, uint32_t sample)
{
	_Static_assert(sizeof(uintptr_t) == sizeof(uint64_t), "64 bits");

	return (struct slab_samples *)((uintptr_t)sample << 32 |
				       (uintptr_t)region << 1 | 1);
}

static uint32_t single_region(const struct slab_samples *list)
{
	return (uint32_t)(uintptr_t)list >> 1;
}

static uint32_t single_sample(const struct slab_samples *list)
{
	return (uint32_t)((uintptr_t)list >> 32);
}

/* The first block, in place of the sample that was alone. False: no memory. */
static bool expand(struct slab_samples **list)
{
	struct slab_samples *more = metadata_allocate(FIRST_BYTES);

	if (!more)
		return false;
	more->used = 1;
	more->bytes = FIRST_BYTES;
	more->entries[0] =
		(struct entry){single_region(*list), single_sample(*list)};
	*list = more;
	return true;
}

/* Twice as much as there is. False: no memory. */
static bool grow(struct slab_samples **list)
{
	struct slab_samples *more = metadata_allocate(2 * (*list)->bytes);

	if (!more)
		return false;
	memcpy(more, *list, (*list)->bytes);
	more->bytes *= 2;
	slab_samples_free(list);
	*list = more;
	return true;
}

static bool make_room(struct slab_samples **list)
{
	if (is_single(*list))
		return expand(list);
	return (*list)->used < room(*list) || grow(list);
}

bool slab_samples_add(struct slab_samples **list, uint32_t region,
		      uint32_t sample)
{
	if (!*list) {
		*list = single(region, sample);
		return true;
	}
	if (!make_room(list))
		return false;
	(*list)->entries[(*list)->used++] = (struct entry){region, sample};
	return true;
}

static uint32_t find(const struct slab_samples *list, uint32_t region)
{
	uint32_t i = 0;

	while (i < list->used && list->entries[i].region != region)
		i++;
	return i;
}

static uint32_t get_of_many(const struct slab_samples *list, uint32_t region)
{
	uint32_t i = find(list, region);

	return i < list->used ? list->entries[i].sample : 0;
}

uint32_t slab_samples_get(const struct slab_samples *list, uint32_t region)
{
	if (is_single(list))
		return single_region(list) == region ? single_sample(list) : 0;
	return list ? get_of_many(list, region) : 0;
}

static uint32_t take_of_many(struct slab_samples **list, uint32_t region)
{
	uint32_t i = find(*list, region), sample;

	if (i == (*list)->used)
		return 0;
	sample = (*list)->entries[i].sample;
	(*list)->entries[i] = (*list)->entries[--(*list)->used];
	if (!(*list)->used)
		slab_samples_free(list);
	return sample;
}

uint32_t slab_samples_take(struct slab_samples **list, uint32_t region)
{
	uint32_t sample;

	if (!is_single(*list))
		return *list ? take_of_many(list, region) : 0;
	sample = slab_samples_get(*list, region);
	if (sample)
		*list = NULL;
	return sample;
}

void slab_samples_free(struct slab_samples **list)
{
	if (*list && !is_single(*list))
		metadata_free(*list, (*list)->bytes);
	*list = NULL;
}
