/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explicit caches (mallctl tcache.create): a table of them by index. The
 * program sees to it that one thread at a time uses each.
 */
#include "config.h"

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/thread.h"

/* Guards the table; an entry in use is read without. */
static struct lock lock = LOCK_INIT(LOCK_CACHE_LIST);
static struct cache *caches[HEAP_MAX_CACHES] __attribute__((aligned(4096)));

struct cache *heap_cache(int index)
{
	if (index < 0 || (unsigned)index >= HEAP_MAX_CACHES)
		return NULL;
	return __atomic_load_n(&caches[index], __ATOMIC_ACQUIRE);
}

static int make(void)
{
	struct cache *cache = metadata_allocate(sizeof(*cache));
	unsigned i;

	if (!cache)
		return -1;
	cache_init(cache, heap_cache_max());
	for (i = 0; i < HEAP_MAX_CACHES; i++)
		if (!caches[i])
			break;
	if (i == HEAP_MAX_CACHES) {
		metadata_free(cache, sizeof(*cache));
		return -1;
	}
	__atomic_store_n(&caches[i], cache, __ATOMIC_RELEASE);
	return (int)i;
}

int heap_cache_create(void)
{
	int index;

	heap_boot();
	thread_busy++;
	lock_take(&lock);
	index = make();
	lock_release(&lock);
	thread_busy--;
	heap_run_deferred();
	return index;
}

static struct arena *counting_arena(void)
{
	struct thread *thread = thread_get();

	return thread ? thread->arena : heap_arena(0);
}

bool heap_cache_flush(int index)
{
	struct cache *cache = heap_cache(index);
	struct arena *arena = counting_arena();

	if (!cache)
		return false;
	thread_busy++;
	cache_flush(cache, arena);
	thread_busy--;
	heap_run_deferred();
	return true;
}

bool heap_cache_destroy(int index)
{
	struct arena *arena = counting_arena();
	struct cache *cache;

	thread_busy++;
	lock_take(&lock);
	cache = heap_cache(index);
	if (cache)
		__atomic_store_n(&caches[index], NULL, __ATOMIC_RELEASE);
	lock_release(&lock);
	if (cache) {
		cache_fini(cache, arena);
		metadata_free(cache, sizeof(*cache));
	}
	thread_busy--;
	heap_run_deferred();
	return cache != NULL;
}

struct lock *cache_list_lock(void)
{
	return &lock;
}

void cache_list_prefork(void)
{
	lock_take_for_fork(&lock);
}

void cache_list_postfork_parent(void)
{
	lock_release_for_fork(&lock);
}

void cache_list_postfork_child(void)
{
	lock_reset(&lock);
}
