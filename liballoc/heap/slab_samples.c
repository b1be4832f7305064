/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists of samples. More than one of them own a block of metadata memory, a
 * line at first.
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

/* The first block, in place of the sample that was alone. False: no memory. */
static bool expand(struct slab_samples **list)
{
	struct slab_samples *more = metadata_allocate(FIRST_BYTES);

	if (!more)
		return false;
	more->used = 1;
	more->bytes = FIRST_BYTES;
	more->entries[0] = (struct entry){slab_samples_region(*list),
					  slab_samples_sample(*list)};
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
	if (slab_samples_is_single(*list))
		return expand(list);
	return (*list)->used < room(*list) || grow(list);
}

bool slab_samples_add_more(struct slab_samples **list, uint32_t region,
			   uint32_t sample)
{
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

uint32_t slab_samples_get_of_many(const struct slab_samples *list,
				  uint32_t region)
{
	uint32_t i = find(list, region);

	return i < list->used ? list->entries[i].sample : 0;
}

uint32_t slab_samples_take_of_many(struct slab_samples **list, uint32_t region)
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

void slab_samples_free(struct slab_samples **list)
{
	if (*list && !slab_samples_is_single(*list))
		metadata_free(*list, (*list)->bytes);
	*list = NULL;
}
