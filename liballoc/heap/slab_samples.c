/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of samples. Own blocks of metadata memory, a line each at first. */
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

/* Twice as much as there is, or the first; false: no memory. */
static bool grow(struct slab_samples **list)
{
	uint32_t bytes = *list ? 2 * (*list)->bytes : FIRST_BYTES;
	struct slab_samples *more = metadata_allocate(bytes);

	if (!more)
		return false;
	if (*list)
		memcpy(more, *list, (*list)->bytes);
	more->bytes = bytes;
	slab_samples_free(list);
	*list = more;
	return true;
}

bool slab_samples_add(struct slab_samples **list, uint32_t region,
		      uint32_t sample)
{
	if ((!*list || (*list)->used == room(*list)) && !grow(list))
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

uint32_t slab_samples_get(const struct slab_samples *list, uint32_t region)
{
	uint32_t i = list ? find(list, region) : 0;

	return list && i < list->used ? list->entries[i].sample : 0;
}

uint32_t slab_samples_take(struct slab_samples **list, uint32_t region)
{
	uint32_t i = *list ? find(*list, region) : 0, sample;

	if (!*list || i == (*list)->used)
		return 0;
	sample = (*list)->entries[i].sample;
	(*list)->entries[i] = (*list)->entries[--(*list)->used];
	if (!(*list)->used)
		slab_samples_free(list);
	return sample;
}

void slab_samples_free(struct slab_samples **list)
{
	if (*list)
		metadata_free(*list, (*list)->bytes);
	*list = NULL;
}
