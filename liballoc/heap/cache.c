/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling, flushing and trimming of caches. Owns the stacks of pointers, which
 * begin small and grow with use, so that an idle thread costs little.
 */
#include "config.h"

#include "liballoc/heap/cache.h"

#include <string.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/ledger/ledger.h"

/*
 * A bin may hold this much, but some objects at least; more than a few dozen
 * objects save next to no trips to the arena.
 */
#define FIRST_CAPACITY 8u
#define MAX_CAPACITY 128u
#define MIN_CAPACITY 4u
#define MAX_BIN_BYTES ((size_t)16 << 10)
/* And a bin from which nothing is taken, since others allocate: this much. */
#define MAX_IDLE_CAPACITY 32u
#define MAX_IDLE_BYTES ((size_t)8 << 10)
#define TRIM_BINS 4u

void cache_init(struct cache *cache, size_t max_bytes)
{
	unsigned i;

	cache->class_count = 0;
	for (i = 0; i < CACHED_CLASSES; i++) {
		cache_bin(cache, i)->bytes = (uint32_t)size_classes[i].bytes;
		if (size_classes[i].bytes <= max_bytes)
			cache->class_count = i + 1;
	}
	large_cache_init(&cache->large, max_bytes);
}

static unsigned capacity_for(const struct cache_bin *bin, size_t bytes,
			     unsigned objects)
{
	if (bytes / bin->bytes < objects)
		objects = (unsigned)(bytes / bin->bytes);
	return objects < MIN_CAPACITY ? MIN_CAPACITY : objects;
}

static unsigned max_capacity(const struct cache_bin *bin)
{
	return capacity_for(bin, MAX_BIN_BYTES, MAX_CAPACITY);
}

static unsigned max_idle_capacity(const struct cache_bin *bin)
{
	return capacity_for(bin, MAX_IDLE_BYTES, MAX_IDLE_CAPACITY);
}

static size_t slots_bytes(unsigned capacity)
{
	return capacity * sizeof(void *);
}

/* Doubles what the bin may hold, where that is less than most. */
static void grow(struct cache_bin *bin, unsigned most)
{
	unsigned wanted = bin->limit * 2u;
	void **slots;

	if (bin->limit >= most)
		return;

	if (wanted < FIRST_CAPACITY)
		wanted = FIRST_CAPACITY;
	if (wanted > most)
		wanted = most;
	if (wanted <= bin->capacity) {
		bin->limit = (uint16_t)wanted;
		return;
	}
	slots = metadata_allocate(slots_bytes(wanted));
	if (!slots)
		return;
	if (bin->slots) {
		memcpy(slots, bin->slots, slots_bytes(cache_count(bin)));
		metadata_free(bin->slots, slots_bytes(bin->capacity));
	}
	bin->slots = slots;
	bin->limit = bin->capacity = (uint16_t)wanted;
}

static uint64_t unpublished(struct cache *cache, unsigned size_class)
{
	struct cache_bin_account *account = &cache->accounts[size_class];
	uint64_t served = cache_served(cache_bin(cache, size_class));
	uint64_t requests = served - account->served_published;

	account->served_published = served;
	return requests;
}

static unsigned fill_small(struct cache *cache, unsigned size_class,
			   struct arena *arena)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	unsigned want = bin->limit > 1 ? bin->limit / 2 : 1;
	unsigned got = 0;

	if (cache->exchanges)
		got = exchange_take(size_class, bin->slots, want);
	if (got)
		return got;
	return bin_take(&arena->bins[size_class], bin->slots, want,
			unpublished(cache, size_class));
}

static unsigned fill_large(struct cache *cache, unsigned size_class,
			   struct arena *arena)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	struct extent *extent;

	extent = page_heap_take_large(arena, bin->bytes, os_page_bytes,
				      size_class,
				      unpublished(cache, size_class), false);
	if (!extent)
		return 0;
	bin->slots[0] = (void *)extent->base;
	return 1;
}

void *cache_take(struct cache *cache, unsigned size_class, struct arena *arena)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	void *object = cache_pop(bin);
	unsigned filled;

	if (object)
		return object;
	grow(bin, max_capacity(bin));
	if (!bin->limit)
		return NULL;
	filled = size_class_is_small(size_class)
			 ? fill_small(cache, size_class, arena)
			 : fill_large(cache, size_class, arena);
	cache->accounts[size_class].filled += filled;
	cache->accounts[size_class].drained = true;
	bin->word += filled;
	return cache_pop(bin);
}

