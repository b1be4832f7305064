/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slow paths of allocating: everything that a thread's own cache cannot
 * serve at once, and the choice of arena. Owns no state. Each entry raises
 * thread_busy while locks may be held, and calls the profiler outside of that.
 */
#include "config.h"

#include "liballoc/heap/heap.h"

#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/apart.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/arena_cache.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/sparse.h"
#include "liballoc/heap/steps.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/safety/fill.h"
#include "liballoc/safety/guard.h"

/*
 * Zeroed objects of at least so many bytes rather get pages that are zero than
 * others that must be cleared: it is cheaper, and what the program does not
 * touch of them costs no memory.
 */
#define ZERO_CLEAN_BYTES ((size_t)256 << 10)

/* One request, as it goes through the steps. */
struct request {
	size_t size;
	size_t alignment;
	size_t usable;
	unsigned size_class;
	bool zero;
	bool missed; /* the thread's cache of large extents has none */
	bool roomy;  /* it takes the place of one that grew, and may grow on */
	bool apart;  /* the profiler will sample it, and its place is apart */
	const struct heap_where *where;
	struct thread *thread; /* may be NULL */
	struct arena *arena;
	struct cache *cache; /* NULL: none */
};

static struct arena *choose_arena(struct thread *thread,
				  const struct heap_where *where)
{
	if (where && where->arena)
		return where->arena;
	if (!thread)
		return heap_arena(0);
	if (opt.percpu_arena)
		thread_follow_cpu(thread);
	return thread->arena;
}

/* What did not come from the thread's own cache is counted here. */
static void count_direct(const struct request *request, const void *ptr,
			 const struct cache *cache)
{
	struct thread *thread = request->thread;

	if (ptr && thread && cache != &thread->cache)
		thread->direct_nmalloc++;
}

/*
 * What automatic arenas hand out was freed by heap_free(), and filled; the
 * program may reset the others, or have given them memory of its own.
 */
static void check_free(const struct request *request, const void *ptr)
{
	if (ptr && fill_frees() && !request->arena->manual)
		fill_check_free(ptr, request->usable);
}

/* Will it be sampled, and lie apart? Asked once for each object. */
static bool goes_apart(struct thread *thread, size_t usable)
{
	int64_t rest =
		(int64_t)usable - thread->countdown - thread->countdown_aside;

	return rest > 0 && usable <= APART_BYTES &&
	       thread->prof.lg_sample <= APART_LG_SAMPLE &&
	       !thread->reentrancy &&
	       prof_picks(thread, usable, (uint64_t)rest);
}

/* cache: the thread's own, or what serves the request in its stead, or NULL. */
static void *take_apart(struct thread *thread, struct cache *cache,
			struct arena *arena, unsigned size_class)
{
	void *ptr = apart_take(cache == &thread->cache ? cache : NULL, arena,
			       size_class);

	if (ptr)
		thread->direct_nmalloc++;
	return ptr;
}

/* Not inlined, so that what every process runs stays small. */
static __attribute__((noinline)) void *
take_of_created(const struct request *request)
{
	if (!may_keep(request->thread, request->where, request->size_class))
		return NULL;
	return arena_cache_take(&request->thread->arena_cache,
				arena_bin(request->arena, request->size_class));
}

static void *take_ordinary(const struct request *request)
{
	struct cache *cache = request->cache;
	void *ptr = NULL;

	if (cache && request->size_class < cache->class_count)
		ptr = cache_take(cache, request->size_class, request->arena);
	else if (!cache && request->arena->manual)
		ptr = take_of_created(request);
	if (!ptr) {
		cache = NULL;
		ptr = arena_allocate_small(request->arena, request->size_class);
	}
	count_direct(request, ptr, cache);
	return ptr;
}

