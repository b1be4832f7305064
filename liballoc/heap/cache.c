/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling, flushing and trimming of caches. Owns the stacks of pointers, which
 * begin small and grow with use, so that an idle thread costs little.
 */
#include "config.h"

#include "liballoc/heap/cache.h"

#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/slab.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/safety/report.h"

/*
 * A bin may hold this much, but some objects at least; more than a few dozen
 * objects save next to no trips to the arena (opt.tcache_nslots_*).
 */
#define FIRST_CAPACITY 8u /* whole lines of the smallest: slab_group() */
#define FIRST_BYTES ((size_t)1 << 10)
/* What all bins may come to hold beyond their first objects. */
#define YOUNG_BYTES ((size_t)16 << 10)
#define MOVED_PER_BYTE 8u
#define MAX_BIN_BYTES ((size_t)32 << 10)
#define TRIM_BINS 4u
/* Fills of a bin, without any flush, that say that others free. */
#define MANY_FILLS 4u

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

/* Parts of 256 of the objects and of their bytes. The least holds anyway. */
static unsigned capacity_for(unsigned size_class, unsigned part,
			     unsigned bytes_part)
{
	bool small = size_class_is_small(size_class);
	unsigned least = small ? opt.tcache_nslots_small_min : 1;
	size_t objects =
		small ? opt.tcache_nslots_small_max : opt.tcache_nslots_large;
	size_t bytes =
		opt.lg_tcache_nslots_mul > 0
			? MAX_BIN_BYTES << (opt.lg_tcache_nslots_mul - 1)
			: MAX_BIN_BYTES >> (1 - opt.lg_tcache_nslots_mul);
	size_t fitting = bytes * bytes_part / CONTAINER_FULL_SCALE /
			 size_classes[size_class].bytes;

	objects = objects * part / CONTAINER_FULL_SCALE;
	if (small && fitting < objects)
		objects = fitting;
	return objects < least ? least : (unsigned)objects;
}

/* Less where memory is short; but what the program asks for it gets. */
static unsigned max_capacity(const struct cache *cache, unsigned size_class)
{
	unsigned scale = __atomic_load_n(&container_scale, __ATOMIC_RELAXED);

	if (cache->accounts[size_class].bounded)
		return cache->accounts[size_class].most;
	return capacity_for(size_class, scale, scale);
}

/*
 * Of a bin from which nothing is taken, since others allocate. Where nothing
 * ever was, what it holds serves nobody.
 */
static unsigned max_idle_capacity(struct cache *cache, unsigned size_class)
{
	unsigned scale = __atomic_load_n(&container_scale, __ATOMIC_RELAXED);
	bool served = cache_served(cache_bin(cache, size_class)) != 0;

	if (cache->accounts[size_class].bounded)
		return (cache->accounts[size_class].most + 1) / 2;
	return capacity_for(size_class, scale / 2,
			    served ? scale / 2 : scale / 4);
}

unsigned cache_bound(struct cache *cache, unsigned size_class)
{
	if (size_class >= cache->class_count)
		return 0;
	return max_capacity(cache, size_class);
}

static size_t slots_bytes(unsigned capacity)
{
	return (capacity + (size_t)1) * sizeof(void *);
}

static void set_limit(struct cache *cache, struct cache_bin *bin,
		      unsigned limit)
{
	cache->limit_bytes -= bin->limit * (size_t)bin->bytes;
	cache->limit_bytes += limit * (size_t)bin->bytes;
	bin->limit = (uint16_t)limit;
}

static bool make_slots(struct cache_bin *bin, unsigned capacity)
{
	void **slots = metadata_allocate(slots_bytes(capacity));

	if (!slots)
		return false;
	if (bin->slots) {
		memcpy(slots, bin->slots, slots_bytes(cache_count(bin)));
		metadata_free(bin->slots, slots_bytes(bin->capacity));
	}
	bin->slots = slots;
	bin->capacity = (uint16_t)capacity;
	return true;
}

/*
 * A thread that does little shall not hold much: all bins together may hold a
 * little, and a share of what came and went past them.
 */
static bool has_earned(const struct cache *cache, size_t more)
{
	return cache->limit_bytes + more <=
	       YOUNG_BYTES + cache->moved_bytes / MOVED_PER_BYTE;
}

static unsigned first_limit(const struct cache_bin *bin)
{
	size_t fitting = FIRST_BYTES / bin->bytes;

	return fitting > FIRST_CAPACITY ? FIRST_CAPACITY
	       : fitting		? (unsigned)fitting
					: 1;
}

/* Doubles what the bin may hold, where that is less than most. */
static void grow(struct cache *cache, struct cache_bin *bin, unsigned most)
{
	unsigned wanted = bin->limit ? bin->limit * 2u : first_limit(bin);

	if (bin->limit >= most)
		return;
	if (wanted > most)
		wanted = most;
	if (bin->limit &&
	    !has_earned(cache, (wanted - bin->limit) * (size_t)bin->bytes))
		return;
	if (wanted <= bin->capacity || make_slots(bin, wanted))
		set_limit(cache, bin, wanted);
}

