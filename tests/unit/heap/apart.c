/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects that are sampled lie in slabs of their own, of all arenas and
 * by all calls, so that the free of no other object is slowed; the slabs serve
 * again, threads keep a few of their regions, and a second free is found.
 */
#include "config.h"

#include "tap/tap.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/heap/apart.h"
#include "liballoc/heap/extent.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

#define OBJECTS 20000u
#define BYTES 200u

/* One object in five is a sample. */
const char *malloc_conf = "lg_prof_sample:10,narenas:1";

static char *objects[OBJECTS];

static bool is_apart(const void *ptr)
{
	uint64_t word = page_map_get((uintptr_t)ptr);

	return !(word & PAGE_LARGE) && page_word_extent(word)->apart;
}

/* Those in slabs apart, or 0 where any lies in the wrong kind of slab. */
static unsigned count_apart(bool is_manual)
{
	unsigned apart = 0;

	for (unsigned i = 0; i < OBJECTS; i++) {
		bool fast = page_class_slot(objects[i]) != 0;

		if (is_apart(objects[i]) != (heap_sample_of(objects[i]) != 0) ||
		    fast == (is_manual || is_apart(objects[i])))
			return 0;
		apart += is_apart(objects[i]);
	}
	return apart;
}

static uint64_t live_samples(void)
{
	prof_publish();
	return ledger_get(&ledger_process()->prof_samples_live);
}

static const struct class_stats *stats(void)
{
	const struct class_stats *rows = ledger_rows(LEDGER_ARENA_CLASSES);

	return &rows[size_class_of(BYTES)];
}

static uint64_t slabs(void)
{
	return ledger_get(&stats()->curslabs);
}

/* Regions that the bin has handed out, to the program and to threads. */
static uint64_t regions_out(void)
{
	return ledger_get(&stats()->nmalloc) - ledger_get(&stats()->ndalloc);
}

static uint64_t requests(void)
{
	mallctl("epoch", NULL, NULL, &(uint64_t){1}, sizeof(uint64_t));
	return ledger_get(&stats()->nrequests);
}

static void free_all(void)
{
	for (unsigned i = 0; i < OBJECTS; i++)
		free(objects[i]);
}

static void test_malloc(void)
{
	uint64_t before = live_samples(), most;
	unsigned apart;

	for (unsigned i = 0; i < OBJECTS; i++)
		objects[i] = malloc(BYTES);
	apart = count_apart(false);
	ok(apart > OBJECTS / 10 && apart < OBJECTS / 3,
	   "%u of %u objects are samples, and lie apart", apart, OBJECTS);
	is_uint(live_samples() - before, apart, "each is counted once");
	most = slabs();
	free_all();
	is_uint(live_samples(), before, "all are forgotten");
	for (unsigned i = 0; i < OBJECTS; i++)
		objects[i] = calloc(1, BYTES);
	ok(count_apart(false) > OBJECTS / 10 && slabs() < most + most / 4,
	   "their slabs serve again");
	for (unsigned i = 0; i < OBJECTS; i += 2)
		free(objects[i]);
	for (unsigned i = 0; i < OBJECTS; i += 2)
		objects[i] = memalign(64, BYTES - 8);
	ok(count_apart(false) > OBJECTS / 10, "for what is aligned too");
	free_all();
}

static void test_zeroed(void)
{
	unsigned dirty = 0;

	for (unsigned i = 0; i < OBJECTS; i++) {
		objects[i] = calloc(BYTES, 1);
		for (unsigned j = 0; j < BYTES; j++)
			dirty += objects[i][j] != 0;
		objects[i][i % BYTES] = 1;
		if (i >= 100)
			free(objects[i - 100]);
	}
	is_uint(dirty, 0, "what is to be zeroed is");
	for (unsigned i = OBJECTS - 100; i < OBJECTS; i++)
		free(objects[i]);
}

static void test_created(void)
{
	uint64_t before = live_samples();
	unsigned index = 0, apart;
	char name[40];

	mallctl("arenas.create", &index, &(size_t){sizeof(index)}, NULL, 0);
	for (unsigned i = 0; i < OBJECTS; i++)
		objects[i] = mallocx(BYTES, MALLOCX_ARENA(index));
	apart = count_apart(true);
	ok(apart > OBJECTS / 10, "a created arena has such slabs");
	for (unsigned i = 0; i < OBJECTS; i += 3)
		dallocx(objects[i], MALLOCX_ARENA(index));
	ok(live_samples() < before + apart, "of which objects are freed");
	snprintf(name, sizeof(name), "arena.%u.reset", index);
	mallctl(name, NULL, NULL, NULL, 0);
	is_uint(live_samples(), before, "and which it forgets as it is reset");
}

