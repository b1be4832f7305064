/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What threads keep for samples. Like a thread's cache it looks at a region
 * that is freed only so far as the newest ones go, and the bin looks at it when
 * it goes on there.
 */
#include "config.h"

#include "liballoc/heap/apart.h"

#include <string.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/bin.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/heap.h"
#include "liballoc/safety/report.h"

/* So many go or come at once. */
#define MOVED (APART_KEPT / 2)

static bool keeps(const struct cache *cache, const struct arena *arena,
		  unsigned size_class)
{
	return !HEAP_CHECKS_ALL && !arena->manual &&
	       size_class < cache->class_count;
}

static __attribute__((noinline)) void *take_of_bin(struct bin *bin)
{
	void *region;

	return bin_take_apart(bin, &region, 1, 1) ? region : NULL;
}

/* Of what is empty; the program asks for one more. */
static __attribute__((noinline)) void *refill(struct apart_kept *kept,
					      struct bin *bin)
{
	void *regions[MOVED + 1];
	unsigned got = bin_take_apart(bin, regions, MOVED + 1,
				      kept->requests + UINT64_C(1));

	kept->requests = 0;
	if (!got)
		return NULL;
	kept->count = got - 1;
	memcpy(kept->regions, regions, (got - 1) * sizeof(regions[0]));
	return regions[got - 1];
}

void *apart_take(struct cache *cache, struct arena *arena, unsigned size_class)
{
	struct apart_kept *kept = &cache->apart.kept[size_class];

	if (!keeps(cache, arena, size_class))
		return take_of_bin(arena_bin(arena, size_class));
	kept->served = true;
	if (!kept->count)
		return refill(kept, arena_bin(arena, size_class));
	kept->requests++;
	return kept->regions[--kept->count];
}

static __attribute__((noinline)) void give_to_bin(struct extent *slab,
						  void *region)
{
	struct bin *bin = arena_bin(slab->arena, slab->size_class);

	if (!bin_give_one(bin, slab, region))
		report_error("double free of", region);
}

/* The oldest so many. */
static __attribute__((noinline)) void give_oldest(struct apart_kept *kept,
						  unsigned gone)
{
	arena_free_small(kept->regions, gone);
	kept->count -= gone;
	memmove(kept->regions, kept->regions + gone,
		kept->count * sizeof(kept->regions[0]));
}

void apart_give(struct cache *cache, struct extent *slab, void *region)
{
	struct apart_kept *kept;
	unsigned i;

	if (!cache || !keeps(cache, slab->arena, slab->size_class)) {
		give_to_bin(slab, region);
		return;
	}
	kept = &cache->apart.kept[slab->size_class];
	for (i = 0; i < kept->count; i++)
		if (kept->regions[i] == region)
			report_error("double free of", region);
	if (kept->count == APART_KEPT)
		give_oldest(kept, MOVED);
	kept->regions[kept->count++] = region;
}

static void trim_kept(struct apart_kept *kept, bool all)
{
	if (kept->count && (all || !kept->served))
		give_oldest(kept, kept->count);
	kept->served = false;
}

void apart_trim(struct apart *apart)
{
	for (unsigned i = 0; i < APART_CLASSES; i++)
		trim_kept(&apart->kept[i], false);
}

void apart_flush(struct apart *apart)
{
	for (unsigned i = 0; i < APART_CLASSES; i++)
		trim_kept(&apart->kept[i], true);
}

void apart_publish(struct apart *apart, struct arena *arena)
{
	for (unsigned i = 0; i < APART_CLASSES; i++) {
		struct apart_kept *kept = &apart->kept[i];

		if (kept->requests)
			bin_take_apart(arena_bin(arena, i), NULL, 0,
				       kept->requests);
		kept->requests = 0;
	}
}

size_t apart_bytes(const struct apart *apart)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < APART_CLASSES; i++)
		bytes += __atomic_load_n(&apart->kept[i].count,
					 __ATOMIC_RELAXED) *
			 size_classes[i].bytes;
	return bytes;
}
