/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's cache and its books: what the fast paths count agrees with what
 * was asked for, limits hold, idle bins are trimmed, and what the program is
 * told (thread.allocated and so on) adds up.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <errno.h>
#include <stdlib.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/slab.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

#define MANY 5000
#define SIZE 64

static void *objects[MANY];
static struct thread *thread;
static unsigned size_class;

static struct thread_stats *row(void)
{
	heap_publish();
	return ledger_thread_stats(thread->prof.ledger_row);
}

static void test_counts(void)
{
	struct class_stats *class =
		ledger_class(heap_thread_arena(thread), size_class);
	struct thread_stats before = *row(), after;
	uint64_t requests = class->nrequests;
	unsigned i;

	for (i = 0; i < MANY; i++)
		objects[i] = malloc(SIZE);
	after = *row();
	is_uint(after.nmalloc - before.nmalloc, MANY, "each malloc is counted");
	is_uint(after.allocated - before.allocated, MANY * SIZE,
		"and its bytes");
	is_uint(class->nrequests - requests, MANY, "also in its class");
	for (i = 0; i < MANY; i++)
		free(objects[i]);
	after = *row();
	is_uint(after.ndalloc - before.ndalloc, MANY, "each free is counted");
	is_uint(after.deallocated - before.deallocated, MANY * SIZE,
		"and its bytes");
}

static void test_limit(void)
{
	const struct cache_bin *bin = cache_bin(&thread->cache, size_class);

	ok(cache_count(bin) <= bin->limit && bin->limit <= bin->capacity,
	   "the cache holds no more than its limit");
	ok(cache_bytes(&thread->cache) <= (size_t)4 << 20,
	   "and not much in all");
	heap_thread_flush(thread);
	is_uint(cache_bytes(&thread->cache), 0, "a flush empties it");
}

static void test_books(void)
{
	struct class_stats *class =
		ledger_class(heap_thread_arena(thread), size_class);
	uint64_t in_use = class->nmalloc - class->ndalloc;
	void *one = malloc(SIZE);

	heap_thread_flush(thread);
	is_uint(class->nmalloc - class->ndalloc, in_use + 1,
		"after a flush the class has what the program holds");
	free(one);
	heap_thread_flush(thread);
	is_uint(class->nmalloc - class->ndalloc, in_use, "and lets go of it");
}

static void test_trim(void)
{
	const struct cache_bin *bin = cache_bin(&thread->cache, size_class);
	unsigned i, before;

	for (i = 0; i < MANY; i++)
		objects[i] = malloc(SIZE);
	for (i = 0; i < MANY; i++)
		free(objects[i]);
	before = cache_count(bin);
	/*
	 * Two rounds of another class's events: one to note, one to trim; of
	 * those of large objects, one in 16 counts.
	 */
	for (i = 0; i < 200 * 16; i++)
		free(malloc((size_t)1 << 20));
	ok(before > 0 && cache_count(bin) < before / 2 + 1,
	   "an idle bin is trimmed");
}

static void test_order(void)
{
	void *first = malloc(SIZE), *second = malloc(SIZE), *third;

	free(first);
	third = malloc(SIZE);
	ok(third == first && third != second, "what was freed last is warm");
	free(second);
	free(third);
}

static void test_off(void)
{
	void *a;

	heap_thread_enable_cache(thread, false);
	ok(!heap_thread_cache_enabled(thread), "the cache can be turned off");
	a = malloc(SIZE);
	free(a);
	is_uint(cache_bytes(&thread->cache), 0, "then it holds nothing");
	heap_thread_enable_cache(thread, true);
	a = malloc(SIZE);
	free(a);
	ok(cache_bytes(&thread->cache) > 0, "and on again");
}

static void test_move(void)
{
	unsigned mine = heap_thread_arena(thread), other = 0;
	unsigned index = heap_arena_create(NULL);
	void *ptr;

	heap_thread_set_arena(thread, heap_arena(index));
	ptr = malloc(SIZE);
	ok(heap_arena_of(ptr, &other) && other == index,
	   "a thread moved to another arena allocates there");
	is_uint(ledger_arena(index)->nthreads, 1, "and is counted there");
	free(ptr);
	heap_thread_set_arena(thread, heap_arena(mine));
	is_uint(ledger_arena(index)->small_allocated, 0,
		"moved back, it leaves nothing");
	is_uint(ledger_arena(index)->nthreads, 0, "nor itself");
}

