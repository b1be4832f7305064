/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fork in the middle of another thread's purge: the child, where that thread
 * is not, still gives pages back by time. Nor does it count what lies in the
 * caches of threads that it does not have; what lies in the exchange it has.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

const char *malloc_conf = "prof:false,memory_limit:-1,narenas:1,"
			  "dirty_decay_ms:0,muzzy_decay_ms:0";

static bool child_gives_back(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		free(malloc(1 << 20));
		_exit(ledger_get(&heap_arena(0)->stats->dirty) != 0);
	}
	waitpid(child, &status, 0);
	return status == 0;
}

#define CACHED 64

static pthread_barrier_t cached, forked;

static void *hold_cache(void *unused)
{
	void *objects[CACHED];
	unsigned i;

	for (i = 0; i < CACHED; i++)
		objects[i] = malloc(100);
	for (i = 0; i < CACHED; i++)
		free(objects[i]);
	pthread_barrier_wait(&cached);
	pthread_barrier_wait(&forked);
	return unused;
}

/* What the caches hold beyond this thread's. */
static uint64_t cached_by_others(void)
{
	heap_publish();
	return ledger_get(&heap_arena(0)->stats->tcache_bytes) -
	       thread_peek()->cached_bytes;
}

static void forgets_caches(void)
{
	int status = -1;
	pthread_t thread;
	pid_t child;

	pthread_barrier_init(&cached, NULL, 2);
	pthread_barrier_init(&forked, NULL, 2);
	pthread_create(&thread, NULL, hold_cache, NULL);
	pthread_barrier_wait(&cached);
	ok(cached_by_others() > 0, "another thread's cache holds something");
	child = fork();
	if (child == 0)
		_exit(cached_by_others() != 0);
	waitpid(child, &status, 0);
	is_int(status, 0, "which no cache of a child holds");
	pthread_barrier_wait(&forked);
	pthread_join(thread, NULL);
}

/* What lies in the exchange is a child's as well. */
static void keeps_exchange(void)
{
	unsigned size_class = size_class_of(100), i;
	void *objects[CACHED];
	int status = -1;
	pid_t child;

	for (i = 0; i < CACHED; i++)
		objects[i] = malloc(100);
	exchange_flush();
	ok(exchange_put(0, size_class, objects, CACHED) &&
		   cached_by_others() == exchange_bytes(),
	   "what lies in the exchange is told");
	child = fork();
	if (child == 0)
		_exit(!exchange_bytes() ||
		      cached_by_others() != exchange_bytes());
	waitpid(child, &status, 0);
	is_int(status, 0, "in a child too");
	exchange_flush();
}

/* Hooks that unmap, and are slow to say so. */
static extent_hooks_t slow, *usual;
static pthread_barrier_t unmapped;

static void *slow_alloc(extent_hooks_t *hooks, void *addr, size_t bytes,
			size_t alignment, bool *zero, bool *commit,
			unsigned arena)
{
	(void)hooks;
	return usual->alloc(usual, addr, bytes, alignment, zero, commit, arena);
}

static bool slow_dalloc(extent_hooks_t *hooks, void *addr, size_t bytes,
			bool committed, unsigned arena)
{
	(void)hooks;
	(void)committed;
	(void)arena;
	munmap(addr, bytes);
	pthread_barrier_wait(&unmapped);
	pthread_barrier_wait(&forked);
	return false;
}

static void *purge(void *name)
{
	mallctl(name, NULL, NULL, NULL, 0);
	return NULL;
}

/* A child of a fork meanwhile is given no page of what is there no more. */
static void uses_nothing_unmapped(void)
{
	size_t length = sizeof(usual), bytes = 4 << 20;
	extent_hooks_t *hooks = &slow;
	char name[32], *object;
	pthread_t thread;
	int status = -1, flags;
	unsigned arena;
	pid_t child;

	mallctl("arena.0.extent_hooks", &usual, &length, NULL, 0);
	slow = *usual;
	slow.alloc = slow_alloc;
	slow.dalloc = slow_dalloc;
	length = sizeof(arena);
	mallctl("arenas.create", &arena, &length, &hooks, sizeof(hooks));
	snprintf(name, sizeof(name), "arena.%u.dirty_decay_ms", arena);
	mallctl(name, NULL, NULL, &(ssize_t){-1}, sizeof(ssize_t));
	flags = MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
	object = mallocx(bytes, flags);
	memset(object, 1, bytes);
	dallocx(object, flags);
	snprintf(name, sizeof(name), "arena.%u.purge", arena);
	pthread_barrier_init(&unmapped, NULL, 2);
	pthread_create(&thread, NULL, purge, name);
	pthread_barrier_wait(&unmapped);
	child = fork();
	if (child == 0) {
		object = mallocx(bytes, flags);
		memset(object, 2, bytes);
		_exit(object[bytes - 1] != 2);
	}
	waitpid(child, &status, 0);
	is_int(status, 0, "a child is given no page that is there no more");
	pthread_barrier_wait(&forked);
	pthread_join(thread, NULL);
}

int main(void)
{
	struct page_heap *heap;

	plan(7);
	free(malloc(1 << 20));
	heap = &heap_arena(0)->pages;
	ok(child_gives_back(), "a child gives pages back");
	/* As a thread leaves it that is in the kernel with a run. */
	lock_take(&heap->lock);
	heap->purging = true;
	lock_release(&heap->lock);
	ok(child_gives_back(), "also where the parent was about to");
	forgets_caches();
	keeps_exchange();
	uses_nothing_unmapped();
	return done_testing();
}