static void *take_small(const struct request *request)
{
	void *ptr = NULL;

	if (request->apart)
		ptr = take_apart(request->thread, request->cache,
				 request->arena, request->size_class);
	if (!ptr)
		ptr = take_ordinary(request);
	check_free(request, ptr);
	if (ptr && request->zero)
		memset(ptr, 0, request->usable);
	return ptr;
}

static bool large_is_cached(const struct request *request)
{
	return request->cache &&
	       request->size_class < request->cache->class_count &&
	       request->alignment <= os_page_bytes &&
	       size_classes[request->size_class].bytes == request->usable;
}

static struct extent *take_cached_large(const struct request *request,
					size_t alignment)
{
	struct extent *extent;

	if (!request->cache || request->missed || request->roomy ||
	    (request->zero && request->usable >= ZERO_CLEAN_BYTES))
		return NULL;
	extent = large_cache_take(&request->cache->large, request->usable,
				  alignment, request->size_class);
	if (extent)
		extent->dirty_bytes = extent->usable = request->usable;
	return extent;
}

static enum page_heap_choice choose_pages(const struct request *request)
{
	if (request->zero && request->usable >= ZERO_CLEAN_BYTES)
		return PAGES_CLEAN;
	if (request->roomy)
		return PAGES_ROOMY;
	switch (sparse_habit(request->usable, request->size_class)) {
	case SPARSE_CERTAIN:
		return PAGES_ABSENT;
	case SPARSE_USUAL:
		return PAGES_SPARSE;
	case SPARSE_RARE:
		break;
	}
	return PAGES_ANY;
}

/* Where memory is short, what threads have cached may make room. */
static struct extent *take_extent(const struct request *request,
				  size_t alignment)
{
	enum page_heap_choice choice = choose_pages(request);
	struct extent *extent;
	unsigned tries = 2;

	do {
		extent = page_heap_take_large(request->arena, request->usable,
					      alignment, request->size_class, 1,
					      choice);
		if (extent) {
			extent->usable = request->usable;
			return extent;
		}
		thread_steal_large(false);
	} while (--tries);
	return NULL;
}

static void *take_large(const struct request *request)
{
	size_t alignment = request->alignment;
	struct extent *extent;
	void *ptr;

	if (large_is_cached(request)) {
		ptr = cache_take(request->cache, request->size_class,
				 request->arena);
		check_free(request, ptr);
		count_direct(request, ptr, request->cache);
		if (ptr && request->zero)
			memset(ptr, 0, request->usable);
		if (ptr)
			return ptr;
	}
	if (alignment < os_page_bytes)
		alignment = os_page_bytes;
	extent = take_cached_large(request, alignment);
	if (!extent)
		extent = take_extent(request, alignment);
	if (!extent)
		return NULL;
	ptr = (void *)extent->base;
	check_free(request, ptr);
	count_direct(request, ptr, NULL);
	if (request->zero)
		heap_clear_dirty(extent, 0);
	return ptr;
}

static void *take(const struct request *request)
{
	return size_class_is_small(request->size_class) ? take_small(request)
							: take_large(request);
}

/* The same after an event, of which a busy thread has many: of some of them. */
static void leave_event(struct thread *thread)
{
	if (thread->leaves) {
		thread->leaves--;
		heap_run_deferred();
	} else {
		heap_leave(thread);
	}
}

static __attribute__((noinline)) void time_allocation(uint64_t start_ns,
						      size_t size)
{
	struct process_stats *process = ledger_process();

	ledger_add_bucket(process->slow_allocation_ns, LEDGER_TIME_BUCKETS,
			  os_clock_ns() - start_ns);
	ledger_add_bucket(process->slow_allocation_bytes, LEDGER_SIZE_BUCKETS,
			  size);
}

/*
 * The short way for a large object: one that this thread freed lately. A
 * thread that has no cache, or is busy, finds none.
 */