static pthread_barrier_t barrier;

static void *be_there(void *unused)
{
	free(malloc(SIZE));
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return unused;
}

/* What waits in the exchange is of other arenas, and stays theirs. */
static void test_move_past_exchange(void)
{
	unsigned mine = heap_thread_arena(thread), other = mine;
	unsigned index = heap_arena_create(NULL);
	pthread_t second;
	void *left, *ptr;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&second, NULL, be_there, NULL);
	pthread_barrier_wait(&barrier);
	left = arena_allocate_small(heap_arena(mine), size_class);
	ok(exchange_put(0, size_class, &left, 1), "two threads may exchange");
	heap_thread_set_arena(thread, heap_arena(index));
	ptr = malloc(SIZE);
	ok(heap_arena_of(ptr, &other) && other == index,
	   "but a thread of a created arena takes nothing from there");
	ok(!thread->cache.exchanges, "and leaves nothing");
	free(ptr);
	heap_thread_set_arena(thread, heap_arena(mine));
	ok(thread->cache.exchanges, "until it is back");
	heap_thread_flush(thread);
	pthread_barrier_wait(&barrier);
	pthread_join(second, NULL);
	pthread_barrier_destroy(&barrier);
}

/* The most that the bin held while many objects came and went. */
static unsigned most_held(size_t size)
{
	const struct cache_bin *bin =
		cache_bin(&thread->cache, size_class_of(size));
	unsigned i, round, most = 0;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < MANY / 10; i++)
			objects[i] = malloc(size);
		for (i = 0; i < MANY / 10; i++) {
			free(objects[i]);
			if (cache_count(bin) > most)
				most = cache_count(bin);
		}
	}
	return most;
}

static unsigned bound_of(size_t size)
{
	size_t bound = 99999, bytes = sizeof(bound);

	mallctl("thread.tcache.ncached_max.read_sizeclass", &bound, &bytes,
		&size, sizeof(size));
	return (unsigned)bound;
}

static int set_bounds(const char *text)
{
	return mallctl("thread.tcache.ncached_max.write", NULL, NULL, &text,
		       sizeof(text));
}

static void test_bounds(void)
{
	unsigned usual = most_held(SIZE);

	is_uint(bound_of(SIZE), usual, "a bin comes to hold its bound");
	ok(usual > 10, "which is enough to be worth it");
	is_int(set_bounds("60-64:300|300-400:0"), 0, "bounds can be set");
	is_uint(bound_of(SIZE), 300, "for a range");
	is_uint(most_held(SIZE), 300, "a larger one is made use of");
	is_uint(bound_of(350), 0, "and for another");
	is_uint(most_held(350), 0, "of which nothing is kept any more");
	ok(bound_of(1100) > 0, "but beyond it something is");
	is_int(set_bounds("64-64:5"), 0, "a bound may be lowered");
	ok(cache_count(cache_bin(&thread->cache, size_class)) <= 5,
	   "what is above goes back");
	is_uint(most_held(SIZE), 5, "and does not come again");
	is_int(set_bounds("64-64:9999999"), 0, "too large a bound");
	is_uint(bound_of(SIZE), 8191, "becomes the largest");
	heap_thread_enable_cache(thread, false);
	is_uint(bound_of(SIZE), 0, "without a cache there is none");
	is_int(set_bounds("64-64:7"), ENOENT, "nor can it be set");
	heap_thread_enable_cache(thread, true);
	is_uint(bound_of(SIZE), 8191, "it outlives the cache");
	is_int(set_bounds("64-64:128"), 0, "and back");
}