/*
 * While its slots are rearranged a bin has no object and no room: that is what
 * a signal handler finds which calls malloc or free, and is served past it.
 */
static void close_bin(struct cache_bin *bin)
{
	bin->limit = 0;
	bin->word -= cache_count(bin);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void open_bin(struct cache_bin *bin, uint16_t limit, unsigned count)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	bin->word += count;
	bin->limit = limit;
}

static uint64_t unpublished(struct cache *cache, unsigned size_class)
{
	struct cache_bin_account *account = &cache->accounts[size_class];
	uint64_t served = cache_served(cache_bin(cache, size_class));
	uint64_t requests = served - account->served_published;

	account->served_published = served;
	return requests;
}

/*
 * A program that only takes, or only frees, since the last fill or flush is
 * likely to go on, and more objects at a time save trips.
 */
static uint32_t served_since_slow(const struct cache_bin *bin,
				  const struct cache_bin_account *account)
{
	return (uint32_t)cache_served(bin) - account->served_at_slow;
}

static bool only_takes(const struct cache_bin *bin,
		       const struct cache_bin_account *account)
{
	return account->got && served_since_slow(bin, account) <= account->got;
}

static bool only_frees(const struct cache_bin *bin,
		       const struct cache_bin_account *account)
{
	return !account->got && !served_since_slow(bin, account);
}

static void note_slow(const struct cache_bin *bin,
		      struct cache_bin_account *account, unsigned got)
{
	account->served_at_slow = (uint32_t)cache_served(bin);
	account->got = (uint16_t)got;
}

/*
 * All that a bin may hold, for one that only takes; unless all objects, and
 * there were many, went elsewhere, and are many bytes, which others wait for.
 */
static bool takes_all(const struct cache_bin *bin,
		      const struct cache_bin_account *account, unsigned limit)
{
	return only_takes(bin, account) &&
	       (account->flushed || account->filled < MANY_FILLS * limit ||
		limit * bin->bytes <= MAX_BIN_BYTES / 2);
}

static unsigned fill_small(struct cache *cache, unsigned size_class,
			   struct arena *arena, unsigned limit)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	unsigned group = slab_group(size_class);
	unsigned want = limit > 1 ? limit / 2u : 1;
	void **objects = bin->slots + 1;
	unsigned got = 0;
	struct bin *from;

	if (takes_all(bin, &cache->accounts[size_class], limit))
		want = limit;

	want += -want % group;
	if (want > limit)
		want = limit;

	if (cache->exchanges)
		got = exchange_take(cache->lane, size_class, objects, want);
	if (got)
		return got;
	from = arena_bin(arena, size_class);
	got = bin_take(from, objects, want, unpublished(cache, size_class),
		       PAGES_WAITING);
	/* What would serve lies elsewhere, or the process has to grow. */
	if (!got && cache->exchanges && exchange_shrink())
		got = bin_take(from, objects, want, 0, PAGES_WAITING);
	return got ? got : bin_take(from, objects, want, 0, PAGES_ANY);
}

static unsigned fill_large(struct cache *cache, unsigned size_class,
			   struct arena *arena)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	struct extent *extent;

	extent = page_heap_take_large(
		arena, bin->bytes, os_page_bytes, size_class,
		unpublished(cache, size_class), PAGES_ANY);
	if (!extent)
		return 0;
	bin->slots[1] = (void *)extent->base;
	return 1;
}

void *cache_take(struct cache *cache, unsigned size_class, struct arena *arena)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	void *object = cache_pop(bin);
	uint16_t limit;
	unsigned filled;

	if (object)
		return object;
	grow(cache, bin, max_capacity(cache, size_class));
	limit = bin->limit;
	if (!limit)
		return NULL;
	close_bin(bin);
	filled = size_class_is_small(size_class)
			 ? fill_small(cache, size_class, arena, limit)
			 : fill_large(cache, size_class, arena);
	note_slow(bin, &cache->accounts[size_class], filled);
	if (filled)
		bin->top = bin->slots[filled];
	open_bin(bin, limit, filled);
	cache->moved_bytes += filled * (size_t)bin->bytes;
	cache->accounts[size_class].filled += filled;
	cache->accounts[size_class].drained = true;
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

static void give_back(const struct cache *cache, unsigned size_class,
		      void **objects, unsigned count, bool to_exchange)
{
	if (!size_class_is_small(size_class))
		flush_large(objects, count);
	else if (!to_exchange ||
		 !exchange_put(cache->lane, size_class, objects, count))
		arena_free_small(objects, count);
}

