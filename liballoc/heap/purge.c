/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving free pages back to the kernel: dirty ones become muzzy or clean,
 * muzzy ones clean, oldest first, until what is left is within the decay
 * curve. The system calls are made without the lock, on runs that are in no
 * set meanwhile.
 */
#include "config.h"

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/extent_hooks.h"
#include "liballoc/heap/move.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/ledger.h"

/* A part of a run is given back in such units, so that huge pages survive. */
#define HUGE_BYTES ((size_t)2 << 20)
#define LEAST_BYTES ((size_t)64 << 10)

static uint64_t *npurge(struct arena *arena, enum extent_state state)
{
	return state == EXTENT_DIRTY ? &arena->stats->dirty_npurge
				     : &arena->stats->muzzy_npurge;
}

static void count_purged(struct arena *arena, enum extent_state state,
			 size_t bytes)
{
	struct arena_stats *stats = arena->stats;
	uint64_t pages = bytes / os_page_bytes;

	if (state == EXTENT_DIRTY) {
		ledger_add(&stats->dirty_nmadvise, 1);
		ledger_add(&stats->dirty_purged, pages);
	} else {
		ledger_add(&stats->muzzy_nmadvise, 1);
		ledger_add(&stats->muzzy_purged, pages);
	}
}

/* Where the object's clean pages begin, which are its last; and how many. */
static size_t room_of(const struct extent *grown, char **begin)
{
	size_t from = (grown->dirty_bytes + os_page_bytes - 1) & -os_page_bytes;

	*begin = (char *)grown->base + from;
	return grown->bytes > from ? grown->bytes - from : 0;
}

/*
 * Pages that are worth nothing: to the end of an object that grew, and will be
 * written there, as far as there is room, and the rest to the kernel. By halves
 * where they lie in several mappings. grown: NULL: there is none.
 */
static bool move_or_discard(struct extent *grown, char *base, size_t bytes)
{
	size_t part = 0, half;
	bool done;
	char *to;

	if (grown)
		part = room_of(grown, &to);
	if (part > bytes)
		part = bytes;
	switch (part ? move_idle_pages(to, base, part) : OS_MOVE_REFUSED) {
	case OS_MOVED:
		grown->dirty_bytes = (size_t)(to - (char *)grown->base) + part;
		return part == bytes || os_discard(base + part, bytes - part);
	case OS_MOVE_PARTED:
		half = part / 2 & -os_page_bytes;
		done = move_or_discard(grown, base, half);
		done &= move_or_discard(grown, base + half, part - half);
		return (part == bytes ||
			os_discard(base + part, bytes - part)) &&
		       done;
	case OS_MOVE_REFUSED:
		break;
	}
	return os_discard(base, bytes);
}

/* What the pages of run became; EXTENT_FREE_STATES: they are unmapped. */
static enum extent_state discard(struct arena *arena, struct extent *run,
				 enum extent_state state, bool lazily,
				 struct extent *grown)
{
	void *base = (void *)run->base;

	if (hooks_are_custom(arena))
		return hooks_discard(arena, run, state, lazily);
	if (lazily && state == EXTENT_DIRTY &&
	    os_discard_lazily(base, run->bytes))
		return EXTENT_MUZZY;
	if (!opt.retain) {
		os_unmap(base, run->bytes);
		return EXTENT_FREE_STATES;
	}
	return move_or_discard(run->huge ? NULL : grown, base, run->bytes)
		       ? EXTENT_CLEAN
		       : state;
}

/*
 * The oldest run of state, out of its set; only the upper part of it where it
 * is much more than excess, since its lower part is what will be taken next.
 */
static struct extent *take_oldest(struct arena *arena, enum extent_state state,
				  size_t excess)
{
	struct extent *run = arena->pages.by_age[state].head;
	size_t unit, keep;

	if (!run)
		return NULL;
	page_heap_remove_run(arena, run);
	unit = run->bytes >= 2 * HUGE_BYTES ? HUGE_BYTES : LEAST_BYTES;
	if (run->fresh || run->bytes <= excess + unit)
		return run;
	keep = ((run->base + run->bytes - excess) & ~(unit - 1)) - run->base;
	if ((ssize_t)keep <= 0)
		return run;
	return page_heap_split_run(arena, run, keep);
}

/* A run that is in no set; what its pages are now. Lets go of the lock. */
static enum extent_state purge_run(struct arena *arena, struct extent *run,
				   enum extent_state state, bool lazily,
				   struct extent *grown)
{
	struct page_heap *heap = &arena->pages;
	size_t bytes = run->bytes;
	size_t resident = run->fresh ? run->resident_bytes : bytes;
	enum extent_state became;

	extent_list_append(&heap->in_hand, run);
	waiting_count_in_hand((int64_t)bytes);
	lock_release(&heap->lock);
	/* Of one that is kept whole too little is resident to be muzzy. */
	became = discard(arena, run, state, lazily && !run->fresh, grown);
	lock_take(&heap->lock);
	extent_list_remove(&heap->in_hand, run);
	count_purged(arena, state, resident);
	page_heap_return_run(arena, run, became);
	waiting_count_in_hand(-(int64_t)bytes);
	return became;
}

void page_heap_purge_run(struct arena *arena, struct extent *run)
{
	ledger_add(npurge(arena, EXTENT_DIRTY), 1);
	page_heap_remove_run(arena, run);
	purge_run(arena, run, EXTENT_DIRTY, false, NULL);
}