/* Does a child that frees this end with a report that says so? */
static bool reports(const char *free_at, const char *says)
{
	char text[4096] = "";
	size_t length = 0;
	int ends[2], status = 0;
	ssize_t got;
	pid_t child;

	if (pipe(ends))
		return false;
	child = fork();
	if (!child) {
		dup2(ends[1], STDERR_FILENO);
		free((void *)(uintptr_t)free_at);
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], text + length, sizeof(text) - 1 - length)) >
	       0)
		length += (size_t)got;
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) && strstr(text, says);
}

static char *new_sample(void)
{
	char *object;

	for (;;) {
		object = malloc(BYTES);
		if (is_apart(object))
			return object;
		free(object);
	}
}

static void test_inside(void)
{
	char *object = new_sample();

	ok(reports(object + 16, "allocated by"),
	   "a free within a sample aborts, and tells where it is from");
	free(object);
}

static void test_double_free(void)
{
	char *volatile object = new_sample();
	int status = 0;
	pid_t child;

	child = fork();
	if (!child) {
		close(STDERR_FILENO);
		free(object);
		free(object);
		_exit(0);
	}
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status), "a second free of a sample aborts");
	free(object);
}

static void test_kept(void)
{
	const struct cache *cache = &thread_get()->cache;
	char *samples[2 * APART_KEPT], *first = new_sample(), *kept;
	uint64_t before, asked;

	is_uint(size_class_of(APART_BYTES), APART_CLASSES - 1,
		"each class of objects that go apart has its place");
	for (unsigned i = 0; i < 2 * APART_KEPT; i++)
		samples[i] = new_sample();
	before = regions_out();
	kept = first;
	free(first);
	ok(HEAP_CHECKS_ALL || (regions_out() == before &&
			       apart_bytes(cache->apart) >= BYTES),
	   "a thread keeps the region of a sample that it frees");
	asked = requests();
	first = new_sample();
	ok(HEAP_CHECKS_ALL || (first == kept && regions_out() == before),
	   "for the next sample");
	ok(requests() > asked, "which is counted as one that was asked for");
	free(first);
	for (unsigned i = 0; i < 2 * APART_KEPT; i++)
		free(samples[i]);
	ok(apart_bytes(cache->apart) <= APART_KEPT * (BYTES + BYTES / 8),
	   "it keeps a few");
	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	is_uint(apart_bytes(cache->apart), 0, "a flush gives them back");
	is_uint(regions_out(), 0, "and then no region is out");
}

/* What is asked for past the thread's cache, or freed so, is not kept there. */
static void test_past(void)
{
	const struct cache *cache = &thread_get()->cache;
	char *first = new_sample(), *past;
	size_t before;

	free(first);
	before = apart_bytes(cache->apart);
	for (;;) {
		past = mallocx(BYTES, MALLOCX_TCACHE_NONE);
		if (is_apart(past))
			break;
		dallocx(past, MALLOCX_TCACHE_NONE);
	}
	ok(HEAP_CHECKS_ALL || past != first,
	   "what is kept is not for calls past the thread's cache");
	dallocx(past, MALLOCX_TCACHE_NONE);
	is_uint(apart_bytes(cache->apart), before, "nor are they kept");
}

/* The first free went on to the bin since. */
static void test_late_double_free(void)
{
	char *volatile samples[3 * APART_KEPT];
	int status = 0;
	pid_t child;

	for (unsigned i = 0; i < 3 * APART_KEPT; i++)
		samples[i] = new_sample();
	child = fork();
	if (!child) {
		close(STDERR_FILENO);
		for (unsigned i = 0; i < 3 * APART_KEPT; i++)
			free(samples[i]);
		free(samples[0]);
		_exit(0);
	}
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status), "so does one that comes late");
	for (unsigned i = 0; i < 3 * APART_KEPT; i++)
		free(samples[i]);
}

static void test_uncached(void)
{
	const struct cache *cache = &thread_get()->cache;

	mallctl("thread.tcache.enabled", NULL, NULL, &(bool){false},
		sizeof(bool));
	free(new_sample());
	is_uint(apart_bytes(cache->apart), 0,
		"a thread without a cache keeps none");
	is_uint(regions_out(), 0, "and gives regions back at once");
	mallctl("thread.tcache.enabled", NULL, NULL, &(bool){true},
		sizeof(bool));
}

/* Empty slabs stay for the next samples, until all is to go. */
static void test_purge(void)
{
	uint64_t before;

	mallctl("prof.active", NULL, NULL, &(bool){false}, sizeof(bool));
	before = slabs();
	mallctl("arena.0.purge", NULL, NULL, NULL, 0);
	ok(slabs() < before, "a purge takes the empty slab for samples too");
}

int main(void)
{
	plan(25);
	objects[0] = malloc(BYTES);
	free(objects[0]);
	test_malloc();
	test_zeroed();
	test_created();
	test_inside();
	test_double_free();
	test_late_double_free();
	test_kept();
	test_past();
	test_uncached();
	test_purge();
	is_uint(ledger_get(&ledger_process()->prof_dropped_samples), 0,
		"no sample was dropped");
	return done_testing();
}