/* Gives back the objects that were put in first, but the newest keep. */
static void flush_bin(struct cache *cache, unsigned size_class, unsigned keep,
		      bool to_exchange)
{
	struct cache_bin *bin = cache_bin(cache, size_class);
	unsigned count = cache_count(bin), gone = count - keep;
	uint16_t limit = bin->limit;
	void **oldest;

	if (count <= keep)
		return;
	oldest = bin->slots + 1;
	close_bin(bin);
	cache->accounts[size_class].flushed += count;
	give_back(cache, size_class, oldest, gone, to_exchange);
	memmove(oldest, oldest + gone, keep * sizeof(void *));
	cache->accounts[size_class].flushed -= keep;
	open_bin(bin, limit, keep);
	cache->moved_bytes += gone * (size_t)bin->bytes;
}

void cache_set_bound(struct cache *cache, unsigned size_class, unsigned most)
{
	struct cache_bin_account *account = &cache->accounts[size_class];
	struct cache_bin *bin = cache_bin(cache, size_class);

	account->bounded = true;
	account->most = (uint16_t)most;
	flush_bin(cache, size_class, most, false);
	if (bin->limit > most)
		set_limit(cache, bin, most);
}

/* What of a full bin stays. */
static unsigned kept(const struct cache_bin *bin,
		     const struct cache_bin_account *account,
		     unsigned size_class)
{
	unsigned lg = size_class_is_small(size_class)
			      ? opt.lg_tcache_flush_small_div
			      : opt.lg_tcache_flush_large_div;
	unsigned stay = bin->limit - ((bin->limit + (1u << lg) - 1) >> lg);

	/* What the program asks for it gets. */
	return lg == 1 && only_frees(bin, account) ? stay / 2 : stay;
}

/*
 * Is object among the newest of the bin? It is on its way there now. No branch
 * but one in the end: it is not there.
 */
static void check_double_free(const struct cache_bin *bin, const void *object)
{
	unsigned count = cache_count(bin), i;
	unsigned most = opt.debug_double_free_max_scan;
	unsigned found = 0;

	if (most > count)
		most = count;
	for (i = count - most + 1; i <= count; i++)
		found |= bin->slots[i] == object;
	if (found)
		report_error("double free of", object);
}

bool cache_give(struct cache *cache, unsigned size_class, void *object)
{
	struct cache_bin_account *account;
	struct cache_bin *bin;
	bool drained, first;

	if (size_class >= cache->class_count)
		return false;
	bin = cache_bin(cache, size_class);
	check_double_free(bin, object);
	if (cache_push(bin, object))
		return true;
	/* Emptied and full again: with more room neither had happened. */
	account = &cache->accounts[size_class];
	drained = account->drained;
	first = !bin->limit;
	grow(cache, bin,
	     drained ? max_capacity(cache, size_class)
		     : max_idle_capacity(cache, size_class));
	account->drained = false;
	/* Another thread made the first: it may be on a line with its own. */
	if (!bin->limit || (first && size_class_is_small(size_class)))
		return false;
	if (cache_count(bin) >= bin->limit) {
		flush_bin(cache, size_class, kept(bin, account, size_class),
			  cache->exchanges);
		note_slow(bin, account, 0);
	}
	return cache_push(bin, object);
}

static void publish_bin(struct cache *cache, unsigned size_class,
			struct arena *arena)
{
	uint64_t requests = unpublished(cache, size_class);

	if (!requests)
		return;
	if (size_class_is_small(size_class))
		bin_take(arena_bin(arena, size_class), NULL, 0, requests,
			 PAGES_ANY);
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
	apart_flush(cache->apart);
	apart_publish(cache->apart, arena);
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
		bin->capacity = 0;
		set_limit(cache, bin, 0);
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
	account->waited += excess;
	if (account->waited * (size_t)bin->bytes < opt.tcache_gc_delay_bytes)
		return;
	account->waited = 0;
	flush_bin(cache, size_class, count - (excess - excess / 4), false);
	if (!served && bin->limit > first_limit(bin))
		set_limit(cache, bin, bin->limit / 2u);
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
	apart_trim(cache->apart);
	apart_publish(cache->apart, arena);
}

size_t cache_bytes(const struct cache *cache)
{
	size_t bytes = 0;
	unsigned i;

	for (i = 1; i <= CACHED_CLASSES; i++)
		bytes += cache_count(&cache->bins[i]) *
			 (size_t)cache->bins[i].bytes;
	return bytes + apart_bytes(cache->apart) +
	       large_cache_bytes(&cache->large);
}

void cache_publish(struct cache *cache, struct arena *arena)
{
	unsigned i;

	for (i = 0; i < CACHED_CLASSES; i++)
		publish_bin(cache, i, arena);
	apart_publish(cache->apart, arena);
	large_cache_publish(&cache->large, arena);
}
