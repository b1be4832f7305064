/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's cache and its books: what the fast paths count agrees with what
 * was asked for, limits hold, idle bins are trimmed, and what the program is
 * told (thread.allocated and so on) adds up.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <stdlib.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
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
	ok(exchange_put(size_class, &left, 1), "two threads may exchange");
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

int main(void)
{
	free(malloc(1));
	thread = thread_get();
	size_class = size_class_of(SIZE);
	plan(23);
	test_counts();
	test_limit();
	test_books();
	test_trim();
	test_order();
	test_off();
	test_move();
	test_move_past_exchange();
	return done_testing();
}