static void *reuse_large(size_t size)
{
	struct thread *thread = thread_current;
	struct large_cache *large = &thread->cache.large;
	size_t usable = (size + os_page_bytes - 1) & ~(os_page_bytes - 1);
	struct extent *extent;
	unsigned size_class;

	if (size > large->max_bytes || thread_busy)
		return NULL;
	size_class = size_class_of(usable);
	thread_busy++;
	extent = large_cache_take(large, usable, os_page_bytes, size_class);
	thread_busy--;
	if (!extent)
		return NULL;
	extent->usable = usable;
	thread->direct_nmalloc++;
	if (thread_count_eventless(thread, usable))
		return (void *)extent->base;
	thread->countdown -= (int64_t)usable;
	if (thread->countdown < 0)
		return thread_event(thread, (void *)extent->base, size, usable,
				    size_class,
				    extent->arena->manual ? GUARD_NEVER : 0);
	return (void *)extent->base;
}

/* Not inlined, so that the short way need not make room for the request. */
static __attribute__((noinline)) void *allocate(struct request request,
						const struct heap_where *where)
{
	size_t size = request.size, alignment = request.alignment;
	uint64_t start_ns;
	void *ptr;

	if (!heap_is_booted())
		heap_boot();
	if (!heap_is_booted() || thread_busy)
		return emergency_allocate(size, alignment);
	request.usable = size_class_round(size, alignment, &request.size_class);
	if (!request.usable)
		return NULL;
	request.thread = thread_get();
	start_ns = start_timing(request.thread);
	request.arena = choose_arena(request.thread, where);
	request.cache = choose_cache(request.thread, where);
	request.where = where;
	request.apart =
		request.thread && goes_apart(request.thread, request.usable);
	thread_busy++;
	ptr = take(&request);
	thread_busy--;
	if (!ptr) {
		if (request.thread)
			prof_pass_over(request.thread);
		return NULL;
	}
	if (!request.zero)
		fill_allocated(ptr, request.usable);
	ptr = count_allocation(request.thread, ptr, size ? size : 1,
			       request.usable, request.size_class,
			       request.arena->manual ? GUARD_NEVER : alignment);
	heap_leave(request.thread);
	if (start_ns)
		time_allocation(start_ns, size);
	background_leave();
	return ptr;
}

void *heap_allocate_roomy(size_t size, size_t alignment, bool zero,
			  const struct heap_where *where)
{
	return allocate((struct request){.size = size,
					 .alignment = alignment,
					 .zero = zero || opt.zero,
					 .roomy = true},
			where);
}

/*
 * The short way for what the thread's cache has to fetch, where no event is
 * due; NULL where the cache cannot.
 */
static void *refill(struct thread *thread, size_t slot, size_t size)
{
	struct cache_bin *bin = &thread->cache.bins[slot];
	uint64_t start_ns;
	void *ptr;

	if (slot - 1 >= thread->cache.class_count ||
	    thread->countdown < (int64_t)bin->bytes)
		return NULL;
	start_ns = start_timing(thread);
	if (opt.percpu_arena)
		thread_follow_cpu(thread);
	thread_busy++;
	ptr = cache_take(&thread->cache, (unsigned)slot - 1, thread->arena);
	thread_busy--;
	if (!ptr)
		return NULL;
	thread_tick(thread);
	thread->countdown -= (int64_t)bin->bytes;
	thread_tell(thread);
	heap_leave(thread);
	if (start_ns)
		time_allocation(start_ns, size);
	background_leave();
	return ptr;
}

/*
 * The short way for what the thread's cache has, but whose turn it is to bring
 * an event about; NULL where there is nothing.
 */