static void test_bad_bounds(void)
{
	static const char *const bad[] = {
		"64",
		"64-64",
		"64-64:",
		"64-64:7|",
		"64-64:7,1-2:3",
		" 64-64:7",
		"-64:7",
		"64:7",
		"64-64:7|64-64:7|x",
		"a-b:c",
		"64-64:7 ",
		"0x40-64:7",
		"99999999999999999999-99999999999999999999:1"};
	static char longest[1200];
	size_t too_large = ((size_t)8 << 20) + 1, bound, bytes = sizeof(bound);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(set_bounds(bad[i]) == EINVAL, "refused: '%s'", bad[i]);
	is_int(set_bounds(NULL), EINVAL, "nor NULL");
	while (strlen(longest) < 1100)
		strcat(longest, longest[0] ? "|64-64:7" : "64-64:7");
	is_int(set_bounds(longest), EINVAL, "nor without end");
	is_uint(bound_of(SIZE), 128, "and nothing was set");
	is_int(set_bounds(""), 0, "no bounds are none");
	is_int(set_bounds("9000000-9999999:1|128-64:1"), 0,
	       "empty ranges are passed over");
	is_int(mallctl("thread.tcache.ncached_max.read_sizeclass", &bound,
		       &bytes, &too_large, sizeof(too_large)),
	       EINVAL, "there is no bin for what is larger than all");
}

static size_t set_max(size_t max)
{
	size_t old = 0, bytes = sizeof(old);

	ok(!mallctl("thread.tcache.max", &old, &bytes, &max, sizeof(max)),
	   "thread.tcache.max to %zu", max);
	return old;
}

static void test_max(void)
{
	size_t usual = set_max(1000), bytes = sizeof(usual), now;

	is_uint(usual, (size_t)4 << 20, "it was as the option says");
	is_uint(cache_bytes(&thread->cache), 0, "and the cache is empty");
	mallctl("thread.tcache.max", &now, &bytes, NULL, 0);
	is_uint(now, 1024, "it is that of the class");
	is_uint(most_held(1100), 0, "larger objects are not cached");
	is_uint(bound_of(1100), 0, "and have no bound");
	free(malloc((size_t)100 << 10));
	is_uint(large_cache_bytes(&thread->cache.large), 0,
		"nor are those of many pages");
	free(malloc(1024));
	ok(cache_bytes(&thread->cache) >= 1024, "but that is");
	heap_thread_enable_cache(thread, false);
	heap_thread_enable_cache(thread, true);
	is_uint(set_max((size_t)1 << 30), 1024, "a new cache has it too");
	is_uint(set_max(usual), (size_t)8 << 20, "8 MiB is the most");
	free(malloc((size_t)100 << 10));
	ok(large_cache_bytes(&thread->cache.large) > 0 && bound_of(1100) > 0,
	   "and with it as before, all is");
}

/* What a thread that only frees comes to hold of a class of pages. */
static void test_frees_of_pages(void)
{
	struct cache_bin *bin =
		cache_bin(&thread->cache, size_class_of(24 << 10));
	unsigned most = 0;

	heap_thread_flush(thread);
	for (unsigned i = 0; i < 1000; i++) {
		free(mallocx(24 << 10, MALLOCX_TCACHE_NONE));
		if (cache_count(bin) > most)
			most = cache_count(bin);
	}
	is_uint(most, 4, "who only frees holds half as many pages");
	heap_thread_flush(thread);
}

