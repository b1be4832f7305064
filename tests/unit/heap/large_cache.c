/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of large extents: what a thread frees it gets again, also for a
 * request of a little less; the bounds hold, other threads can empty it, its
 * books are in the ledger, and tcache_max and a double free mean something.
 */
#include "config.h"

#include "tap/tap.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

const char *malloc_conf = "prof:false,narenas:1";

#define MIB ((size_t)1 << 20)

static struct thread *thread;

static struct large_cache *cache(void)
{
	return &thread->cache.large;
}

static struct class_stats *class_of(size_t bytes)
{
	return ledger_class(heap_thread_arena(thread), size_class_of(bytes));
}

static void test_reuse(void)
{
	char *first = malloc(MIB), *second;
	struct class_stats before, *now = class_of(MIB);
	unsigned i;

	heap_publish();
	before = *now;
	free(first);
	is_uint(large_cache_bytes(cache()), MIB, "a free keeps the extent");
	second = malloc(MIB);
	ok(second == first, "the next malloc of that size has it");
	is_uint(large_cache_bytes(cache()), 0, "and it is out of the cache");
	for (i = 0; i < 99; i++) {
		free(second);
		second = malloc(MIB);
	}
	heap_publish();
	is_uint(now->nrequests - before.nrequests, 100, "requests are counted");
	is_uint(now->nmalloc - before.nmalloc, 0,
		"without a trip to the arena");
	free(second);
}

static void test_near(void)
{
	char *first = malloc(MIB), *second;

	free(first);
	second = malloc(MIB - 9000);
	ok(second == first, "a request of a little less has it too");
	is_uint(malloc_usable_size(second), heap_rounded(MIB - 9000, 0),
		"of the usable size that nallocx tells");
	second = realloc(second, MIB);
	ok(second == first, "and can grow to the old size again");
	is_uint(malloc_usable_size(second), MIB, "at once");
	free(second);
	second = malloc(MIB / 2);
	ok(second != first, "but one of half the size has not");
	free(second);
	second = calloc(1, MIB / 8);
	first = malloc(MIB / 8);
	memset(first, 0xff, MIB / 8);
	free(first);
	first = calloc(1, MIB / 8);
	ok(memcmp(first, second, MIB / 8) == 0,
	   "calloc clears what comes from there");
	free(first);
	free(second);
}

static void test_bounds(void)
{
	void *objects[64];
	unsigned i;

	heap_thread_flush(thread);
	is_uint(large_cache_bytes(cache()), 0, "a flush empties it");
	for (i = 0; i < 64; i++)
		objects[i] = malloc(MIB / 4 + i * 4096);
	for (i = 0; i < 64; i++)
		free(objects[i]);
	ok(large_cache_bytes(cache()) > 0 &&
		   large_cache_bytes(cache()) <= cache()->limit_bytes,
	   "many frees do not make it hold more than its limit");
	heap_publish();
	ok(ledger_thread_stats(thread->prof.ledger_row)->tcache_bytes >=
		   large_cache_bytes(cache()),
	   "the ledger has its bytes");
	heap_thread_flush(thread);
	objects[0] = malloc(opt.tcache_max + 4096);
	free(objects[0]);
	is_uint(large_cache_bytes(cache()), 0,
		"what is larger than tcache_max is not kept");
}

/* Sizes that are never asked for again. */
static void test_trust(void)
{
	size_t kept = 0, bytes;
	unsigned i;

	for (i = 0; i < 400; i++) {
		free(malloc(MIB + i * 4096));
		free(malloc((size_t)3 * MIB - i * 8192));
		bytes = large_cache_bytes(cache());
		kept += i >= 200 && bytes;
	}
	ok(kept < 100, "a cache that does not serve is mostly left empty");
	for (i = 0; i < 100; i++)
		free(malloc(MIB));
	is_uint(large_cache_bytes(cache()), MIB, "until it serves again");
}

static pthread_barrier_t barrier;

static void *idle(void *argument)
{
	struct large_cache **cache_of = argument;

	free(malloc(MIB));
	*cache_of = &thread_get()->cache.large;
	thread_publish(thread_get());
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	free(malloc(MIB));
	return NULL;
}

static void test_steal(void)
{
	const struct arena_stats *stats =
		ledger_arena(heap_thread_arena(thread));
	struct large_cache *other = NULL;
	uint64_t allocated, cached;
	pthread_t id;

	thread_steal_large(false);
	is_uint(large_cache_bytes(cache()), 0, "all caches can be emptied");
	allocated = stats->large_allocated;
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&id, NULL, idle, &other);
	pthread_barrier_wait(&barrier);
	is_uint(large_cache_bytes(other), MIB, "another thread has an extent");
	cached = stats->tcache_bytes;
	thread_steal_large(true);
	is_uint(large_cache_bytes(other), MIB, "which it used of late");
	thread_steal_large(true);
	is_uint(large_cache_bytes(other), 0, "idle, it loses it");
	is_uint(cached - stats->tcache_bytes, MIB, "and is told to hold less");
	pthread_barrier_wait(&barrier);
	pthread_join(id, NULL);
	is_uint(stats->large_allocated, allocated,
		"its end gives back what it freed after that");
}

static void test_double_free(void)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		void *volatile ptr = malloc(MIB);

		close(STDERR_FILENO);
		free(ptr);
		free(ptr);
		_exit(0);
	}
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status), "a second free of a cached extent aborts");
}

int main(void)
{
	free(malloc(1));
	thread = thread_get();
	plan(24);
	test_reuse();
	test_near();
	test_bounds();
	test_trust();
	test_steal();
	test_double_free();
	return done_testing();
}
