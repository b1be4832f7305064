/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of large extents. Owns the mark that a cached extent has in its
 * first page's word; never touches the pages themselves.
 */
#include "config.h"

#include "liballoc/heap/large_cache.h"

#include "liballoc/heap/alone.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/extent.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/page_map.h"

/* What all slots together may hold, unless one extent may be larger. */
#define LIMIT_BYTES ((size_t)4 << 20)
/* An extent serves where at most this share of it is left over. */
#define LG_LEFT_OVER 4
/*
 * A cache that does not serve keeps free pages from being joined: each miss
 * takes one point of trust, each hit gives HIT_TRUST. Without any, only one
 * in PROBE extents is kept, to see whether things have changed.
 */
#define MAX_TRUST 24u
#define FIRST_TRUST 12u
#define HIT_TRUST 3u
#define PROBE 16u

bool large_cache_any;

void large_cache_init(struct large_cache *cache, size_t max_bytes)
{
	if (max_bytes > LARGE_CACHE_MAX_BYTES)
		max_bytes = LARGE_CACHE_MAX_BYTES;
	if (max_bytes <= SMALL_MAX_BYTES)
		max_bytes = 0;
	cache->max_bytes = max_bytes;
	cache->limit_bytes = max_bytes > LIMIT_BYTES ? max_bytes : LIMIT_BYTES;
	cache->trust = FIRST_TRUST;
}

/* Emptied by whoever calls first; NULL: somebody was there before. */
static struct extent *take_out(struct large_slot *slot)
{
	struct extent *extent;

	if (!alone())
		return __atomic_exchange_n(&slot->extent, NULL,
					   __ATOMIC_ACQUIRE);
	extent = __atomic_load_n(&slot->extent, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->extent, NULL, __ATOMIC_RELAXED);
	return extent;
}

/* The mark: to a free, the first page looks like the last one. */
static void hide(const struct extent *extent)
{
	page_map_set(extent->base, page_map_get(extent->base) | PAGE_TAIL);
}

static void show(const struct extent *extent)
{
	page_map_set(extent->base,
		     page_map_get(extent->base) & ~(uint64_t)PAGE_TAIL);
}

static struct extent *take_slot(struct large_cache *cache,
				struct large_slot *slot)
{
	struct extent *extent = take_out(slot);

	cache->held_bytes -= slot->bytes;
	slot->bytes = 0;
	return extent;
}

/* An empty slot has no bytes, and therefore never enough. */
static bool serves(const struct large_slot *slot, size_t bytes)
{
	return slot->bytes - bytes <= bytes >> LG_LEFT_OVER;
}

static bool is_aligned(const struct extent *extent, size_t alignment)
{
	return extent && !(extent->base & (alignment - 1));
}

static void flush_slot(struct large_cache *cache, struct large_slot *slot)
{
	struct extent *extent = take_slot(cache, slot);

	if (!extent)
		return;
	show(extent);
	page_heap_give_large(extent->arena, extent);
}

static void miss(struct large_cache *cache)
{
	if (!cache->held_bytes)
		return;
	if (cache->trust)
		cache->trust--;
	else
		large_cache_flush(cache);
}

static void note_use(struct large_cache *cache)
{
	__atomic_store_n(&cache->uses, cache->uses + 1, __ATOMIC_RELAXED);
}

struct extent *large_cache_take(struct large_cache *cache, size_t bytes,
				size_t alignment, unsigned size_class)
{
	struct large_slot *slot = cache->slots;
	struct large_slot *end = slot + LARGE_CACHE_SLOTS;
	struct extent *extent;

	if (bytes > cache->max_bytes)
		return NULL;
	note_use(cache);
	for (; slot < end; slot++) {
		if (!serves(slot, bytes))
			continue;
		extent = __atomic_load_n(&slot->extent, __ATOMIC_RELAXED);
		if (!is_aligned(extent, alignment))
			continue;
		extent = take_slot(cache, slot);
		if (!extent)
			continue;
		show(extent);
		cache->unpublished[size_class - SMALL_CLASSES]++;
		if (cache->trust < MAX_TRUST)
			cache->trust += HIT_TRUST;
		return extent;
	}
	miss(cache);
	return NULL;
}

