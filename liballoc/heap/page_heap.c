/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page heap. Owns the free runs of an arena and the page words that bound
 * them: the first and last page of a free run carry the run and the arena's
 * index, which is how neighbours find each other. Only runs of the same arena
 * and state are joined, so clean memory stays known to be zero.
 */
#include "config.h"

#include "liballoc/heap/page_heap.h"

#include <sched.h>
#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/extent_hooks.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/huge.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/sparse.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/safety/report.h"

#define FIRST_MAP ((size_t)512 << 10)
#define MAX_MAP ((size_t)64 << 20)
/* What an object that grows gets of address space, and the most of it. */
#define ROOM_TIMES 4u
#define MAX_ROOM ((size_t)1 << 30)
/* So many of the longest runs are looked at. */
#define MOST_LOOKS 8u
/* A dirty run serves for a part of an object from this share of it. */
#define LEAST_PART 8u
/* Where hooks refuse a part of what they gave, so often none is wanted. */
#define EXACT_MAPS 64u
/* Extents that one operation may need: two splits, and a mapping. */
#define SPARES 3u

__attribute__((cold)) void page_heap_init(struct page_heap *heap)
{
	uint64_t now = os_now_ns();
	ssize_t dirty = heap_default_dirty_decay_ms();
	ssize_t muzzy = heap_default_muzzy_decay_ms();

	lock_init(&heap->lock, LOCK_PAGE_HEAP);
	heap->next_map_bytes = FIRST_MAP;
	heap->max_map_bytes = MAX_MAP;
	heap->oversize_bytes = opt.oversize_threshold;
	heap->due_ns = WAITING_NEVER;
	decay_set(&heap->decay[EXTENT_DIRTY], dirty, now);
	decay_set(&heap->decay[EXTENT_MUZZY], muzzy, now);
}

/* Extents in hand, so that no operation stops half way for want of one. */
static bool have_spares(struct page_heap *heap)
{
	while (heap->spare_count < SPARES) {
		struct extent *extent = metadata_allocate(sizeof(*extent));

		if (!extent)
			return false;
		extent->next = heap->spare;
		heap->spare = extent;
		heap->spare_count++;
	}
	return true;
}

static struct extent *take_spare(struct page_heap *heap)
{
	struct extent *extent = heap->spare;

	heap->spare = extent->next;
	heap->spare_count--;
	memset(extent, 0, sizeof(*extent));
	return extent;
}

static void put_spare(struct page_heap *heap, struct extent *extent)
{
	if (heap->spare_count >= 2 * SPARES) {
		metadata_free(extent, sizeof(*extent));
		return;
	}
	extent->next = heap->spare;
	heap->spare = extent;
	heap->spare_count++;
}

/* The ledger's words for free memory of each state. */
static void publish_free(struct arena *arena)
{
	const size_t *bytes = arena->pages.free_bytes;

	ledger_set(&arena->stats->dirty, bytes[EXTENT_DIRTY]);
	ledger_set(&arena->stats->muzzy, bytes[EXTENT_MUZZY]);
	ledger_set(&arena->stats->retained, bytes[EXTENT_CLEAN]);
}

static void count_free(struct arena *arena, enum extent_state state,
		       size_t delta)
{
	struct process_stats *process = ledger_process();

	arena->pages.free_bytes[state] += delta;
	if (state == EXTENT_DIRTY)
		waiting_count((int64_t)delta);
	if (state == EXTENT_CLEAN) {
		ledger_add_shared(&process->retained, delta);
		ledger_add_shared(&process->mapped, -delta);
		ledger_add(&arena->stats->mapped, -delta);
	}
}

static void count_active(struct arena *arena, size_t delta)
{
	size_t *pages = &arena->pages.active_pages;
	uint64_t active = ledger_get(&arena->stats->active) + delta;

	ledger_set(&arena->stats->active, active);
	/* Read at any time by whoever asked where it is. */
	__atomic_store_n(pages, active / os_page_bytes, __ATOMIC_RELAXED);
}

static uint64_t mapped_peak;
static bool peak_passed;

static void note_peak(void)
{
	uint64_t mapped = ledger_get(&ledger_process()->mapped);

	if (mapped <= ledger_get(&mapped_peak))
		return;
	ledger_set(&mapped_peak, mapped);
	__atomic_store_n(&peak_passed, true, __ATOMIC_RELAXED);
}

