/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap's slow paths: everything that a thread's own cache cannot serve at
 * once, and the choice of arena and cache. Owns no state. Each entry raises
 * thread_busy while locks may be held, and calls the profiler outside of that.
 */
#include "config.h"

#include "liballoc/heap/heap.h"

#include <errno.h>
#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/arena_cache.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/extent_hooks.h"
#include "liballoc/heap/huge.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/move.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/slab.h"
#include "liballoc/heap/thread.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/export.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/safety/fill.h"
#include "liballoc/safety/guard.h"
#include "liballoc/safety/report.h"

/*
 * Zeroed objects of at least so many bytes rather get pages that are zero than
 * others that must be cleared: it is cheaper, and what the program does not
 * touch of them costs no memory.
 */
#define ZERO_CLEAN_BYTES ((size_t)256 << 10)

/* An object that shrinks keeps the pages left over, up to this share. */
#define MAX_LEFT_OVER 16

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

static struct cache *choose_cache(struct thread *thread,
				  const struct heap_where *where)
{
	if (where && where->cache >= 0)
		return heap_cache(where->cache);
	if (where && (where->cache == HEAP_CACHE_NONE || where->arena))
		return NULL;
	return thread ? &thread->cache : NULL;
}

/* May the thread, or NULL, keep regions of that class of created arenas? */
static bool may_keep(const struct thread *thread,
		     const struct heap_where *where, unsigned size_class)
{
	return thread && size_class < thread->cache.class_count &&
	       (!where || where->cache == HEAP_CACHE_AUTOMATIC);
}

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

/*
 * A sample goes apart where it would slow the frees of many others: where
 * samples are many, and objects on a page too. Elsewhere that costs a page for
 * each class, and gains nothing.
 */
#define APART_LG_SAMPLE 17u
#define APART_BYTES 1024u

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