static void *take_at_event(struct thread *thread, size_t slot, size_t size)
{
	struct cache_bin *bin = &thread->cache.bins[slot];
	uint64_t start_ns;
	void *ptr = NULL;

	/* From here on no handler of a signal takes what is there. */
	thread_busy++;
	if (!cache_count(bin)) {
		thread_busy--;
		return NULL;
	}
	start_ns = start_timing(thread);
	if (goes_apart(thread, bin->bytes))
		ptr = take_apart(thread, &thread->cache, thread->arena,
				 (unsigned)slot - 1);
	if (!ptr)
		ptr = cache_pop(bin);
	thread_busy--;
	ptr = count_allocation(thread, ptr, size ? size : 1, bin->bytes,
			       (unsigned)slot - 1,
			       thread->arena->manual ? GUARD_NEVER : 0);
	leave_event(thread);
	if (start_ns)
		time_allocation(start_ns, size);
	background_leave();
	return ptr;
}

void *heap_allocate_counted(size_t size, size_t counted)
{
	struct thread *thread = short_way();
	void *ptr = NULL;

	thread_current->countdown += (int64_t)counted;
	if (thread)
		ptr = take_at_event(thread, size_class_slot(size), size);
	return ptr ? ptr : heap_allocate(size, 0, false, NULL);
}

/* The short way for a size of the caches'. */
static void *take_cached(size_t size)
{
	struct thread *thread = short_way();
	size_t slot = size_class_slot(size);

	if (!thread)
		return NULL;
	return cache_count(&thread->cache.bins[slot])
		       ? take_at_event(thread, slot, size)
		       : refill(thread, slot, size);
}

/* What the thread keeps of a created arena serves, and no event is due. */
static inline void *take_kept(struct arena *arena, size_t size)
{
	struct thread *thread = thread_current;
	const struct cache_bin *bin;
	size_t slot;
	void *ptr;

	if (size - 1 >= SMALL_MAX_BYTES || thread_busy || !thread->arena_cache)
		return NULL;
	slot = size_class_slot(size);
	bin = &thread->cache.bins[slot];
	if (!slot || thread->countdown < (int64_t)bin->bytes)
		return NULL;
	ptr = arena_cache_pop(thread->arena_cache, arena, (unsigned)slot - 1);
	if (!ptr)
		return NULL;
	thread->countdown -= (int64_t)bin->bytes;
	thread->direct_nmalloc++;
	return ptr;
}

/* The same where some have to be fetched first, or none may be kept. */
static __attribute__((noinline)) void *fetch(struct arena *arena, size_t size,
					     bool keep)
{
	struct thread *thread = short_way();
	unsigned size_class;
	struct bin *bin;
	void *ptr = NULL;

	if (size - 1 >= SMALL_MAX_BYTES || !thread || fill_any() ||
	    (!arena && opt.percpu_arena))
		return NULL;
	size_class = size_class_of(size);
	if (thread->countdown < (int64_t)size_classes[size_class].bytes)
		return NULL;
	if (!arena)
		arena = thread->arena;
	thread_busy++;
	bin = arena_bin(arena, size_class);
	if (keep && arena->manual && size_class < thread->cache.class_count)
		ptr = arena_cache_take(&thread->arena_cache, bin);
	if (!ptr)
		ptr = bin_take_one(bin);
	thread_busy--;
	if (ptr) {
		thread->countdown -= (int64_t)size_classes[size_class].bytes;
		thread->direct_nmalloc++;
		thread_tell(thread);
	}
	heap_run_deferred();
	return ptr;
}

void *heap_allocate_direct(struct arena *arena, size_t size, int cache)
{
	bool keep = cache == HEAP_CACHE_AUTOMATIC;
	void *ptr = keep && arena ? take_kept(arena, size) : NULL;

	return ptr ? ptr : fetch(arena, size, keep);
}

void *heap_allocate(size_t size, size_t alignment, bool zero,
		    const struct heap_where *where)
{
	bool missed = false;
	void *ptr;

	zero = zero || opt.zero;
	if (!alignment && !where && !zero) {
		missed = size > CACHED_MAX_BYTES;
		ptr = missed ? reuse_large(size) : take_cached(size);
		if (ptr)
			return ptr;
	}
	return allocate((struct request){.size = size,
					 .alignment = alignment,
					 .zero = zero,
					 .missed = missed},
			where);
}
