/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Created arenas over their lives: what reset and destroy free and forget,
 * what statistics remain, whose objects caches hold, and what is refused.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"

/* Every object of 64 KiB and more is a sample, and many smaller ones. */
const char *malloc_conf = "lg_prof_sample:10,narenas:1,dirty_decay_ms:-1";

/* %u in the name stands for the index. */
static uint64_t get(const char *format, unsigned index)
{
	const char *mark = strstr(format, "%u");
	char name[96];
	uint64_t value = 0;
	size_t length = 8;

	if (mark)
		snprintf(name, sizeof(name), "%.*s%u%s", (int)(mark - format),
			 format, index, mark + 2);
	else
		snprintf(name, sizeof(name), "%s", format);
	if (mallctl(name, &value, &length, NULL, 0) == EINVAL)
		mallctl(name, &value, &length, NULL, 0);
	return value;
}

static int act(const char *action, unsigned index)
{
	char name[96];

	snprintf(name, sizeof(name), "arena.%u.%s", index, action);
	return mallctl(name, NULL, NULL, NULL, 0);
}

static unsigned make_arena(void)
{
	unsigned index = 0;
	size_t length = sizeof(index);

	mallctl("arenas.create", &index, &length, NULL, 0);
	return index;
}

static unsigned arena_of(void *object)
{
	unsigned index = 0;
	size_t length = sizeof(index);

	mallctl("arenas.lookup", &index, &length, &object, sizeof(object));
	return index;
}

static uint64_t live_samples(void)
{
	prof_publish();
	return ledger_get(&ledger_process()->prof_samples_live);
}

#define OBJECTS 3000u

static void *objects[OBJECTS];

/* Full slabs, half-empty ones and large objects. */
static void populate(unsigned index)
{
	int flags = MALLOCX_ARENA(index) | MALLOCX_TCACHE_NONE;

	for (unsigned i = 0; i < OBJECTS; i++)
		objects[i] = mallocx(i % 50 ? 16 + i % 3000 : 70000, flags);
	for (unsigned i = 0; i < OBJECTS; i += 7)
		dallocx(objects[i], flags);
}

static void test_reset(void)
{
	uint64_t before = live_samples(), space;
	unsigned index = make_arena();
	void *object;

	populate(index);
	ok(live_samples() > before, "objects of the arena are sampled");
	ok(get("stats.arenas.%u.small.allocated", index) > 0 &&
		   get("stats.arenas.%u.large.allocated", index) > 0,
	   "and counted");
	is_int(act("reset", index), 0, "it is reset");
	is_uint(live_samples(), before, "its samples are forgotten");
	ok(get("stats.arenas.%u.small.allocated", index) == 0 &&
		   get("stats.arenas.%u.large.allocated", index) == 0 &&
		   get("stats.arenas.%u.pactive", index) == 0,
	   "nothing is allocated");
	ok(get("stats.arenas.%u.small.nmalloc", index) ==
			   get("stats.arenas.%u.small.ndalloc", index) &&
		   get("stats.arenas.%u.large.nmalloc", index) ==
			   get("stats.arenas.%u.large.ndalloc", index),
	   "as much was freed as was made");
	ok(get("stats.arenas.%u.bins.0.curslabs", index) == 0 &&
		   get("stats.arenas.%u.bins.9.nonfull_slabs", index) == 0,
	   "no slab is left");
	space = get("stats.arenas.%u.mapped", index) +
		get("stats.arenas.%u.retained", index);
	populate(index);
	ok(get("stats.arenas.%u.mapped", index) +
			   get("stats.arenas.%u.retained", index) <=
		   space,
	   "what it had is used again");
	act("reset", index);
	object = mallocx(100, MALLOCX_ARENA(index));
	ok(object && arena_of(object) == index, "it can be used on");
	is_int(act("reset", 0), EFAULT, "an automatic arena cannot be reset");
	is_int(act("destroy", index), 0, "it is destroyed with what it has");
}