static void *take_apart(struct thread *thread, struct arena *arena,
			unsigned size_class)
{
	void *ptr = bin_take_apart(arena_bin(arena, size_class));

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
		ptr = take_apart(request->thread, request->arena,
				 request->size_class);
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

/* Zeroes what an object at base of extent has in [from, usable), if need be. */
static void clear_dirty(const struct extent *extent, size_t from)
{
	size_t end = extent->dirty_bytes;

	if (end > extent->usable)
		end = extent->usable;
	if (end > from)
		memset((void *)(extent->base + from), 0, end - from);
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

/* Where memory is short, what threads have cached may make room. */
static struct extent *take_extent(const struct request *request,
				  size_t alignment)
{
	enum page_heap_choice choice = PAGES_ANY;
	struct extent *extent;
	unsigned tries = 2;

	if (request->zero && request->usable >= ZERO_CLEAN_BYTES)
		choice = PAGES_CLEAN;
	else if (request->roomy)
		choice = PAGES_ROOMY;

	do {
		extent = page_heap_take_large(request->arena, request->usable,
					      alignment, request->size_class, 1,
					      choice);
		if (extent)
			return extent;
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
		clear_dirty(extent, 0);
	return ptr;
}

static void *take(const struct request *request)
{
	return size_class_is_small(request->size_class) ? take_small(request)
							: take_large(request);
}

/*
 * After the locks: accounts for the object, offers it to the profiler, which
 * may exchange it, unless alignment is GUARD_NEVER.
 */
static void *count_allocation(struct thread *thread, void *ptr,
			      size_t requested, size_t usable,
			      unsigned size_class, size_t alignment)
{
	if (!thread)
		return ptr;
	thread_tick(thread);
	thread->countdown -= (int64_t)usable;
	if (thread->countdown < 0)
		ptr = thread_event(thread, ptr, requested, usable, size_class,
				   alignment);
	thread_tell(thread);
	return ptr;
}

static void look_at_container(void)
{
	thread_busy++;
	container_look(__atomic_load_n(&waiting_grown_bytes, __ATOMIC_RELAXED));
	thread_busy--;
	heap_run_deferred();
}

/* What follows each stay in the slow paths; thread may be NULL. */
static void leave(struct thread *thread)
{
	bool look = !thread || thread_may_look(thread);

	heap_run_deferred();
	if (page_heap_peak_passed())
		prof_gdump();
	if (look && waiting_any() && !background_running())
		waiting_look();
	if (__atomic_load_n(&waiting_grown_bytes, __ATOMIC_RELAXED) >=
	    __atomic_load_n(&container_look_at, __ATOMIC_RELAXED))
		look_at_container();
	if (__atomic_load_n(&prof_wishes, __ATOMIC_RELAXED))
		prof_serve();
	if (prof_request_waits())
		prof_request_serve();
	ledger_export_look(waiting_moved_bytes(), look);
}

/* The same after an event, of which a busy thread has many: of some of them. */
static void leave_event(struct thread *thread)
{
	if (thread->leaves) {
		thread->leaves--;
		heap_run_deferred();
	} else {
		leave(thread);
	}
}

/*
 * Looking at the clock twice takes as long as some calls: one in so many, a
 * number that goes along with no other.
 */
#define CALLS_PER_TIMING 61u

/* When the call began; 0: it is not timed. */
static uint64_t start_timing(const struct thread *thread)
{
	return thread && thread->slow_calls % CALLS_PER_TIMING == 0
		       ? os_clock_ns()
		       : 0;
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

static void time_free(uint64_t start_ns)
{
	if (start_ns)
		ledger_add_bucket(ledger_process()->slow_free_ns,
				  LEDGER_TIME_BUCKETS,
				  os_clock_ns() - start_ns);
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
	leave(request.thread);
	if (start_ns)
		time_allocation(start_ns, size);
	background_leave();
	return ptr;
}

/* The thread, where it may go the short way. */
static struct thread *short_way(void)
{
	struct thread *thread = thread_current;

	return thread->live && !thread_busy ? thread : NULL;
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
	leave(thread);
	if (start_ns)
		time_allocation(start_ns, size);
	background_leave();
	return ptr;
}

/*
 * The short way for what the thread's cache has, but whose turn it is to bring
 * an event about, and for what it has to fetch; NULL where neither is so.
 */
static void *take_counted(size_t size)
{
	struct thread *thread = short_way();
	size_t slot = size_class_slot(size);
	struct cache_bin *bin;
	uint64_t start_ns;
	void *ptr = NULL;

	if (!thread)
		return NULL;
	bin = &thread->cache.bins[slot];
	/* From here on no handler of a signal takes what is there. */
	thread_busy++;
	if (!cache_count(bin)) {
		thread_busy--;
		return refill(thread, slot, size);
	}
	start_ns = start_timing(thread);
	if (goes_apart(thread, bin->bytes))
		ptr = take_apart(thread, thread->arena, (unsigned)slot - 1);
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
		ptr = missed ? reuse_large(size) : take_counted(size);
		if (ptr)
			return ptr;
	}
	return allocate((struct request){.size = size,
					 .alignment = alignment,
					 .zero = zero,
					 .missed = missed},
			where);
}

static bool is_region(const struct extent *slab, const void *ptr)
{
	const struct size_class *class = &size_classes[slab->size_class];
	size_t offset = (uintptr_t)ptr - slab->base;

	return size_class_region(class, offset) < class->regions &&
	       size_class_begins(class, offset);
}

/* The word of a live allocation; aborts on what is none. */
static uint64_t live_word(const void *ptr)
{
	uint64_t word = page_map_get((uintptr_t)ptr);
	struct extent *extent = page_word_extent(word);

	if (!(word & PAGE_LIVE) || word & PAGE_TAIL ||
	    (word & PAGE_LARGE ? extent->base != (uintptr_t)ptr
			       : !is_region(extent, ptr)))
		report_error(guard_was_freed(ptr)
				     ? "double free, or use after free, of"
				     : "free or use of a pointer that is no "
				       "allocation:",
			     ptr);
	return word;
}

static size_t word_usable(uint64_t word)
{
	if (word & PAGE_LARGE)
		return page_word_extent(word)->usable;
	return size_classes[page_word_tag(word)].bytes;
}

size_t heap_usable(const void *ptr)
{
	return word_usable(live_word(ptr));
}

size_t heap_rounded(size_t size, size_t alignment)
{
	unsigned size_class;

	if (!heap_is_booted())
		heap_boot();
	return size_class_round(size, alignment, &size_class);
}

/* Not inlined, so that what lies apart need not save registers. */
static __attribute__((noinline)) bool set_sample(struct extent *extent,
						 void *ptr, uint32_t sample)
{
	bool done = true;

	thread_busy++;
	if (extent->state == EXTENT_LARGE)
		page_heap_mark_large(extent->arena, extent, sample);
	else if (extent->state == EXTENT_GUARDED)
		__atomic_store_n(&extent->sampled, sample, __ATOMIC_RELAXED);
	else
		done = bin_add_sample(
			arena_bin(extent->arena, extent->size_class), extent,
			ptr, sample);
	thread_busy--;
	return done;
}

bool heap_set_sample(void *ptr, uint32_t sample)
{
	struct extent *extent = page_word_extent(page_map_get((uintptr_t)ptr));

	if (extent->state != EXTENT_SLAB || !extent->apart)
		return set_sample(extent, ptr, sample);
	__atomic_store_n(slab_sample(extent, ptr), sample, __ATOMIC_RELAXED);
	return true;
}

static uint32_t own_sample(const uint32_t *place)
{
	uint32_t sample = __atomic_load_n(place, __ATOMIC_RELAXED);

	return sample != EXTENT_WATCHED ? sample : 0;
}

/*
 * What a slab apart keeps for the region, which is kept no more. Who frees one
 * twice at a time may find it twice, and the profiler does not.
 */
static uint32_t take_sample_apart(const struct extent *slab, const void *ptr)
{
	uint32_t *place = slab_sample(slab, ptr);
	uint32_t sample = __atomic_load_n(place, __ATOMIC_RELAXED);

	__atomic_store_n(place, 0, __ATOMIC_RELAXED);
	return sample;
}

/* The same of any allocation; 0: it is no sample. */
static uint32_t take_sample(const void *ptr, struct extent *extent)
{
	uint32_t sample = 0;

	if (extent->state == EXTENT_LARGE) {
		sample = own_sample(&extent->sampled);
		if (sample)
			page_heap_mark_large(extent->arena, extent, 0);
	} else if (extent->state == EXTENT_GUARDED) {
		sample = __atomic_exchange_n(&extent->sampled, 0,
					     __ATOMIC_RELAXED);
	} else if (extent->state == EXTENT_SLAB && extent->apart) {
		sample = take_sample_apart(extent, ptr);
	} else if (extent->state == EXTENT_SLAB) {
		thread_busy++;
		sample = bin_take_sample(
			arena_bin(extent->arena, extent->size_class), extent,
			ptr);
		thread_busy--;
	}
	return sample;
}

/* A large object that may stay in a thread's cache, though in no bin. */
#define PAGE_LONG (PAGE_LARGE | PAGE_UNCACHED)
#define PAGE_LONG_MASK (PAGE_LONG | PAGE_SAMPLED | PAGE_BYPASS)

/* May the allocation be a sample, or watched? */
static bool is_marked(uint64_t word)
{
	return word & PAGE_SAMPLED ||
	       ((word & PAGE_LONG) == PAGE_LONG &&
		__atomic_load_n(&page_word_extent(word)->sampled,
				__ATOMIC_RELAXED));
}

uint32_t heap_sample_of(const void *ptr)
{
	uint64_t word = page_map_get((uintptr_t)ptr);
	struct extent *extent = page_word_extent(word);

	if ((word & (PAGE_LIVE | PAGE_TAIL)) != PAGE_LIVE || !is_marked(word))
		return 0;
	if (word & PAGE_LARGE)
		return own_sample(&extent->sampled);
	if (extent->apart)
		return own_sample(slab_sample(extent, ptr));
	return bin_peek_sample(arena_bin(extent->arena, extent->size_class),
			       extent, ptr);
}

bool heap_watch(void *ptr, bool watched)
{
	struct extent *extent = page_word_extent(page_map_get((uintptr_t)ptr));
	uint32_t from = watched ? 0 : EXTENT_WATCHED;

	thread_busy++;
	if (extent->state == EXTENT_SLAB)
		bin_watch(arena_bin(extent->arena, extent->size_class), extent,
			  ptr, watched);
	else if (extent->state == EXTENT_LARGE && extent->sampled == from)
		page_heap_mark_large(extent->arena, extent,
				     watched ? EXTENT_WATCHED : 0);
	thread_busy--;
	return extent->state != EXTENT_EMERGENCY;
}

/* The object is about to go: the profiler forgets it; was it a sample? */
static bool forget_sample(struct thread *thread, void *ptr, uint64_t word)
{
	uint32_t sample = take_sample(ptr, page_word_extent(word));

	prof_free(thread, ptr, sample);
	return sample != 0;
}

/*
 * A small object to its slab, or to what the thread keeps of its arena. False,
 * with nothing done, where it is none in use, so far as that is looked at.
 */
static bool give_small(struct thread *thread, void *ptr, uint64_t word,
		       const struct heap_where *where)
{
	struct extent *slab = page_word_extent(word);
	struct bin *bin = arena_bin(slab->arena, page_word_tag(word));

	if (word & PAGE_BYPASS &&
	    may_keep(thread, where, page_word_tag(word)) &&
	    is_region(slab, ptr) &&
	    arena_cache_give(&thread->arena_cache, bin, ptr))
		return true;
	return bin_give_one(bin, slab, ptr);
}

static void give_back(struct thread *thread, const struct heap_where *where,
		      void *ptr, uint64_t word)
{
	struct cache *cache = choose_cache(thread, where);
	struct extent *extent = page_word_extent(word);
	/* An explicit cache may hold what the automatic ones may not. */
	bool own = thread && cache == &thread->cache;
	bool bypass = word & PAGE_BYPASS;
	bool binned = cache && !(word & PAGE_UNCACHED) && !(bypass && own) &&
		      cache_give(cache, page_word_tag(word), ptr);

	if (thread && !(binned && own)) {
		thread->direct_freed += word_usable(word);
		thread->direct_ndalloc++;
	}
	if (binned)
		return;
	if (!(word & PAGE_LARGE)) {
		if (!bypass)
			arena_free_small(&ptr, 1);
		else if (!give_small(thread, ptr, word, where))
			report_error("double free of", ptr);
	} else if (!cache || bypass || !(word & PAGE_UNCACHED) ||
		   !large_cache_give(&cache->large, extent)) {
		page_heap_give_large(extent->arena, extent);
	}
}

/* The short way for a large object: true where the thread's cache keeps it. */
static bool keep_large(uint64_t word)
{
	struct thread *thread = thread_current;
	struct extent *extent = page_word_extent(word);
	size_t usable = extent->usable;
	bool kept;

	if (thread_busy || !thread->cache.large.max_bytes || is_marked(word))
		return false;
	thread_busy++;
	kept = large_cache_give(&thread->cache.large, extent);
	thread_busy--;
	if (kept) {
		thread->direct_freed += usable;
		thread->direct_ndalloc++;
	}
	return kept;
}

/*
 * A small object of a created arena, or past all caches; false: it is none, or
 * no explicit way.
 */
static bool free_direct(void *ptr, uint64_t word,
			const struct heap_where *where)
{
	struct thread *thread = short_way();
	bool direct = word & PAGE_BYPASS ||
		      (where && where->cache == HEAP_CACHE_NONE);
	int kept_errno = errno; /* the program's hooks may not keep it */
	bool given;

	if ((word & (PAGE_LIVE | PAGE_LARGE | PAGE_SAMPLED)) != PAGE_LIVE ||
	    !direct || (where && where->cache >= 0) || !thread || fill_frees())
		return false;
	thread_busy++;
	given = give_small(thread, ptr, word, where);
	thread_busy--;
	if (given) {
		thread->direct_freed += word_usable(word);
		thread->direct_ndalloc++;
	}
	heap_run_deferred();
	errno = kept_errno;
	return given;
}

/* A small object of the slabs for samples, which goes back there at once. */
static void free_apart(struct thread *thread, void *ptr, uint64_t word)
{
	struct extent *slab = page_word_extent(word);
	unsigned size_class = page_word_tag(word);
	int kept_errno = errno;

	prof_free(thread, ptr, take_sample_apart(slab, ptr));
	fill_freed(ptr, size_classes[size_class].bytes);
	if (thread) {
		thread->direct_freed += size_classes[size_class].bytes;
		thread->direct_ndalloc++;
	}
	thread_busy++;
	if (!bin_give_one(arena_bin(slab->arena, size_class), slab, ptr))
		report_error("double free of", ptr);
	thread_busy--;
	heap_run_deferred();
	errno = kept_errno;
}

/* Of a page word: a small object of a marked page, that caches may keep. */
#define PAGE_BESIDE (PAGE_LIVE | PAGE_SAMPLED)
#define PAGE_BESIDE_MASK (PAGE_LIVE | PAGE_SAMPLED | PAGE_LARGE | PAGE_BYPASS)

/*
 * While one region of a page is watched, none of them is freed by the fast
 * path. What the filter says is not goes to the thread's cache all the same,
 * and is looked at no more closely than there. These are many for each sample,
 * so this looks at what it needs and at nothing else.
 */
static inline bool free_beside_watched(void *ptr, uint64_t word)
{
	const struct extent *slab = page_word_extent(word);

	return (word & PAGE_BESIDE_MASK) == PAGE_BESIDE &&
	       !(__atomic_load_n(&slab->watched_filter, __ATOMIC_RELAXED) &
		 slab_region_bit(ptr)) &&
	       cache_push(
		       cache_bin(&thread_current->cache, page_word_tag(word)),
		       ptr);
}

/*
 * A small object that may be a sample, not apart: true where it was one, and
 * is now in the thread's cache, as by the fast path.
 */
static bool free_sampled(struct thread *thread, void *ptr, uint64_t word)
{
	return (word & PAGE_BESIDE_MASK) == PAGE_BESIDE &&
	       forget_sample(thread, ptr, word) &&
	       cache_push(cache_bin(&thread->cache, page_word_tag(word)), ptr);
}

/* The short ways for what lies on a marked page of a slab. */
static bool free_marked(void *ptr, uint64_t word,
			const struct heap_where *where)
{
	struct thread *thread = short_way();

	if ((word & (PAGE_LIVE | PAGE_SAMPLED)) != PAGE_BESIDE || !thread ||
	    !is_region(page_word_extent(word), ptr))
		return false;
	if (!page_word_extent(word)->apart)
		return !where && free_sampled(thread, ptr, word);
	free_apart(thread, ptr, word);
	return true;
}

/* What follows a free that came here; thread may be NULL. */
static void leave_free(struct thread *thread, uint64_t start_ns)
{
	if (thread)
		thread_tick(thread);
	leave(thread);
	time_free(start_ns);
	/* This may be the last that the program does for a long time. */
	if (thread && waiting_any() && !background_running())
		thread_look_soon(thread);
}

/* Not inlined, so that what has a short way need not save registers. */
static __attribute__((noinline)) void
free_slowly(void *ptr, const struct heap_where *where)
{
	uint64_t word = live_word(ptr);
	int kept_errno = errno;
	struct thread *thread;
	uint64_t start_ns;

	if (!where && (word & PAGE_LONG_MASK) == PAGE_LONG && keep_large(word))
		return;
	if (page_word_extent(word)->state == EXTENT_EMERGENCY) {
		emergency_free(page_word_extent(word));
		errno = kept_errno;
		return;
	}
	if (thread_busy) {
		heap_defer_free(ptr);
		return;
	}
	thread = thread_get();
	start_ns = start_timing(thread);
	if (page_word_extent(word)->state == EXTENT_GUARDED) {
		forget_sample(thread, ptr, word);
		ptr = guard_give(ptr, true);
		word = live_word(ptr);
	}
	if (!(word & PAGE_LARGE) && page_word_extent(word)->apart) {
		free_apart(thread, ptr, word);
		return;
	}
	if (is_marked(word))
		forget_sample(thread, ptr, word);
	fill_freed(ptr, word_usable(word));
	thread_busy++;
	give_back(thread, where, ptr, word);
	thread_busy--;
	leave_free(thread, start_ns);
	errno = kept_errno;
}

/*
 * The short way for a small object that the thread's cache has no room for
 * until some go: like those before, it is looked at when it goes itself.
 */
static bool keep_after_flush(void *ptr)
{
	struct thread *thread = short_way();
	size_t slot = page_class_slot(ptr);
	int kept_errno = errno;
	uint64_t start_ns;
	bool kept;

	if (!slot || !thread || !thread->cache.bins[slot].limit)
		return false;
	start_ns = start_timing(thread);
	thread_busy++;
	kept = cache_give(&thread->cache, (unsigned)slot - 1, ptr);
	thread_busy--;
	if (kept)
		leave_free(thread, start_ns);
	errno = kept_errno;
	return kept;
}

/*
 * A small object of a created arena, which the thread keeps; it is looked at
 * no more closely than what goes to the thread's cache.
 */
static inline bool keep_small(void *ptr, uint64_t word,
			      const struct heap_where *where)
{
	struct thread *thread = thread_current;
	unsigned size_class = page_word_tag(word);

	if (word & (PAGE_SAMPLED | PAGE_LARGE) ||
	    (where && where->cache != HEAP_CACHE_AUTOMATIC) || thread_busy ||
	    !thread->arena_cache ||
	    !arena_cache_push(thread->arena_cache,
			      page_word_extent(word)->arena, size_class, ptr))
		return false;
	thread->direct_freed += size_classes[size_class].bytes;
	thread->direct_ndalloc++;
	return true;
}

/* Not inlined, as above. */
static __attribute__((noinline)) void
free_otherwise(void *ptr, const struct heap_where *where, uint64_t word)
{
	if (!HEAP_CHECKS_ALL && !(word & PAGE_LARGE) &&
	    (free_marked(ptr, word, where) || free_direct(ptr, word, where) ||
	     (!where && keep_after_flush(ptr))))
		return;
	free_slowly(ptr, where);
}

/* Not inlined, as above. */
static __attribute__((noinline)) void
free_of_created(void *ptr, const struct heap_where *where, uint64_t word)
{
	if (!keep_small(ptr, word, where))
		free_otherwise(ptr, where, word);
}

void heap_free(void *ptr, const struct heap_where *where)
{
	uint64_t word = page_map_get((uintptr_t)ptr);

	if (!HEAP_CHECKS_ALL && !where && free_beside_watched(ptr, word))
		return;
	if (!HEAP_CHECKS_ALL && word & PAGE_BYPASS)
		free_of_created(ptr, where, word);
	else
		free_otherwise(ptr, where, word);
}

void heap_check_size(const void *ptr, size_t size, size_t alignment)
{
	uint64_t word = live_word(guard_backing(ptr));
	size_t usable = word_usable(word);
	unsigned size_class;

	if (page_word_extent(word)->state != EXTENT_EMERGENCY &&
	    (size > usable ||
	     size_class_round(size, alignment, &size_class) < usable))
		report_error("free with a wrong size of", ptr);
}

void heap_free_sized(void *ptr, size_t size, size_t alignment,
		     const struct heap_where *where)
{
	heap_check_size(ptr, size, alignment);
	heap_free(ptr, where);
}

/* An object that stayed where it is counts as freed and allocated anew. */
static void recount(struct thread *thread, void *ptr, size_t old_usable,
		    size_t requested, size_t usable, unsigned size_class)
{
	uint64_t word = page_map_get((uintptr_t)ptr);

	if (is_marked(word))
		forget_sample(thread, ptr, word);
	if (thread) {
		thread->direct_freed += old_usable;
		thread->direct_nmalloc++;
		thread->direct_ndalloc++;
	}
	count_allocation(thread, ptr, requested, usable, size_class,
			 GUARD_NEVER);
}

/*
 * What the extent has beyond the object may be used without a lock; it may
 * have been used before.
 */
static bool resize_extent(struct extent *extent, size_t usable,
			  unsigned size_class)
{
	if (usable <= extent->bytes &&
	    (usable > extent->usable ||
	     extent->bytes - usable <= usable / MAX_LEFT_OVER)) {
		extent->dirty_bytes = extent->bytes;
		extent->usable = usable;
		return true;
	}
	return page_heap_resize_large(extent->arena, extent, usable,
				      size_class);
}

/* A large object to usable bytes, in place. */
static bool resize_in_place(void *ptr, uint64_t word, size_t requested,
			    size_t usable, unsigned size_class, bool zero)
{
	struct extent *extent = page_word_extent(word);
	size_t old_usable = extent->usable;
	struct thread *thread;
	bool done;

	if (usable == old_usable)
		return true;
	if (extent->state != EXTENT_LARGE || thread_busy)
		return false;
	/* What is cut off would have to be filled, and may be kept. */
	if (fill_frees() && usable < old_usable)
		return false;
	thread = thread_get();
	thread_busy++;
	done = resize_extent(extent, usable, size_class);
	thread_busy--;
	if (done && zero)
		clear_dirty(extent, old_usable);
	else if (done && usable > old_usable)
		fill_allocated((char *)ptr + old_usable, usable - old_usable);
	if (done)
		recount(thread, ptr, old_usable, requested, usable, size_class);
	leave(thread);
	return done;
}

bool heap_is_sparse(const void *ptr)
{
	uint64_t word = live_word(ptr);
	struct extent *slab = page_word_extent(word);
	bool sparse;

	if (word & PAGE_LARGE || thread_busy)
		return false;
	thread_busy++;
	sparse = bin_is_sparse(arena_bin(slab->arena, slab->size_class), slab);
	thread_busy--;
	heap_run_deferred();
	return sparse;
}

static bool aligned(const void *ptr, size_t alignment)
{
	return !alignment || !((uintptr_t)ptr & (alignment - 1));
}

/* Does the object at ptr serve size bytes where it is, if need be resized? */
static bool fits_in_place(void *ptr, uint64_t word, size_t size, size_t usable,
			  size_t alignment, unsigned size_class, bool zero)
{
	if (!aligned(ptr, alignment))
		return false;
	if (!(word & PAGE_LARGE))
		return size_class == page_word_tag(word);
	if (size_class_is_small(size_class))
		return false;
	return resize_in_place(ptr, word, size, usable, size_class,
			       zero || opt.zero);
}

/* May the object at old be moved by whole pages to one of usable bytes? */
static bool moves_by_pages(const void *old, uint64_t word, size_t usable)
{
	const struct extent *extent = page_word_extent(word);

	return word & PAGE_LARGE && extent->state == EXTENT_LARGE &&
	       extent->base == (uintptr_t)old &&
	       extent->bytes >= MOVE_MIN_BYTES && usable >= extent->bytes &&
	       !fill_any() && !thread_busy &&
	       !hooks_are_custom(extent->arena) &&
	       !os_is_locked((void *)extent->base);
}

/*
 * Moves what a large object holds to its successor, if that is made of whole
 * pages too; what it had beyond its usable bytes is cleared where need be.
 */
static void move_large(void *ptr, struct extent *from, bool zero)
{
	uint64_t word = page_map_get((uintptr_t)ptr);
	struct extent *to = page_word_extent(word);

	if (to->state != EXTENT_LARGE || to->base != (uintptr_t)ptr ||
	    to->bytes < from->bytes || hooks_are_custom(to->arena)) {
		memcpy(ptr, (void *)from->base, from->usable);
		return;
	}
	from->emptied = move_pages(ptr, (void *)from->base, from->bytes);
	if (zero && from->bytes > from->usable)
		memset((char *)ptr + from->usable, 0,
		       from->bytes - from->usable);
}

/* As realloc of a large object that grows, and finds no room where it is. */
static void *regrow(void *old, uint64_t word, size_t size, size_t alignment,
		    bool zero, const struct heap_where *where)
{
	void *ptr;

	huge_may_look(page_word_extent(word));
	ptr = allocate((struct request){.size = size,
					.alignment = alignment,
					.zero = zero || opt.zero,
					.roomy = true},
		       where);
	if (!ptr)
		return NULL;
	move_large(ptr, page_word_extent(word), zero || opt.zero);
	heap_free(old, where);
	return ptr;
}

/* The short way, if it can be. */
static __attribute__((noinline)) void *
allocate_there(size_t size, size_t alignment, bool zero,
	       const struct heap_where *where)
{
	void *ptr = NULL;

	if (where->arena && where->cache < 0 && !alignment && !zero)
		ptr = heap_allocate_direct(where->arena, size, where->cache);
	return ptr ? ptr : heap_allocate(size, alignment, zero, where);
}

void *heap_reallocate(void *old, size_t size, size_t alignment, bool zero,
		      const struct heap_where *where)
{
	uint64_t word = live_word(old);
	size_t old_usable = word_usable(word), usable;
	unsigned size_class;
	void *ptr;

	usable = size_class_round(size, alignment, &size_class);
	if (!usable)
		return NULL;
	if (fits_in_place(old, word, size, usable, alignment, size_class, zero))
		return old;
	if (moves_by_pages(old, word, usable))
		return regrow(old, word, size, alignment, zero, where);
	ptr = where ? allocate_there(size, alignment, zero, where)
		    : heap_allocate(size, alignment, zero, NULL);
	if (!ptr)
		return NULL;
	memcpy(ptr, old, size < old_usable ? size : old_usable);
	heap_free(old, where);
	return ptr;
}

size_t heap_resize(void *ptr, size_t size, size_t extra, size_t alignment,
		   bool zero)
{
	uint64_t word = live_word(ptr);
	size_t old_usable = word_usable(word), least, most, usable;
	unsigned size_class;

	if (!aligned(ptr, alignment))
		return old_usable;
	if (extra > LARGE_MAX_BYTES - size)
		extra = LARGE_MAX_BYTES - size;
	least = size_class_round(size, 0, &size_class);
	most = size_class_round(size + extra, 0, &size_class);
	if (!least || !most || (least <= old_usable && old_usable <= most))
		return old_usable;
	if (!(word & PAGE_LARGE))
		return old_usable;
	usable = most;
	if (!size_class_is_small(size_class) &&
	    resize_in_place(ptr, word, size, usable, size_class,
			    zero || opt.zero))
		return usable;
	usable = size_class_round(size, 0, &size_class);
	if (usable > old_usable &&
	    resize_in_place(ptr, word, size, usable, size_class,
			    zero || opt.zero))
		return usable;
	return old_usable;
}