static void flush_large(void **objects, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		uint64_t word = page_map_get((uintptr_t)objects[i]);
		struct extent *extent = page_word_extent(word);

		page_heap_give_large(extent->arena, extent);
	}
}

static void give_back(unsigned size_class, void **objects, unsigned count,
		      bool to_exchange)
{
	if (!size_class_is_small(size_class))
		flush_large(objects, count);
	else if (!to_exchange || !exchange_put(size_class, objects, count))
		arena_free_small(objects, count);
}

/* Gives back the objects that were put in first, but the newest keep. */
static void flush_bin(struct cache *cache, unsigned size_class, unsigned keep,
		      bool to_exchange)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	unsigned count = cache_count(bin);

	if (count <= keep)
		return;
	count -= keep;
	give_back(size_class, bin->slots, count, to_exchange);
	memmove(bin->slots, bin->slots + count, slots_bytes(keep));
	bin->word -= count;
	cache->accounts[size_class].flushed += count;
}

bool cache_give(struct cache *cache, unsigned size_class, void *object)
{
	struct cache_bin_account *account;
	struct cache_bin *bin;
	bool drained;

	if (size_class >= cache->class_count)
		return false;
	bin = cache_bin(cache, size_class);
	if (cache_push(bin, object))
		return true;
	/* Emptied and full again: with more room neither had happened. */
	account = &cache->accounts[size_class];
	drained = account->drained;
	grow(bin, drained ? max_capacity(bin) : max_idle_capacity(bin));
	account->drained = false;
	if (!bin->limit)
		return false;
	if (cache_count(bin) >= bin->limit)
		flush_bin(cache, size_class, bin->limit / 2,
			  !drained && cache->exchanges);
	return cache_push(bin, object);
}

static void publish_bin(struct cache *cache, unsigned size_class,
			struct arena *arena)
{
	uint64_t requests = unpublished(cache, size_class);

	if (!requests)
		return;
	if (size_class_is_small(size_class))
		bin_take(&arena->bins[size_class], NULL, 0, requests);
	else
		page_heap_count_requests(arena, size_class, requests);
}

void cache_flush(struct cache *cache, struct arena *arena)
{
	unsigned i;

	for (i = 0; i < CACHED_CLASSES; i++) {
		flush_bin(cache, i, 0, false);
		publish_bin(cache, i, arena);
	}
	large_cache_flush(&cache->large);
	large_cache_publish(&cache->large, arena);
}

void cache_fini(struct cache *cache, struct arena *arena)
{
	unsigned i;

	cache_flush(cache, arena);
	for (i = 0; i < CACHED_CLASSES; i++) {
		struct cache_bin *bin = cache_bin(cache, i);

		if (bin->slots)
			metadata_free(bin->slots, slots_bytes(bin->capacity));
		bin->slots = NULL;
		bin->limit = bin->capacity = 0;
	}
	cache->class_count = 0;
	cache->large.max_bytes = 0;
}

/*
 * What a bin served since the last look says what it needs: three quarters of
 * what it holds beyond that go back, and a bin that served nothing may hold
 * half as much from now on.
 */
static void trim_bin(struct cache *cache, unsigned size_class)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	struct cache_bin_account *account = &cache->accounts[size_class];
	uint64_t served = cache_served(bin) - account->served_at_trim;
	unsigned count = cache_count(bin), excess;

	account->served_at_trim = cache_served(bin);
	if (count <= served)
		return;
	excess = count - (unsigned)served;
	flush_bin(cache, size_class, count - (excess - excess / 4), false);
	if (!served && bin->limit > FIRST_CAPACITY)
		bin->limit /= 2;
}

void cache_trim(struct cache *cache, struct arena *arena)
{
	unsigned i;

	for (i = 0; i < TRIM_BINS && cache->class_count; i++) {
		unsigned size_class = cache->trim_next % cache->class_count;

		cache->trim_next = size_class + 1;
		trim_bin(cache, size_class);
		publish_bin(cache, size_class, arena);
	}
}

size_t cache_bytes(const struct cache *cache)
{
	size_t bytes = 0;
	unsigned i;

	for (i = 1; i <= CACHED_CLASSES; i++)
		bytes += cache_count(&cache->bins[i]) *
			 (size_t)cache->bins[i].bytes;
	return bytes + large_cache_bytes(&cache->large);
}

void cache_publish(struct cache *cache, struct arena *arena)
{
	unsigned i;

	for (i = 0; i < CACHED_CLASSES; i++)
		publish_bin(cache, i, arena);
	large_cache_publish(&cache->large, arena);
}