static void test_destroy(void)
{
	uint64_t mapped = get("stats.mapped", 0), nmalloc;
	unsigned index = make_arena(), other = make_arena(), again;
	uint64_t count = get("arenas.narenas", 0);
	char name[32] = "", *to = name;
	size_t length = sizeof(to);

	populate(index);
	nmalloc = get("stats.arenas.%u.small.nmalloc", index);
	count = get("stats.arenas.4097.small.nmalloc", 0);
	is_int(act("destroy", index), 0, "an arena is destroyed");
	ok(get("stats.mapped", 0) <= mapped, "its address space is gone");
	ok(!get("arena.%u.initialized", index), "it is not initialized");
	ok(act("destroy", index) == EFAULT && act("reset", index) == EFAULT,
	   "nor can it be destroyed or reset again");
	ok(mallocx(10, MALLOCX_ARENA(index)) == NULL, "nor allocated from");
	is_uint(get("stats.arenas.4097.small.nmalloc", 0), count + nmalloc,
		"its counts are those of destroyed arenas");
	again = make_arena();
	is_uint(again, index, "its index is the next one's");
	ok(get("arena.%u.initialized", again) &&
		   get("stats.arenas.%u.small.nmalloc", again) == 0 &&
		   get("stats.arenas.%u.pactive", again) == 0,
	   "which starts at nothing");
	mallctl("arena.1.name", &to, &length, NULL, 0);
	is_string(name, "manual_1", "with a name of its own");
	act("destroy", other);
	act("destroy", again);
	ok(make_arena() == other && make_arena() == again,
	   "first destroyed, first used again");
	act("destroy", other);
	act("destroy", again);
}

static void test_assigned(void)
{
	unsigned index = make_arena(), zero = 0;
	void *object;

	mallctl("thread.arena", NULL, NULL, &index, sizeof(index));
	object = malloc(100);
	is_uint(arena_of(object), index, "a thread allocates from its arena");
	is_int(act("destroy", index), EFAULT, "which then stays");
	free(object);
	mallctl("thread.arena", NULL, NULL, &zero, sizeof(zero));
	is_int(act("destroy", index), 0, "until the thread has left it");
}

/* Do n new objects, made by another thread, come from the arena? */
struct search {
	unsigned arena;
	unsigned found;
};

static void *search(void *argument)
{
	struct search *s = argument;
	void *made[500];

	for (unsigned i = 0; i < 500; i++)
		made[i] = malloc(200);
	for (unsigned i = 0; i < 500; i++) {
		s->found += arena_of(made[i]) == s->arena;
		free(made[i]);
	}
	return NULL;
}

/* Samples lie in slabs of their own, and in no cache. */
static void set_sampling(bool on)
{
	mallctl("prof.active", NULL, NULL, &on, sizeof(on));
}

/* What a created arena gave to a cache goes back to it, and to nobody else. */
static void test_caches(void)
{
	unsigned index = make_arena(), cache = 0, zero = 0;
	size_t length = sizeof(cache);
	struct search s = {.arena = index};
	void *made[500], *object, *same;
	pthread_t thread;
	int flags;

	mallctl("tcache.create", &cache, &length, NULL, 0);
	flags = MALLOCX_ARENA(index) | MALLOCX_TCACHE(cache);
	set_sampling(false);
	object = mallocx(100, flags);
	is_uint(arena_of(object), index, "an explicit cache fills from it");
	dallocx(object, MALLOCX_TCACHE(cache));
	same = mallocx(100, flags);
	set_sampling(true);
	ok(same == object, "and takes back what it gave");
	dallocx(same, MALLOCX_TCACHE(cache));
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 500; i++)
			made[i] = mallocx(200, flags);
		for (unsigned i = 0; i < 500; i++)
			dallocx(made[i], MALLOCX_TCACHE(cache));
	}
	mallctl("thread.arena", NULL, NULL, &index, sizeof(index));
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 500; i++)
			made[i] = malloc(200);
		for (unsigned i = 0; i < 500; i++)
			free(made[i]);
	}
	mallctl("thread.arena", NULL, NULL, &zero, sizeof(zero));
	pthread_create(&thread, NULL, search, &s);
	pthread_join(thread, NULL);
	search(&s);
	is_uint(s.found, 0, "no other cache gets hold of its objects");
	mallctl("tcache.flush", NULL, NULL, &cache, sizeof(cache));
	is_uint(get("stats.arenas.%u.small.allocated", index), 0,
		"flushed, the cache holds nothing of it");
	mallctl("tcache.destroy", NULL, NULL, &cache, sizeof(cache));
	is_int(act("destroy", index), 0, "and it can go");
}

static void *run_cache(void *argument)
{
	int flags = MALLOCX_TCACHE(*(unsigned *)argument);

	for (unsigned i = 0; i < OBJECTS; i++)
		objects[i] = mallocx(16 + i % 1000, flags);
	for (unsigned i = 0; i < OBJECTS; i++)
		dallocx(objects[i], flags);
	return NULL;
}