/* Oldest first, until limit bytes of state are left. Lock held. */
static void purge(struct arena *arena, enum extent_state state, size_t limit,
		  bool lazily, struct extent *grown)
{
	struct page_heap *heap = &arena->pages;
	struct extent *run;

	ledger_add(npurge(arena, state), 1);
	while (heap->free_bytes[state] > limit &&
	       (run = take_oldest(arena, state,
				  heap->free_bytes[state] - limit)))
		if (purge_run(arena, run, state, lazily, grown) == state)
			break; /* the kernel would not have them */
}

/* Do dirty pages become muzzy first? Not where they are to go at once. */
static bool goes_muzzy(const struct page_heap *heap)
{
	return heap->decay[EXTENT_DIRTY].ms != 0 &&
	       heap->decay[EXTENT_MUZZY].ms != 0;
}

static void decay_state(struct arena *arena, enum extent_state state, bool all)
{
	struct page_heap *heap = &arena->pages;
	bool lazily = !all && goes_muzzy(heap);
	size_t limit;

	limit = decay_limit(&heap->decay[state], os_now_ns(),
			    heap->free_bytes[state]);
	if (limit != SIZE_MAX)
		limit = limit / CONTAINER_FULL_SCALE *
			__atomic_load_n(&container_scale, __ATOMIC_RELAXED);
	if (all)
		limit = 0;
	if (heap->free_bytes[state] <= limit)
		return;
	purge(arena, state, limit, lazily, NULL);
	if (all)
		decay_lower(&heap->decay[state], heap->free_bytes[state]);
}

/* Lock held. */
static void renew_due(struct arena *arena)
{
	struct page_heap *heap = &arena->pages;
	uint64_t due = WAITING_NEVER, at;
	unsigned state;

	for (state = 0; state < EXTENT_CLEAN; state++) {
		at = decay_due_ns(&heap->decay[state], heap->free_bytes[state]);
		if (at < due)
			due = at;
	}
	waiting_set_due(arena, due);
}

void page_heap_decay(struct arena *arena, bool all)
{
	struct page_heap *heap = &arena->pages;

	lock_take(&heap->lock);
	if (all || !heap->purging) {
		heap->purging = true;
		page_heap_settle_recent(arena);
		decay_state(arena, EXTENT_DIRTY, all);
		decay_state(arena, EXTENT_MUZZY, all);
		heap->purging = false;
		renew_due(arena);
	}
	lock_release(&heap->lock);
}

void page_heap_start_decay(struct arena *arena)
{
	struct page_heap *heap = &arena->pages;

	lock_take(&heap->lock);
	if (heap->due_ns == WAITING_NEVER) {
		decay_start(&heap->decay[EXTENT_DIRTY], os_now_ns());
		renew_due(arena);
	}
	lock_release(&heap->lock);
}

void page_heap_purge_dirty(struct arena *arena, size_t bytes,
			   struct extent *grown)
{
	struct page_heap *heap = &arena->pages;
	size_t dirty;

	lock_take(&heap->lock);
	dirty = heap->free_bytes[EXTENT_DIRTY];
	if (dirty) {
		page_heap_settle_recent(arena);
		purge(arena, EXTENT_DIRTY, dirty > bytes ? dirty - bytes : 0,
		      goes_muzzy(heap), grown);
		decay_lower(&heap->decay[EXTENT_DIRTY],
			    heap->free_bytes[EXTENT_DIRTY]);
	}
	lock_release(&heap->lock);
}

void page_heap_postfork_child(struct arena *arena)
{
	struct page_heap *heap = &arena->pages;
	struct extent *run;

	/* By now they may not be there any more: then nobody is to get them. */
	bool there = opt.retain && !hooks_are_custom(arena);

	heap->purging = false;
	while ((run = heap->in_hand.head)) {
		extent_list_remove(&heap->in_hand, run);
		page_heap_return_run(arena, run,
				     there ? EXTENT_DIRTY : EXTENT_FREE_STATES);
	}
}

ssize_t page_heap_decay_ms(struct arena *arena, enum extent_state state)
{
	ssize_t ms;

	lock_take(&arena->pages.lock);
	ms = arena->pages.decay[state].ms;
	lock_release(&arena->pages.lock);
	return ms;
}

bool page_heap_set_decay_ms(struct arena *arena, enum extent_state state,
			    ssize_t ms)
{
	uint64_t *word = state == EXTENT_DIRTY ? &arena->stats->dirty_decay_ms
					       : &arena->stats->muzzy_decay_ms;
	bool good;

	lock_take(&arena->pages.lock);
	good = decay_set(&arena->pages.decay[state], ms, os_now_ns());
	if (good)
		ledger_set(word, (uint64_t)ms);
	lock_release(&arena->pages.lock);
	if (good)
		page_heap_decay(arena, false);
	return good;
}

void page_heap_unmap_free(struct arena *arena)
{
	struct page_heap *heap = &arena->pages;
	struct extent *run;

	if (hooks_are_custom(arena))
		return; /* not ours to unmap */
	lock_take(&heap->lock);
	page_heap_settle_recent(arena);
	while ((run = page_heap_any_run(heap))) {
		page_heap_remove_run(arena, run);
		os_unmap((void *)run->base, run->bytes);
		page_heap_return_run(arena, run, EXTENT_FREE_STATES);
	}
	lock_release(&heap->lock);
}
