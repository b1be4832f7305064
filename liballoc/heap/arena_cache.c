/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The places of bins are a table that is looked up by the bin alone, with no
 * search: of two bins that would share a place, the one that is used more has
 * it, and the other goes without.
 */
#include "config.h"

#include "liballoc/heap/arena_cache.h"

#include "liballoc/heap/arena.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/safety/report.h"

/* Regions at first; none of a class of which these are above the bytes. */
#define FIRST_LIMIT 2u
#define MAX_BYTES ((size_t)8 << 10)
#define TRIM_PLACES 8u

static size_t region_bytes(const struct bin *bin)
{
	return size_classes[bin->size_class].bytes;
}

static void empty(struct arena_cache_place *place)
{
	if (place->bin && (place->kept.count || place->kept.requests))
		bin_give_kept(place->bin, &place->kept, place->kept.count);
}

static void claim(struct arena_cache_place *place, struct bin *bin)
{
	empty(place);
	place->limit = FIRST_LIMIT;
	place->used = 0;
	place->kept = (struct bin_kept){
		.generation = arena_generation(bin->arena),
	};
	/* Another thread that finds the bin here finds it made, too. */
	__atomic_store_n(&place->bin, bin, __ATOMIC_RELEASE);
}

/* Made the bin's, if it can have one; or NULL. */
static struct arena_cache_place *place_for(struct arena_cache **cache,
					   struct bin *bin)
{
	struct arena_cache_place *place;

	if (FIRST_LIMIT * region_bytes(bin) > MAX_BYTES)
		return NULL;
	if (!*cache)
		__atomic_store_n(cache, metadata_allocate(sizeof(**cache)),
				 __ATOMIC_RELEASE);
	if (!*cache)
		return NULL;
	place = arena_cache_place(*cache, bin->arena, bin->size_class);
	if (place)
		return place;
	place = &(*cache)->places[arena_cache_index(bin->arena,
						    bin->size_class)];
	if (place->bin != bin && place->used) {
		place->used--;
		return NULL;
	}
	claim(place, bin);
	return place;
}

static void grow(struct arena_cache_place *place)
{
	unsigned limit = 2 * place->limit;

	if (limit <= BIN_KEPT_MAX &&
	    limit * region_bytes(place->bin) <= MAX_BYTES)
		place->limit = limit;
}

void *arena_cache_take(struct arena_cache **cache, struct bin *bin)
{
	struct arena_cache_place *place = place_for(cache, bin);

	if (!place)
		return NULL;
	if (!place->kept.count) {
		grow(place);
		bin_fill_kept(bin, &place->kept, place->limit / 2);
	}
	if (place->kept.requests == UINT16_MAX)
		bin_tell_kept(bin, &place->kept);
	return arena_cache_pop(*cache, bin->arena, bin->size_class);
}

static void check_double_free(const struct bin_kept *kept, const void *region)
{
	for (unsigned i = 0; i < kept->count; i++)
		if (kept->regions[i] == region)
			report_error("double free of", region);
}

bool arena_cache_give(struct arena_cache **cache, struct bin *bin, void *region)
{
	struct arena_cache_place *place = place_for(cache, bin);
	struct bin_kept *kept;

	if (!place)
		return false;
	kept = &place->kept;
	check_double_free(kept, region);
	if (kept->count >= place->limit)
		bin_give_kept(bin, kept, kept->count - place->limit / 2);
	return arena_cache_push(*cache, bin->arena, bin->size_class, region);
}

void arena_cache_flush(struct arena_cache *cache)
{
	for (unsigned i = 0; i < ARENA_CACHE_PLACES; i++)
		empty(&cache->places[i]);
}

static void trim(struct arena_cache_place *place)
{
	if (!place->used && place->bin) {
		empty(place);
		place->limit = FIRST_LIMIT;
	}
	place->used = 0;
}

void arena_cache_trim(struct arena_cache *cache)
{
	for (unsigned i = 0; i < TRIM_PLACES; i++)
		trim(&cache->places[cache->trim_next++ % ARENA_CACHE_PLACES]);
}

void arena_cache_close(struct arena_cache *cache)
{
	arena_cache_flush(cache);
	for (unsigned i = 0; i < ARENA_CACHE_PLACES; i++)
		__atomic_store_n(&cache->places[i].bin, NULL, __ATOMIC_RELAXED);
}

void arena_cache_free(struct arena_cache *cache)
{
	arena_cache_flush(cache);
	metadata_free(cache, sizeof(*cache));
}

void arena_cache_publish(struct arena_cache *cache)
{
	for (unsigned i = 0; i < ARENA_CACHE_PLACES; i++) {
		struct arena_cache_place *place = &cache->places[i];

		if (place->bin && (place->kept.requests ||
				   place->kept.told != place->kept.count))
			bin_tell_kept(place->bin, &place->kept);
	}
}

void arena_cache_recount(struct arena_cache *cache)
{
	for (unsigned i = 0; i < ARENA_CACHE_PLACES; i++)
		cache->places[i].kept.told = 0;
	arena_cache_publish(cache);
}

static size_t place_bytes(const struct arena_cache_place *place)
{
	const struct bin *bin = __atomic_load_n(&place->bin, __ATOMIC_ACQUIRE);

	if (!bin || place->kept.generation != arena_generation(bin->arena))
		return 0;
	return place->kept.count * region_bytes(bin);
}

size_t arena_cache_bytes(const struct arena_cache *cache)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < ARENA_CACHE_PLACES; i++)
		bytes += place_bytes(&cache->places[i]);
	return bytes;
}
