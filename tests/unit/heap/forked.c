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

int main(void)
{
	struct page_heap *heap;

	plan(6);
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
	return done_testing();
}