/* Options as conf.c would set them. */
static void test_options(void)
{
	const unsigned class = size_class_of(250);
	struct cache_bin *bin = cache_bin(&thread->cache, class);
	unsigned usual;

	/* Whatever else the machine is at. */
	container_scale = CONTAINER_FULL_SCALE;
	usual = bound_of(250);
	opt.tcache_nslots_small_max = 10;
	is_uint(bound_of(250), 10, "no more than tcache_nslots_small_max");
	opt.tcache_nslots_small_max = 256;
	opt.lg_tcache_nslots_mul = 0;
	is_uint(bound_of(1024), 16, "half the bytes by lg_tcache_nslots_mul");
	opt.lg_tcache_nslots_mul = 2;
	is_uint(bound_of(1024), 64, "and twice as many");
	opt.lg_tcache_nslots_mul = 1;
	opt.tcache_nslots_small_min = 40;
	is_uint(bound_of(1024), 40, "no less than tcache_nslots_small_min");
	opt.tcache_nslots_small_min = 4;
	is_uint(bound_of(24 << 10), 8, "of pages there are eight");
	opt.tcache_nslots_large = 12;
	is_uint(bound_of(24 << 10), 12, "tcache_nslots_large of pages");
	opt.tcache_nslots_large = 8;
	container_scale = CONTAINER_FULL_SCALE / 2;
	is_uint(bound_of(250), usual / 2, "half of it in a small container");
	is_uint(bound_of(24 << 10), 4, "of pages too");
	container_scale = CONTAINER_FULL_SCALE;
	is_uint(bound_of(250), usual, "and all again");

	most_held(250);
	while (cache_count(bin) < bin->limit)
		cache_give(&thread->cache, class,
			   arena_allocate_small(thread->arena, class));
	opt.lg_tcache_flush_small_div = 3;
	cache_give(&thread->cache, class,
		   arena_allocate_small(thread->arena, class));
	is_uint(cache_count(bin), bin->limit - bin->limit / 8 + 1,
		"an eighth is flushed by lg_tcache_flush_small_div");
	opt.lg_tcache_flush_small_div = 1;
}

static unsigned trims_left(unsigned rounds)
{
	while (rounds--)
		cache_trim(&thread->cache, thread->arena);
	return cache_count(cache_bin(&thread->cache, size_class_of(200)));
}

static void test_delay(void)
{
	unsigned all = CACHED_CLASSES / 4 + 1, full;

	most_held(200);
	trims_left(all); /* notes what was served */
	most_held(200);
	full = cache_count(cache_bin(&thread->cache, size_class_of(200)));
	opt.tcache_gc_delay_bytes = (size_t)full * 208 * 8 + 1;
	trims_left(all); /* was in use */
	is_uint(trims_left(all * 2), full,
		"what is left over waits for tcache_gc_delay_bytes");
	ok(trims_left(all * 10) < full, "and goes after them");

	most_held(200);
	opt.tcache_gc_delay_bytes = (size_t)UINT32_MAX + 1;
	full = trims_left(all);
	thread->cache.accounts[size_class_of(200)].waited = UINT32_MAX / 208;
	ok(trims_left(all * 2) < full, "even where that is 4 GiB");
	opt.tcache_gc_delay_bytes = 0;
}

static void test_incr(void)
{
	const struct cache_bin *idle =
		cache_bin(&thread->cache, size_class_of(200));
	unsigned i, full;

	most_held(200);
	full = cache_count(idle);
	opt.tcache_gc_incr_bytes = (size_t)1 << 40;
	for (i = 0; i < 64 << 10; i++)
		free(malloc(1024));
	is_uint(cache_count(idle), full, "no trim before tcache_gc_incr_bytes");
	opt.tcache_gc_incr_bytes = 16 << 10;
	thread_look_soon(thread);
	for (i = 0; i < 1024; i++)
		free(malloc(1024));
	ok(cache_count(idle) < full, "and in 1 MiB several after them");
	opt.tcache_gc_incr_bytes = 0;
}

enum { FEW = 200 };

/* Returns the bytes in its cache once it has allocated a little and freed it.
 */
static void *do_little(void *rounds)
{
	size_t left = (size_t)rounds;
	void *few[FEW];

	while (left--) {
		for (size_t i = 0; i < FEW; i++)
			few[i] = malloc(8 + i * 1237 % 1000);
		for (size_t i = 0; i < FEW; i++)
			free(few[i]);
	}
	return (void *)cache_bytes(&thread_get()->cache);
}

static size_t held_after(size_t rounds)
{
	pthread_t young;
	void *held = NULL;

	pthread_create(&young, NULL, do_little, (void *)rounds);
	pthread_join(young, &held);
	return (size_t)held;
}

