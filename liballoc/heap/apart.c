/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What threads keep for samples. Owns the regions that are kept.
 */
#include "config.h"

#include "liballoc/heap/apart.h"

#include <string.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/bin.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/safety/report.h"

/* So many go or come at once. */
#define MOVED (APART_KEPT / 2)

static __attribute__((noinline)) struct apart *make(struct cache *cache)
{
	struct apart *apart = metadata_allocate(sizeof(*apart));

	__atomic_store_n(&cache->apart, apart, __ATOMIC_RELEASE);
	return apart;
}

/*
 * Where regions of arena's class may be kept; NULL: nowhere. What the program
 * bounds it bounds to what the cache's bins hold.
 */
static inline struct apart_kept *
place(struct cache *cache, const struct arena *arena, unsigned size_class)
{
	struct apart *apart;

	if (HEAP_CHECKS_ALL || !cache || arena->manual ||
	    size_class >= cache->class_count ||
	    cache->accounts[size_class].bounded)
		return NULL;
	apart = cache->apart ? cache->apart : make(cache);
	return apart ? &apart->kept[size_class] : NULL;
}

/* Others may read it. */
static void set_count(struct apart_kept *kept, uint32_t count)
{
	__atomic_store_n(&kept->count, count, __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void *take_of_bin(struct bin *bin)
{
	void *region;

	return bin_take_apart(bin, &region, 1, 0) ? region : NULL;
}

/* Of what is empty; the program asks for one more. */
static __attribute__((noinline)) void *refill(struct apart_kept *kept,
					      struct bin *bin)
{
	void *regions[MOVED + 1];
	unsigned got = bin_take_apart(bin, regions, MOVED + 1, kept->requests);

	kept->requests = 0;
	if (!got)
		return NULL;
	set_count(kept, got - 1);
	memcpy(kept->regions, regions, (got - 1) * sizeof(regions[0]));
	return regions[got - 1];
}

void *apart_take(struct cache *cache, struct arena *arena, unsigned size_class)
{
	struct apart_kept *kept = place(cache, arena, size_class);

	if (!kept)
		return take_of_bin(arena_bin(arena, size_class));
	kept->served = true;
	if (!kept->count)
		return refill(kept, arena_bin(arena, size_class));
	kept->requests++;
	set_count(kept, kept->count - 1);
	return kept->regions[kept->count];
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
	set_count(kept, kept->count - gone);
	memmove(kept->regions, kept->regions + gone,
		kept->count * sizeof(kept->regions[0]));
}

static bool is_kept(const struct apart_kept *kept, const void *region)
{
	for (unsigned i = 0; i < kept->count; i++)
		if (kept->regions[i] == region)
			return true;
	return false;
}

/*
 * A sample that is freed is in use. What is none may have been freed before:
 * it is kept here, or its bin knows, unless another thread keeps it. A thread
 * that only frees keeps nothing.
 */
void apart_give(struct cache *cache, struct extent *slab, void *region,
		bool sampled)
{
	struct apart_kept *kept = place(cache, slab->arena, slab->size_class);

	if (!sampled && kept && is_kept(kept, region))
		report_error("double free of", region);
	if (!sampled || !kept || !kept->served) {
		give_to_bin(slab, region);
		return;
	}
	if (kept->count == APART_KEPT)
		give_oldest(kept, MOVED);
	kept->regions[kept->count] = region;
	set_count(kept, kept->count + 1);
}

static void trim_kept(struct apart_kept *kept, bool all)
{
	if (kept->count && (all || !kept->served))
		give_oldest(kept, kept->count);
	kept->served = false;
}

static void trim(struct apart *apart, bool all)
{
	for (unsigned i = 0; apart && i < APART_CLASSES; i++)
		trim_kept(&apart->kept[i], all);
}

void apart_trim(struct apart *apart)
{
	trim(apart, false);
}

void apart_flush(struct apart *apart)
{
	trim(apart, true);
}

void apart_publish(struct apart *apart, struct arena *arena)
{
	for (unsigned i = 0; apart && i < APART_CLASSES; i++) {
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

	for (unsigned i = 0; apart && i < APART_CLASSES; i++)
		bytes += __atomic_load_n(&apart->kept[i].count,
					 __ATOMIC_RELAXED) *
			 size_classes[i].bytes;
	return bytes;
}

void apart_free(struct cache *cache)
{
	if (cache->apart)
		metadata_free(cache->apart, sizeof(*cache->apart));
	cache->apart = NULL;
}