bool page_heap_peak_passed(void)
{
	if (!__atomic_load_n(&peak_passed, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&peak_passed, false, __ATOMIC_RELAXED);
	return prof_gdump_get();
}

/* New address space, or address space that goes: counted as mapped. */
static void count_mapped(struct arena *arena, size_t delta)
{
	ledger_add_shared(&ledger_process()->mapped, delta);
	ledger_add(&arena->stats->mapped, delta);
}

static void set_bounds(const struct extent *run, uint64_t word)
{
	page_map_set(run->base, word);
	page_map_set(run->base + run->bytes - PAGE_MAP_UNIT, word);
}

static void add_run(struct arena *arena, struct extent *run,
		    enum extent_state state)
{
	struct page_heap *heap = &arena->pages;

	run->state = state;
	run->fresh = false;
	run->arena = arena;
	set_bounds(run, page_word(run, arena->index, 0));
	run_set_insert(&heap->runs[state], run);
	if (state < EXTENT_CLEAN)
		extent_list_append(&heap->by_age[state], run);
	count_free(arena, state, run->bytes);
}

/* Of a run that is kept whole, only what is resident waits. */
static void count_sparse(struct arena *arena, const struct extent *run,
			 bool more)
{
	size_t resident = run->resident_bytes, absent = run->bytes - resident;

	count_free(arena, EXTENT_DIRTY, more ? resident : -resident);
	count_free(arena, EXTENT_CLEAN, more ? absent : -absent);
}

void page_heap_remove_run(struct arena *arena, struct extent *run)
{
	struct page_heap *heap = &arena->pages;

	if (run->state < EXTENT_CLEAN)
		extent_list_remove(&heap->by_age[run->state], run);
	if (run->fresh) {
		sparse_runs_remove(&heap->sparse, run);
		count_sparse(arena, run, false);
		return;
	}
	run_set_remove(&heap->runs[run->state], run);
	set_bounds(run, 0);
	count_free(arena, run->state, -run->bytes);
}

/* The free run of this arena that the page at address bounds, or NULL. */
static struct extent *free_run_at(const struct arena *arena, uintptr_t address)
{
	uint64_t word = page_map_get(address);

	if (!word || word & PAGE_LIVE || page_word_tag(word) != arena->index)
		return NULL;
	return page_word_extent(word);
}

/* Puts a run among the free ones, joined with its neighbours. */
static void free_run(struct arena *arena, struct extent *run,
		     enum extent_state state)
{
	struct page_heap *heap = &arena->pages;
	struct extent *other = free_run_at(arena, run->base - PAGE_MAP_UNIT);

	if (other && other->state == state && hooks_merge(arena, other, run)) {
		page_heap_remove_run(arena, other);
		run->base = other->base;
		run->bytes += other->bytes;
		run->huge |= other->huge;
		put_spare(heap, other);
	}
	other = free_run_at(arena, run->base + run->bytes);
	if (other && other->state == state && hooks_merge(arena, run, other)) {
		page_heap_remove_run(arena, other);
		run->bytes += other->bytes;
		run->huge |= other->huge;
		put_spare(heap, other);
	}
	add_run(arena, run, state);
}

/* A size is filled that was not: what is kept whole is as other runs are. */
static void settle_doubted(struct arena *arena)
{
	struct sparse_runs *sparse = &arena->pages.sparse;
	struct extent *run;

	if (!sparse_runs_are_doubted(sparse))
		return;
	while ((run = run_set_longest(&sparse->set))) {
		page_heap_remove_run(arena, run);
		free_run(arena, run, EXTENT_DIRTY);
	}
}

void page_heap_settle_recent(struct arena *arena)
{
	struct extent *run;

	settle_doubted(arena);
	while ((run = recent_runs_take_any(&arena->pages.recent))) {
		count_free(arena, EXTENT_DIRTY, -run->bytes);
		free_run(arena, run, EXTENT_DIRTY);
	}
}

/* Keeps a short run as it is; false: it is to go to its set. */
static bool keep_recent(struct arena *arena, struct extent *run)
{
	if (hooks_are_custom(arena) ||
	    !recent_runs_put(&arena->pages.recent, run))
		return false;
	count_free(arena, EXTENT_DIRTY, run->bytes);
	return true;
}

static struct extent *take_recent(struct arena *arena, size_t bytes)
{
	struct extent *run = recent_runs_take(&arena->pages.recent, bytes);

	if (!run)
		return NULL;
	count_free(arena, EXTENT_DIRTY, -bytes);
	run->dirty_bytes = bytes;
	return run;
}

/* May hardly touched runs be kept? As far as is known without the lock. */
static bool keeps_sparse(const struct arena *arena)
{
	return opt.retain && arena->pages.decay[EXTENT_DIRTY].ms &&
	       !hooks_are_custom(arena);
}

/* Keeps a run as it is, of which not all is resident; false: one too many. */
static bool keep_sparse(struct arena *arena, struct extent *run,
			size_t resident_bytes)
{
	struct page_heap *heap = &arena->pages;

	if (heap->oversize_bytes && run->bytes >= heap->oversize_bytes)
		return false;
	if (!sparse_runs_have_room(&heap->sparse, run->bytes,
				   ledger_get(&arena->stats->active)))
		return false;
	run->state = EXTENT_DIRTY;
	run->resident_bytes = resident_bytes;
	sparse_runs_put(&heap->sparse, run);
	extent_list_append(&heap->by_age[EXTENT_DIRTY], run);
	count_sparse(arena, run, true);
	return true;
}

static struct extent *take_sparse(struct arena *arena, size_t bytes,
				  size_t alignment)
{
	struct extent *run =
		sparse_runs_find(&arena->pages.sparse, bytes, alignment);

	if (!run)
		return NULL;
	page_heap_remove_run(arena, run);
	run->dirty_bytes = run->bytes;
	run->state = EXTENT_BUSY;
	return run;
}

/* Cuts run after bytes; the rest becomes free. Needs a spare. */
static void cut(struct arena *arena, struct extent *run, size_t bytes,
		enum extent_state state)
{
	struct extent *rest;

	if (run->bytes == bytes)
		return;
	rest = take_spare(&arena->pages);
	rest->base = run->base + bytes;
	rest->bytes = run->bytes - bytes;
	rest->hooked = run->hooked;
	rest->huge = run->huge;
	run->bytes = bytes;
	add_run(arena, rest, state);
}

/* The same of its first bytes, which become free. */
static void cut_front(struct arena *arena, struct extent *run, size_t bytes)
{
	struct extent *front = take_spare(&arena->pages);

	front->hooked = run->hooked;
	front->huge = run->huge;
	front->base = run->base;
	front->bytes = bytes;
	run->base += bytes;
	run->bytes -= bytes;
	add_run(arena, front, run->state);
}

/* Bytes of a run, from its base, that may not be zero. */
static size_t dirty_part(const struct extent *run)
{
	if (run->state == EXTENT_CLEAN && !(run->hooked & EXTENT_SOILED))
		return 0;
	return run->bytes;
}

/* Do the free runs behind extent make it bytes long? */
static bool can_extend(const struct arena *arena, const struct extent *extent,
		       size_t bytes)
{
	const struct extent *next;
	size_t have = extent->bytes;

	while (have < bytes) {
		next = free_run_at(arena, extent->base + have);
		if (!next || next->hooked)
			return false;
		have += next->bytes;
	}
	return true;
}

/* Appends free runs, of whatever state; can_extend() said that they are. */
static void extend(struct arena *arena, struct extent *extent, size_t bytes)
{
	while (extent->bytes < bytes) {
		size_t more = bytes - extent->bytes;
		struct extent *next =
			free_run_at(arena, extent->base + extent->bytes);

		page_heap_remove_run(arena, next);
		if (next->state == EXTENT_CLEAN)
			huge_may_ask(next, bytes);
		if (next->bytes > more)
			cut(arena, next, more, next->state);
		extent->bytes += next->bytes;
		extent->huge |= next->huge;
		if (next->state != EXTENT_CLEAN)
			extent->dirty_bytes = extent->bytes;
		else
			waiting_took_clean(next->bytes);
		put_spare(&arena->pages, next);
	}
}

/*
 * Makes a run that was removed into exactly what was asked for; NULL, with all
 * of it free again, where custom hooks would not have it so.
 */
static struct extent *carve(struct arena *arena, struct extent *run,
			    size_t bytes, size_t alignment)
{
	enum extent_state state = run->state;
	size_t lead = -run->base & (alignment - 1);

	if (state == EXTENT_CLEAN && !hooks_are_custom(arena))
		huge_may_ask(run, bytes);
	if (lead) {
		if (!hooks_split(arena, run, lead))
			goto refused;
		cut_front(arena, run, lead);
	}
	if (run->bytes != bytes && !hooks_split(arena, run, bytes))
		goto refused;
	cut(arena, run, bytes, state);
	if (!hooks_commit(arena, run))
		goto refused;
	run->dirty_bytes = dirty_part(run);
	run->hooked = 0;
	if (!run->dirty_bytes) {
		waiting_took_clean(bytes);
		huge_may_try_without(run);
	}
	run->state = EXTENT_BUSY;
	run->arena = arena;
	return run;
refused:
	add_run(arena, run, state);
	return NULL;
}

static struct extent *find_run(struct arena *arena, size_t bytes,
			       size_t alignment, enum extent_state first)
{
	size_t need = bytes + alignment - os_page_bytes;
	struct extent *run;
	unsigned state;

	for (state = first; state < EXTENT_FREE_STATES; state++) {
		run = run_set_find(&arena->pages.runs[state], need);
		if (run)
			return run;
	}
	return NULL;
}

/*
 * A dirty run in front of the clean one that was found makes the start: its
 * pages are resident already, and what remains of the clean one stays whole.
 */
static struct extent *with_dirty_before(struct arena *arena, struct extent *run)
{
	struct extent *before = free_run_at(arena, run->base - PAGE_MAP_UNIT);

	return before ? before : run;
}

/* No run is long enough: the longest dirty one with its neighbours may be. */
static struct extent *find_joined(struct arena *arena, size_t bytes)
{
	struct extent *run = run_set_longest(&arena->pages.runs[EXTENT_DIRTY]);
	struct extent *before;

	if (!run)
		return NULL;
	before = free_run_at(arena, run->base - PAGE_MAP_UNIT);
	if (before)
		run = before;
	return can_extend(arena, run, bytes) ? run : NULL;
}

/* The last bytes of a free run, as a run of their own, still free. */
static struct extent *split_tail(struct arena *arena, struct extent *run,
				 size_t bytes)
{
	if (run->bytes <= bytes)
		return run;
	page_heap_remove_run(arena, run);
	cut_front(arena, run, run->bytes - bytes);
	add_run(arena, run, run->state);
	return run;
}

/*
 * No dirty run is long enough: one of the longest with pages behind it, or
 * before it, that are free, so that few more pages become resident.
 */
static struct extent *find_mostly_dirty(struct arena *arena, size_t bytes)
{
	const struct run_set *set = &arena->pages.runs[EXTENT_DIRTY];
	struct extent *run = run_set_longest(set), *before;
	unsigned looks = MOST_LOOKS;

	for (; run && run->bytes >= bytes / LEAST_PART && looks--;
	     run = run_set_before(set, run)) {
		if (can_extend(arena, run, bytes))
			return run;
		before = free_run_at(arena, run->base - PAGE_MAP_UNIT);
		if (before && !before->hooked && !run->hooked &&
		    before->bytes + run->bytes >= bytes)
			return split_tail(arena, before, bytes - run->bytes);
	}
	return NULL;
}

/* Where the free pages begin that serve best, in one run or in several. */
static struct extent *find_runs(struct arena *arena, size_t bytes,
				size_t alignment)
{
	struct extent *run = find_run(arena, bytes, alignment, EXTENT_DIRTY);
	struct extent *joined;

	if ((!run || run->state != EXTENT_DIRTY) && arena->pages.recent.count) {
		page_heap_settle_recent(arena);
		run = find_run(arena, bytes, alignment, EXTENT_DIRTY);
	}
	if (alignment > os_page_bytes)
		return run;
	if (!run)
		return find_joined(arena, bytes);
	if (run->state != EXTENT_CLEAN)
		return run;
	joined = find_mostly_dirty(arena, bytes);
	return joined ? joined : with_dirty_before(arena, run);
}

static void map_more_next(struct page_heap *heap)
{
	heap->next_map_bytes *= 2;
	if (heap->next_map_bytes > heap->max_map_bytes)
		heap->next_map_bytes = heap->max_map_bytes;
}

/* A new mapping, as a clean run that is in no set. */
static struct extent *map_run(struct arena *arena, size_t need)
{
	struct page_heap *heap = &arena->pages;
	size_t bytes =
		need > heap->next_map_bytes ? need : heap->next_map_bytes;
	struct extent *run;
	void *base = os_map(bytes, true);

	if (!base && bytes > need) {
		bytes = need;
		base = os_map(bytes, true);
	}
	if (!base)
		return NULL;
	if (!page_map_cover((uintptr_t)base, bytes)) {
		os_unmap(base, bytes);
		return NULL;
	}
	os_advise_huge(base, bytes);
	if (need <= heap->next_map_bytes)
		map_more_next(heap);
	count_mapped(arena, bytes);
	run = take_spare(heap);
	run->base = (uintptr_t)base;
	run->bytes = bytes;
	run->state = EXTENT_CLEAN;
	return run;
}

/*
 * As map_run, by custom hooks: room for more than this only where it may be
 * cut off and the hooks have it. exactly: even then not. All of what is wanted
 * is to be committed at once, of more, what is wanted later.
 */
static struct extent *map_by_hooks(struct arena *arena, size_t bytes,
				   size_t alignment, bool exactly)
{
	struct page_heap *heap = &arena->pages;
	size_t wanted = heap->next_map_bytes;
	struct extent *run;
	uint8_t hooked;
	void *base = NULL;

	if (heap->exact_maps) {
		heap->exact_maps--;
		exactly = true;
	}
	if (!exactly && opt.retain && wanted > bytes)
		base = hooks_map(arena, wanted, alignment, false, &hooked);
	if (!base) {
		wanted = bytes;
		base = hooks_map(arena, wanted, alignment, true, &hooked);
	}
	if (!base)
		return NULL;
	if (!page_map_cover((uintptr_t)base, wanted)) {
		hooks_unmap(arena, base, wanted,
			    !(hooked & EXTENT_UNCOMMITTED));
		return NULL;
	}
	count_mapped(arena, wanted);
	run = take_spare(heap);
	run->base = (uintptr_t)base;
	run->bytes = wanted;
	run->state = EXTENT_CLEAN;
	run->hooked = hooked;
	return run;
}

/* Of just that size, for hooks that allow no cut. */
static struct extent *find_exact(struct arena *arena, size_t bytes,
				 size_t alignment)
{
	unsigned state;

	for (state = 0; state < EXTENT_FREE_STATES; state++) {
		struct extent *run =
			run_set_find(&arena->pages.runs[state], bytes);

		if (run && run->bytes == bytes &&
		    !(run->base & (alignment - 1)))
			return run;
	}
	return NULL;
}

static struct extent *take_by_hooks(struct arena *arena, size_t bytes,
				    size_t alignment)
{
	bool cuts = hooks_can_split(arena), more;
	struct extent *run;

	/* Kept while the hooks were the usual ones. */
	page_heap_settle_recent(arena);
	run = cuts ? find_run(arena, bytes, alignment, EXTENT_DIRTY)
		   : find_exact(arena, bytes, alignment);
	if (run) {
		page_heap_remove_run(arena, run);
		run = carve(arena, run, bytes, alignment);
	}
	if (run || !have_spares(&arena->pages))
		return run;
	run = map_by_hooks(arena, bytes, alignment, !cuts);
	more = run && run->bytes > bytes;
	if (run)
		run = carve(arena, run, bytes, alignment);
	if (run && more)
		map_more_next(&arena->pages);
	if (run || !have_spares(&arena->pages))
		return run;
	/* They give more, but not to be cut or committed: for a while none. */
	if (more)
		arena->pages.exact_maps = EXACT_MAPS;
	run = map_by_hooks(arena, bytes, alignment, true);
	return run ? carve(arena, run, bytes, alignment) : NULL;
}

/* Does an object lie right before run, which may grow, too? */
static bool is_crowded(const struct extent *run)
{
	uint64_t word = page_map_get(run->base - PAGE_MAP_UNIT);

	return word & PAGE_LIVE && word & PAGE_LARGE;
}

/* The room that an object in run would have: behind another one, the half. */
static size_t room_in(const struct extent *run)
{
	return is_crowded(run) ? run->bytes / 2 & -os_page_bytes : run->bytes;
}

/* The run of state with the most room, bytes at least; NULL: there is none. */
static struct extent *roomiest(struct arena *arena, enum extent_state state,
			       size_t bytes)
{
	const struct run_set *set = &arena->pages.runs[state];
	struct extent *run = run_set_longest(set), *best = NULL;
	unsigned looks = MOST_LOOKS;
	size_t most = bytes - 1;

	for (; run && run->bytes > most && looks--;
	     run = run_set_before(set, run))
		if (room_in(run) > most) {
			best = run;
			most = room_in(run);
		}
	return best;
}

/*
 * Pages with many free ones behind them, for an object that grows: it will
 * do so where it is, at the price of address space alone. Where there is most
 * room, so that objects that grow side by side are not in each other's way;
 * among dirty pages, since what is moved over such pages takes their place. A
 * run that is in no set; NULL: any will do.
 */
static struct extent *take_roomy(struct arena *arena, size_t bytes)
{
	size_t room = bytes * ROOM_TIMES;
	struct extent *run;

	if (room > MAX_ROOM || os_mapping_limit() != SIZE_MAX)
		return NULL;
	run = roomiest(arena, EXTENT_DIRTY, 2 * bytes);
	if (!run && roomiest(arena, EXTENT_DIRTY, bytes))
		return NULL;
	if (!run)
		run = roomiest(arena, EXTENT_CLEAN, room);
	if (!run)
		return map_run(arena, room);
	page_heap_remove_run(arena, run);
	if (is_crowded(run))
		cut_front(arena, run, run->bytes - room_in(run));
	return run;
}

/* The same for who wants pages that are zero: make_clean() will see to it. */
static struct extent *take_sparse_as_clean(struct arena *arena, size_t bytes,
					   size_t alignment)
{
	struct extent *run = take_sparse(arena, bytes, alignment);

	if (!run)
		return NULL;
	ledger_add(&arena->stats->dirty_nmadvise, 1);
	ledger_add(&arena->stats->dirty_purged,
		   run->resident_bytes / os_page_bytes);
	waiting_took_clean(run->bytes);
	return run;
}

/* One that was kept whole, as it is, for whom the choice allows that. */
static struct extent *take_whole(struct arena *arena, size_t bytes,
				 size_t alignment, enum page_heap_choice choice)
{
	if (choice == PAGES_SPARSE || choice == PAGES_ABSENT)
		return take_sparse(arena, bytes, alignment);
	if (choice == PAGES_CLEAN &&
	    !find_run(arena, bytes, alignment, EXTENT_CLEAN))
		return take_sparse_as_clean(arena, bytes, alignment);
	return NULL;
}

static struct extent *take_by_default(struct arena *arena, size_t bytes,
				      size_t alignment,
				      enum page_heap_choice choice)
{
	struct extent *run = take_whole(arena, bytes, alignment, choice);

	if (run)
		return run;
	if (choice == PAGES_ROOMY && alignment <= os_page_bytes)
		run = take_roomy(arena, bytes);
	if (run)
		return carve(arena, run, bytes, os_page_bytes);
	if (choice == PAGES_CLEAN || choice == PAGES_ABSENT)
		run = find_run(arena, bytes, alignment, EXTENT_CLEAN);
	if (!run)
		run = find_runs(arena, bytes, alignment);
	if (choice == PAGES_WAITING && (!run || run->state == EXTENT_CLEAN))
		return NULL;
	if (run)
		page_heap_remove_run(arena, run);
	else
		run = map_run(arena, bytes + alignment - os_page_bytes);
	if (!run)
		return NULL;
	if (run->bytes >= bytes)
		return carve(arena, run, bytes, alignment);
	run->dirty_bytes = dirty_part(run);
	extend(arena, run, bytes);
	run->state = EXTENT_BUSY;
	return run;
}

static struct extent *take(struct arena *arena, size_t bytes, size_t alignment,
			   enum page_heap_choice choice)
{
	struct extent *run;

	if (!have_spares(&arena->pages))
		return NULL;
	run = hooks_are_custom(arena)
		      ? take_by_hooks(arena, bytes, alignment)
		      : take_by_default(arena, bytes, alignment, choice);
	if (!run)
		return NULL;
	count_active(arena, run->bytes);
	note_peak();
	publish_free(arena);
	return run;
}

/* Where the kernel has no more, what all arenas keep may make room. */
struct extent *page_heap_take(struct arena *arena, size_t bytes,
			      size_t alignment, enum page_heap_choice choice)
{
	struct extent *run = NULL;
	unsigned tries = 2;

	do {
		lock_take(&arena->pages.lock);
		if (alignment == os_page_bytes)
			run = take_recent(arena, bytes);
		if (run) {
			count_active(arena, bytes);
			publish_free(arena);
		} else {
			run = take(arena, bytes, alignment, choice);
		}
		lock_release(&arena->pages.lock);
	} while (!run && choice != PAGES_WAITING && --tries &&
		 arena_reclaim(bytes));
	return run;
}

static void give(struct arena *arena, struct extent *run,
		 enum extent_state state)
{
	count_active(arena, -run->bytes);
	free_run(arena, run, state);
	if (state == EXTENT_DIRTY && arena->pages.oversize_bytes &&
	    run->bytes >= arena->pages.oversize_bytes)
		page_heap_purge_run(arena, run);
	publish_free(arena);
}

void page_heap_give(struct arena *arena, struct extent *extent)
{
	lock_take(&arena->pages.lock);
	if (keep_recent(arena, extent)) {
		count_active(arena, -extent->bytes);
		publish_free(arena);
	} else {
		give(arena, extent, EXTENT_DIRTY);
	}
	lock_release(&arena->pages.lock);
	waiting_after_give(arena);
}

/* May a bin of a cache hold it? Others are freed past the class map. */
static bool is_binned(const struct extent *extent)
{
	return extent->size_class < CACHED_CLASSES &&
	       size_classes[extent->size_class].bytes == extent->bytes;
}

static unsigned large_flags(const struct arena *arena,
			    const struct extent *extent)
{
	unsigned flags = PAGE_LIVE | PAGE_LARGE;

	if (arena->manual)
		flags |= PAGE_BYPASS;
	if (!is_binned(extent))
		flags |= PAGE_UNCACHED;
	if (extent->sampled)
		flags |= PAGE_SAMPLED;
	return flags;
}

static void set_large_words(const struct arena *arena,
			    const struct extent *extent)
{
	uint64_t word = page_word(extent, extent->size_class,
				  large_flags(arena, extent));

	page_map_set(extent->base + extent->bytes - PAGE_MAP_UNIT,
		     word | PAGE_TAIL);
	page_map_set(extent->base, word);
	page_class_set(extent->base, PAGE_MAP_UNIT, word);
}

static void clear_large_words(const struct extent *extent)
{
	page_class_set(extent->base, PAGE_MAP_UNIT, 0);
	set_bounds(extent, 0);
}

static void count_large(struct arena *arena, unsigned size_class, size_t bytes,
			bool more)
{
	struct class_stats *class = &arena->class_stats[size_class];

	ledger_add(more ? &class->nmalloc : &class->ndalloc, 1);
	ledger_add(&arena->stats->large_allocated, more ? bytes : -bytes);
}

void page_heap_count_requests(struct arena *arena, unsigned size_class,
			      uint64_t requests)
{
	lock_take(&arena->pages.lock);
	ledger_add(&arena->class_stats[size_class].nrequests, requests);
	lock_release(&arena->pages.lock);
}

static void make_large(struct arena *arena, struct extent *extent,
		       unsigned size_class, uint64_t requests)
{
	extent->state = EXTENT_LARGE;
	extent->size_class = (uint8_t)size_class;
	extent->sampled = 0;
	extent->emptied = false;
	if (!extent->dirty_bytes)
		extent->fresh = true;
	extent->usable = extent->bytes;
	set_large_words(arena, extent);
	if (arena->manual)
		extent_list_append(&arena->pages.large, extent);
	count_large(arena, size_class, extent->bytes, true);
	ledger_add(&arena->class_stats[size_class].nrequests, requests);
}

/* One that was kept whole, and is to be zero; the caller's alone by now. */
static void make_clean(struct extent *extent)
{
	if (extent->fresh && extent->dirty_bytes &&
	    os_discard((void *)extent->base, extent->bytes))
		extent->dirty_bytes = 0;
}

struct extent *page_heap_take_large(struct arena *arena, size_t bytes,
				    size_t alignment, unsigned size_class,
				    uint64_t requests,
				    enum page_heap_choice choice)
{
	size_t *dirty = &arena->pages.free_bytes[EXTENT_DIRTY];
	struct extent *extent;
	unsigned tries = 2;
	size_t before;
	bool grew;

	do {
		lock_take(&arena->pages.lock);
		before = *dirty;
		extent = take(arena, bytes, alignment, choice);
		grew = extent && before - *dirty < bytes;
		if (extent)
			make_large(arena, extent, size_class, requests);
		lock_release(&arena->pages.lock);
	} while (!extent && --tries && arena_reclaim(bytes));
	if (extent && choice == PAGES_CLEAN)
		make_clean(extent);
	/* Of an object that grows what it has gets free at once. */
	if (grew && choice != PAGES_ROOMY)
		waiting_after_take(arena);
	return extent;
}

void page_heap_give_large(struct arena *arena, struct extent *extent)
{
	size_t resident_bytes = SPARSE_NOT;
	bool emptied;

	if (keeps_sparse(arena))
		resident_bytes = sparse_look(extent);

	huge_may_look(extent);
	lock_take(&arena->pages.lock);
	if (extent->state != EXTENT_LARGE)
		report_error("double free of", (void *)extent->base);
	if (arena->manual)
		extent_list_remove(&arena->pages.large, extent);
	clear_large_words(extent);
	count_large(arena, extent->size_class, extent->bytes, false);
	emptied = extent->emptied && opt.retain;
	settle_doubted(arena);
	if (!emptied && resident_bytes != SPARSE_NOT &&
	    keep_sparse(arena, extent, resident_bytes)) {
		count_active(arena, -extent->bytes);
		publish_free(arena);
	} else {
		give(arena, extent, emptied ? EXTENT_CLEAN : EXTENT_DIRTY);
	}
	lock_release(&arena->pages.lock);
	/* What its successor took is for who moved it to look at. */
	if (!emptied)
		waiting_after_give(arena);
}

void page_heap_mark_large(struct arena *arena, struct extent *extent,
			  uint32_t sampled)
{
	uint64_t word;

	__atomic_store_n(&extent->sampled, sampled, __ATOMIC_RELAXED);
	/* The free of any other looks at the extent. */
	if (!is_binned(extent))
		return;
	word = page_word(extent, extent->size_class,
			 large_flags(arena, extent));
	page_map_set(extent->base, word);
	page_class_set(extent->base, PAGE_MAP_UNIT, word);
}

/* The first part of the free run that follows extent, as long as is wanted. */
static struct extent *take_following(struct arena *arena,
				     const struct extent *extent, size_t more)
{
	struct extent *next = free_run_at(arena, extent->base + extent->bytes);

	if (!next || next->bytes < more)
		return NULL;
	page_heap_remove_run(arena, next);
	next = carve(arena, next, more, os_page_bytes);
	if (!next || hooks_merge(arena, extent, next))
		return next;
	free_run(arena, next, EXTENT_DIRTY);
	return NULL;
}

static bool grow_by_hooks(struct arena *arena, struct extent *extent,
			  size_t bytes)
{
	size_t more = bytes - extent->bytes;
	struct extent *next = take_following(arena, extent, more);

	if (!next)
		return false;
	if (next->dirty_bytes)
		extent->dirty_bytes = bytes;
	extent->bytes = bytes;
	put_spare(&arena->pages, next);
	return true;
}

static bool grow_large(struct arena *arena, struct extent *extent, size_t bytes)
{
	if (hooks_are_custom(arena))
		return grow_by_hooks(arena, extent, bytes);
	if (!can_extend(arena, extent, bytes)) {
		page_heap_settle_recent(arena);
		if (!can_extend(arena, extent, bytes))
			return false;
	}
	extend(arena, extent, bytes);
	return true;
}

static void shrink_large(struct arena *arena, struct extent *extent,
			 size_t bytes)
{
	struct extent *rest = take_spare(&arena->pages);

	rest->base = extent->base + bytes;
	rest->bytes = extent->bytes - bytes;
	rest->huge = extent->huge;
	free_run(arena, rest, EXTENT_DIRTY);
}

static bool resize_large(struct arena *arena, struct extent *extent,
			 size_t bytes, unsigned size_class)
{
	size_t old_bytes = extent->bytes;

	if (!have_spares(&arena->pages))
		return false;
	extent->dirty_bytes = old_bytes;
	extent->fresh = false;
	if (bytes > old_bytes && !grow_large(arena, extent, bytes))
		return false;
	if (bytes < old_bytes && !hooks_split(arena, extent, bytes))
		return false;
	count_large(arena, extent->size_class, old_bytes, false);
	count_active(arena, bytes - old_bytes);
	page_map_set(extent->base + old_bytes - PAGE_MAP_UNIT, 0);
	if (bytes < old_bytes)
		shrink_large(arena, extent, bytes);
	extent->bytes = extent->usable = bytes;
	extent->size_class = (uint8_t)size_class;
	set_large_words(arena, extent);
	count_large(arena, size_class, bytes, true);
	note_peak();
	publish_free(arena);
	return true;
}

bool page_heap_resize_large(struct arena *arena, struct extent *extent,
			    size_t bytes, unsigned size_class)
{
	size_t *dirty = &arena->pages.free_bytes[EXTENT_DIRTY];
	size_t old_bytes, before;
	bool done, grew;

	if (bytes > extent->bytes)
		huge_may_look(extent);
	lock_take(&arena->pages.lock);
	old_bytes = extent->bytes;
	before = *dirty;
	done = resize_large(arena, extent, bytes, size_class);
	grew = bytes > old_bytes && before - *dirty < bytes - old_bytes;
	lock_release(&arena->pages.lock);
	if (done && bytes < old_bytes)
		waiting_after_give(arena);
	else if (done && grew)
		waiting_after_growth(arena, extent);
	return done;
}

struct extent *page_heap_split_run(struct arena *arena, struct extent *run,
				   size_t keep)
{
	struct page_heap *heap = &arena->pages;
	enum extent_state state = run->state;
	struct extent *rest;

	if (!have_spares(heap) || !hooks_split(arena, run, keep))
		return run;
	rest = take_spare(heap);
	rest->hooked = run->hooked;
	rest->huge = run->huge;
	rest->arena = arena;
	rest->state = run->state;
	rest->base = run->base + keep;
	rest->bytes = run->bytes - keep;
	run->bytes = keep;
	add_run(arena, run, state);
	extent_list_remove(&heap->by_age[state], run);
	extent_list_prepend(&heap->by_age[state], run);
	return rest;
}

void page_heap_return_run(struct arena *arena, struct extent *run,
			  enum extent_state state)
{
	if (state < EXTENT_FREE_STATES) {
		free_run(arena, run, state);
	} else {
		count_mapped(arena, -run->bytes);
		put_spare(&arena->pages, run);
	}
	publish_free(arena);
}

struct extent *page_heap_any_large(struct arena *arena)
{
	struct extent *extent;

	lock_take(&arena->pages.lock);
	extent = arena->pages.large.head;
	lock_release(&arena->pages.lock);
	return extent;
}

struct extent *page_heap_any_run(const struct page_heap *heap)
{
	struct extent *run = run_set_longest(&heap->sparse.set);
	unsigned state;

	for (state = 0; !run && state < EXTENT_FREE_STATES; state++)
		run = run_set_longest(&heap->runs[state]);
	return run;
}

/* Runs that another thread is giving back come home before long. */
static void await_in_hand(struct page_heap *heap)
{
	while (heap->in_hand.head) {
		lock_release(&heap->lock);
		sched_yield();
		lock_take(&heap->lock);
	}
}

void page_heap_destroy(struct arena *arena)
{
	struct page_heap *heap = &arena->pages;
	struct extent *run;

	lock_take(&heap->lock);
	await_in_hand(heap);
	page_heap_settle_recent(arena);
	while ((run = page_heap_any_run(heap))) {
		page_heap_remove_run(arena, run);
		hooks_destroy(arena, run);
		page_heap_return_run(arena, run, EXTENT_FREE_STATES);
	}
	heap->next_map_bytes = FIRST_MAP;
	heap->max_map_bytes = MAX_MAP;
	heap->exact_maps = 0;
	heap->oversize_bytes = opt.oversize_threshold;
	lock_release(&heap->lock);
}