/* More caches than a few; one outlives the thread that used it. */
static void test_many_caches(void)
{
	uint64_t before = get("stats.allocated", 0), after;
	size_t length = sizeof(unsigned);
	unsigned made = 0, cache, last = 0;
	pthread_t thread;

	while (mallctl("tcache.create", &cache, &length, NULL, 0) == 0 &&
	       made < 1000) {
		last = cache;
		made++;
	}
	is_uint(made, 1000, "a thousand caches are made");
	pthread_create(&thread, NULL, run_cache, &last);
	pthread_join(thread, NULL);
	run_cache(&last);
	for (cache = 0; cache <= last; cache++)
		made -= mallctl("tcache.destroy", NULL, NULL, &cache,
				sizeof(cache)) == 0;
	/* One was made beyond the thousand. */
	cache = last + 1;
	mallctl("tcache.destroy", NULL, NULL, &cache, sizeof(cache));
	is_uint(made, 0, "and destroyed");
	after = get("stats.allocated", 0);
	ok(after < before + (64 << 10), "with what they held");
}

static void test_limits(void)
{
	unsigned index = make_arena();
	size_t bytes = 1 << 20, old = 0, length = sizeof(old);
	char name[64];
	void *object;

	snprintf(name, sizeof(name), "arena.%u.oversize_threshold", index);
	is_int(mallctl(name, NULL, NULL, &bytes, sizeof(bytes)), 0,
	       "a limit is set for large free runs");
	object = mallocx(3 << 20, MALLOCX_ARENA(index));
	memset(object, 1, 3 << 20);
	dallocx(object, MALLOCX_TCACHE_NONE);
	is_uint(get("stats.arenas.%u.pdirty", index), 0,
		"beyond which they go back at once");
	object = mallocx(500 << 10, MALLOCX_ARENA(index));
	memset(object, 1, 500 << 10);
	dallocx(object, MALLOCX_TCACHE_NONE);
	ok(get("stats.arenas.%u.pdirty", index) > 0, "and others do not");
	snprintf(name, sizeof(name), "arena.%u.retain_grow_limit", index);
	bytes = 100000;
	ok(mallctl(name, &old, &length, &bytes, sizeof(bytes)) == 0 &&
		   old > bytes && get(name, 0) == (100000 & ~4095ul),
	   "growth is limited, in pages");
	bytes = 100;
	is_int(mallctl(name, NULL, NULL, &bytes, sizeof(bytes)), EFAULT,
	       "but not to less than one");
	act("destroy", index);
}

/* As jemalloc documents what its controls fill in. */
struct verbose {
	void *current;
	size_t free, regions, bytes, class_free, class_regions;
};

static void test_utilization(void)
{
	unsigned index = make_arena();
	struct verbose v;
	size_t length = sizeof(v), brief[3][3], brief_length = sizeof(brief);
	int flags = MALLOCX_ARENA(index) | MALLOCX_TCACHE_NONE;
	void *small = mallocx(100, flags), *large = mallocx(100000, flags);
	void *other = mallocx(100, flags);
	void *asked[3] = {small, large, &v};

	is_int(mallctl("experimental.utilization.query", &v, &length, &small,
		       sizeof(small)),
	       0, "an object's slab is asked for");
	ok(v.regions > 2 && v.free == v.regions - 2 &&
		   v.class_regions == v.regions && v.class_free == v.free &&
		   v.bytes >= v.regions * 100 &&
		   (uintptr_t)small - (uintptr_t)v.current < v.bytes,
	   "and is as full as it is");
	dallocx(other, flags);
	is_int(mallctl("experimental.utilization.batch_query", brief,
		       &brief_length, asked, sizeof(asked)),
	       0, "many are asked for");
	ok(brief[0][0] == v.free + 1 && brief[0][1] == v.regions &&
		   brief[0][2] == v.bytes && brief[1][0] == 0 &&
		   brief[1][1] == 1 && brief[1][2] == sallocx(large, 0) &&
		   brief[2][0] + brief[2][1] + brief[2][2] == 0,
	   "small ones, large ones, and what is none");
	act("destroy", index);
}

int main(void)
{
	void *pointers[100];
	struct {
		void **pointers;
		size_t count, size;
		int flags;
	} batch = {pointers, 100, 64, MALLOCX_ZERO};
	size_t made = 0, length = sizeof(made);

	plan(11 + 10 + 3 + 5 + 3 + 5 + 4 + 1);
	test_reset();
	test_destroy();
	test_assigned();
	test_caches();
	test_many_caches();
	test_limits();
	set_sampling(false);
	test_utilization();
	set_sampling(true);
	ok(mallctl("experimental.batch_alloc", &made, &length, &batch,
		   sizeof(batch)) == 0 &&
		   made == 100 && sallocx(pointers[99], 0) >= 64,
	   "a batch is allocated");
	for (unsigned i = 0; i < made; i++)
		free(pointers[i]);
	return done_testing();
}