static struct large_slot *empty_slot(struct large_cache *cache)
{
	unsigned i;

	for (i = 0; i < LARGE_CACHE_SLOTS; i++)
		if (!cache->slots[i].bytes)
			return &cache->slots[i];
	return NULL;
}

/* Learns of slots that were stolen from. */
static void recount(struct large_cache *cache)
{
	unsigned i;

	for (i = 0; i < LARGE_CACHE_SLOTS; i++) {
		struct large_slot *slot = &cache->slots[i];

		if (__atomic_load_n(&slot->extent, __ATOMIC_RELAXED))
			continue;
		cache->held_bytes -= slot->bytes;
		slot->bytes = 0;
	}
}

/* An empty slot, with room for bytes more below the limit. */
static struct large_slot *make_room(struct large_cache *cache, size_t bytes)
{
	recount(cache);
	while (cache->held_bytes + bytes > cache->limit_bytes ||
	       !empty_slot(cache))
		flush_slot(cache,
			   &cache->slots[cache->turn++ % LARGE_CACHE_SLOTS]);
	return empty_slot(cache);
}

bool large_cache_give(struct large_cache *cache, struct extent *extent)
{
	size_t bytes = extent->bytes;
	struct large_slot *slot;

	if (bytes > cache->max_bytes || extent->state != EXTENT_LARGE ||
	    extent->emptied)
		return false;
	if (!cache->trust && ++cache->refused % PROBE)
		return false;
	slot = empty_slot(cache);
	if (!slot || cache->held_bytes + bytes > cache->limit_bytes)
		slot = make_room(cache, bytes);
	hide(extent);
	slot->bytes = bytes;
	cache->held_bytes += bytes;
	note_use(cache);
	__atomic_store_n(&slot->extent, extent, __ATOMIC_RELEASE);
	if (!__atomic_load_n(&large_cache_any, __ATOMIC_RELAXED)) {
		__atomic_store_n(&large_cache_any, true, __ATOMIC_RELAXED);
		background_wake();
	}
	return true;
}

void large_cache_flush(struct large_cache *cache)
{
	unsigned i;

	for (i = 0; i < LARGE_CACHE_SLOTS; i++)
		flush_slot(cache, &cache->slots[i]);
}

void large_cache_publish(struct large_cache *cache, struct arena *arena)
{
	unsigned i;

	for (i = 0; i < LARGE_CACHE_CLASSES; i++) {
		if (!cache->unpublished[i])
			continue;
		page_heap_count_requests(arena, SMALL_CLASSES + i,
					 cache->unpublished[i]);
		cache->unpublished[i] = 0;
	}
}

size_t large_cache_bytes(const struct large_cache *cache)
{
	size_t bytes = 0;
	unsigned i;

	for (i = 0; i < LARGE_CACHE_SLOTS; i++)
		if (__atomic_load_n(&cache->slots[i].extent, __ATOMIC_RELAXED))
			bytes += cache->slots[i].bytes;
	return bytes;
}

bool large_cache_steal(struct large_cache *cache, bool only_if_idle,
		       struct extent **list)
{
	uint32_t uses = __atomic_load_n(&cache->uses, __ATOMIC_RELAXED);
	unsigned i;

	if (only_if_idle && uses != cache->uses_seen) {
		cache->uses_seen = uses;
		return large_cache_bytes(cache);
	}
	for (i = 0; i < LARGE_CACHE_SLOTS; i++) {
		struct extent *extent = take_out(&cache->slots[i]);

		if (!extent)
			continue;
		extent->next = *list;
		*list = extent;
	}
	return false;
}

void large_cache_release(struct extent *list)
{
	while (list) {
		struct extent *next = list->next;

		show(list);
		page_heap_give_large(list->arena, list);
		list = next;
	}
}