static void test_young(void)
{
	size_t little = held_after(1), much = held_after(100);

	ok(little > 0 && little < 40 << 10,
	   "of the 100 KiB that a new thread freed its cache holds %zu bytes",
	   little);
	ok(much > little, "and more as it goes on: %zu", much);
}

enum { WIDE = 512, FULL_BYTES = 32 << 10 };

static size_t most_of(size_t most)
{
	const struct thread *own = thread_get();
	size_t bytes = cache_bytes(&own->cache);

	return bytes > most ? bytes : most;
}

/* The most bytes in its cache meanwhile; and so of the next ones. */
static void *take_many(void *unused)
{
	size_t most = 0;

	(void)unused;
	for (unsigned i = 0; i < MANY; i++) {
		objects[i] = malloc(WIDE);
		most = most_of(most);
	}
	return (void *)most;
}

static void *free_many(void *unused)
{
	size_t most = 0;

	(void)unused;
	for (unsigned i = 0; i < MANY; i++) {
		free(objects[i]);
		most = most_of(most);
	}
	return (void *)most;
}

static void *take_and_free(void *unused)
{
	size_t most = 0, now;

	for (unsigned i = 0; i < 4; i++) {
		now = (size_t)take_many(unused);
		most = now > most ? now : most;
		now = (size_t)free_many(unused);
		most = now > most ? now : most;
	}
	return (void *)most;
}

static size_t in_thread(void *(*run)(void *))
{
	pthread_t thread_of;
	void *most = NULL;

	pthread_create(&thread_of, NULL, run, NULL);
	pthread_join(thread_of, &most);
	return (size_t)most;
}

static void test_one_way(void)
{
	size_t takes = in_thread(take_many), frees = in_thread(free_many);
	size_t both = in_thread(take_and_free);

	ok(takes > 0 && takes <= FULL_BYTES / 2,
	   "who only takes holds %zu bytes at most", takes);
	ok(frees > 0 && frees <= FULL_BYTES / 4, "who only frees %zu", frees);
	ok(both > FULL_BYTES / 2 && both <= FULL_BYTES, "who does both %zu",
	   both);
}

/* Reads the words, no control, between the calls. */
static void test_words(void)
{
	volatile uint64_t *word = NULL;
	size_t bytes = sizeof(word);
	uint64_t before, told;

	mallctl("thread.allocatedp", &word, &bytes, NULL, 0);
	before = *word;
	free(malloc((size_t)1 << 20));
	is_uint(*word - before, (size_t)1 << 20,
		"a slow call brings the word of thread.allocatedp up to date");
	free(malloc(SIZE));
	free(malloc(SIZE));
	bytes = sizeof(told);
	mallctl("thread.allocated", &told, &bytes, NULL, 0);
	is_uint(told - before, ((size_t)1 << 20) + (size_t)2 * SIZE,
		"reading thread.allocated has all");
	is_uint(*word, told, "and so does the word then");
}

/* What a thread that does little takes shares no line with another's. */
static void *take_whole_lines(void *unused)
{
	static const size_t sizes[] = {8, 16, 32};

	for (unsigned i = 0; i < 3; i++) {
		unsigned class = size_class_of(sizes[i]);
		void *volatile object = malloc(sizes[i]);
		const struct cache_bin *bin =
			cache_bin(&thread_get()->cache, class);

		ok((cache_count(bin) + 1) % slab_group(class) == 0,
		   "a first fill of %zu bytes is of whole lines", sizes[i]);
		free(object);
	}
	return unused;
}

static void test_whole_lines(void)
{
	pthread_t id;

	pthread_create(&id, NULL, take_whole_lines, NULL);
	pthread_join(id, NULL);
}

int main(void)
{
	free(malloc(1));
	thread = thread_get();
	size_class = size_class_of(SIZE);
	plan(99);
	test_whole_lines();
	test_counts();
	test_limit();
	test_books();
	test_trim();
	test_order();
	test_off();
	test_move();
	test_move_past_exchange();
	test_bounds();
	test_bad_bounds();
	test_max();
	test_frees_of_pages();
	test_options();
	test_delay();
	test_incr();
	test_young();
	test_one_way();
	test_words();
	return done_testing();
}
