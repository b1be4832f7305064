/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slow paths of freeing: everything that a thread's own cache cannot take
 * at once. Owns no state. Each entry raises thread_busy while locks may be
 * held, calls the profiler outside of that, and keeps errno.
 */
#include "config.h"

#include "liballoc/heap/heap.h"

#include <errno.h>

#include "liballoc/heap/apart.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/arena_cache.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/marks.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/slab.h"
#include "liballoc/heap/steps.h"
#include "liballoc/heap/thread.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/safety/fill.h"
#include "liballoc/safety/guard.h"
#include "liballoc/safety/report.h"

/* What keep_large() may take: no sample, of no created arena. */
#define PAGE_LONG_MASK (PAGE_LONG | PAGE_SAMPLED | PAGE_BYPASS)

static void time_free(uint64_t start_ns)
{
	if (start_ns)
		ledger_add_bucket(ledger_process()->slow_free_ns,
				  LEDGER_TIME_BUCKETS,
				  os_clock_ns() - start_ns);
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

	if (thread_busy || !thread->cache.large.max_bytes ||
	    heap_is_marked(word))
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

/* A small object of the slabs for samples; thread may be NULL. */
static void free_apart(struct thread *thread, void *ptr, uint64_t word,
		       const struct heap_where *where)
{
	struct cache *cache = choose_cache(thread, where);
	bool own = thread && cache == &thread->cache;
	struct extent *slab = page_word_extent(word);
	unsigned size_class = page_word_tag(word);
	uint32_t sample = take_sample_apart(slab, ptr);
	int kept_errno = errno;

	prof_free(thread, ptr, sample);
	fill_freed(ptr, size_classes[size_class].bytes);
	if (thread) {
		thread->direct_freed += size_classes[size_class].bytes;
		thread->direct_ndalloc++;
	}
	thread_busy++;
	apart_give(own ? cache : NULL, slab, ptr, sample != 0);
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

	return !(__atomic_load_n(&slab->watched_filter, __ATOMIC_RELAXED) &
		 slab_region_bit(ptr)) &&
	       cache_push(
		       cache_bin(&thread_current->cache, page_word_tag(word)),
		       ptr);
}

/*
 * The short way for what may be a sample, not apart: true where it was one, and
 * is now in the thread's cache, as by the fast path.
 */
static bool free_sampled(void *ptr, uint64_t word)
{
	struct thread *thread = short_way();

	return (word & PAGE_BESIDE_MASK) == PAGE_BESIDE && thread &&
	       is_region(page_word_extent(word), ptr) &&
	       heap_forget_sample(thread, ptr, word) &&
	       cache_push(cache_bin(&thread->cache, page_word_tag(word)), ptr);
}

/* What follows a free that came here; thread may be NULL. */
static void leave_free(struct thread *thread, uint64_t start_ns)
{
	if (thread)
		thread_tick(thread);
	heap_leave(thread);
	time_free(start_ns);
	/* This may be the last that the program does for a long time. */
	if (thread && waiting_any() && !background_running())
		thread_look_soon(thread);
}

/* Not inlined, so that what has a short way need not save registers. */
static __attribute__((noinline)) void
free_slowly(void *ptr, const struct heap_where *where)
{
	uint64_t word = heap_live_word(ptr);
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
		heap_forget_sample(thread, ptr, word);
		ptr = guard_give(ptr, true);
		word = heap_live_word(ptr);
	}
	if (!(word & PAGE_LARGE) && page_word_extent(word)->apart) {
		free_apart(thread, ptr, word, where);
		return;
	}
	if (heap_is_marked(word))
		heap_forget_sample(thread, ptr, word);
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
	    ((!where && free_sampled(ptr, word)) ||
	     free_direct(ptr, word, where) ||
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

/* The short way for a sample that lies apart; else as it may be. */
static __attribute__((noinline)) void
free_of_apart(void *ptr, const struct heap_where *where, uint64_t word)
{
	struct thread *thread = short_way();

	if (thread && is_region(page_word_extent(word), ptr))
		free_apart(thread, ptr, word, where);
	else
		free_slowly(ptr, where);
}

/* What is not freed beside a watched object. */
static inline void free_one_way(void *ptr, const struct heap_where *where,
				uint64_t word)
{
	if (!HEAP_CHECKS_ALL &&
	    (word & (PAGE_BESIDE | PAGE_LARGE)) == PAGE_BESIDE &&
	    page_word_extent(word)->apart)
		free_of_apart(ptr, where, word);
	else if (!HEAP_CHECKS_ALL && word & PAGE_BYPASS)
		free_of_created(ptr, where, word);
	else
		free_otherwise(ptr, where, word);
}

/*
 * Not left by a jump: where the allocator is linked in, this function on the
 * call stack tells the profiler where the allocator's own frames end.
 */
void heap_free(void *ptr, const struct heap_where *where)
{
	uint64_t word = page_map_get((uintptr_t)ptr);

	if (!HEAP_CHECKS_ALL && !where &&
	    (word & PAGE_BESIDE_MASK) == PAGE_BESIDE &&
	    free_beside_watched(ptr, word))
		return;
	free_one_way(ptr, where, word);
	__asm__ volatile("");
}

void heap_check_size(const void *ptr, size_t size, size_t alignment)
{
	uint64_t word = heap_live_word(guard_backing(ptr));
	size_t usable = word_usable(word);
	unsigned size_class;

	/* What a guarded one says of its size may be of a smaller class. */
	if (page_word_extent(word)->state != EXTENT_EMERGENCY &&
	    (size > usable ||
	     size_class_round(size, alignment, &size_class) < usable) &&
	    size != heap_usable(ptr))
		report_error("free with a wrong size of", ptr);
}

void heap_free_sized(void *ptr, size_t size, size_t alignment,
		     const struct heap_where *where)
{
	heap_check_size(ptr, size, alignment);
	heap_free(ptr, where);
}
