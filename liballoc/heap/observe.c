/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks into arenas for the controls. Keeps nothing, changes nothing but the
 * counts of locks that it clears.
 */
#include "config.h"

#include "liballoc/heap/observe.h"

#include "liballoc/heap/arena.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/thread.h"

/* Runs look on one arena or on all, with the allocator's guard up. */
static void each(unsigned index, void (*look)(struct arena *arena, void *to),
		 void *to)
{
	bool all = index == OBSERVE_ALL_ARENAS;
	unsigned i = all ? 0 : index, end = all ? heap_arena_count() : i + 1;

	thread_busy++;
	for (; i < end; i++) {
		struct arena *arena = heap_arena(i);

		if (arena)
			look(arena, to);
	}
	thread_busy--;
	heap_run_deferred();
}

void observe_lock(enum observed_lock which, struct lock_stats *sum)
{
	switch (which) {
	case OBSERVED_LISTS:
		lock_add_stats(arena_table_lock(), sum);
		lock_add_stats(cache_list_lock(), sum);
		break;
	case OBSERVED_THREADS:
		lock_add_stats(thread_list_lock(), sum);
		break;
	case OBSERVED_BACKGROUND:
		lock_add_stats(background_lock(), sum);
		break;
	case OBSERVED_METADATA:
		lock_add_stats(metadata_lock(), sum);
		break;
	}
}

static void add_page_lock(struct arena *arena, void *sum)
{
	lock_add_stats(&arena->pages.lock, sum);
}

void observe_page_lock(unsigned arena, struct lock_stats *sum)
{
	each(arena, add_page_lock, sum);
}

struct bin_wanted {
	unsigned size_class;
	struct lock_stats *sum;
};

static void add_bin_lock(struct arena *arena, void *to)
{
	const struct bin_wanted *wanted = to;

	lock_add_stats(&arena_bin(arena, wanted->size_class)->lock,
		       wanted->sum);
}

void observe_bin_lock(unsigned arena, unsigned size_class,
		      struct lock_stats *sum)
{
	struct bin_wanted wanted = {size_class, sum};

	each(arena, add_bin_lock, &wanted);
}

static void clear_arena(struct arena *arena, void *unused)
{
	(void)unused;
	lock_clear_stats(&arena->pages.lock);
	for (unsigned i = 0; i < SMALL_CLASSES; i++)
		lock_clear_stats(&arena_bin(arena, i)->lock);
}

void observe_clear_locks(void)
{
	each(OBSERVE_ALL_ARENAS, clear_arena, NULL);
	thread_busy++;
	lock_clear_stats(background_lock());
	lock_clear_stats(arena_table_lock());
	lock_clear_stats(cache_list_lock());
	lock_clear_stats(thread_list_lock());
	lock_clear_stats(metadata_lock());
	thread_busy--;
	heap_run_deferred();
}

/* The first bin of a run set is empty for ever. */
unsigned observe_run_sizes(void)
{
	return RUN_SET_BINS - 1;
}

size_t observe_run_bytes(unsigned size)
{
	return run_set_bin_bytes(size + 1);
}

struct runs_wanted {
	enum extent_state state;
	unsigned size;
	struct observed_runs found;
};

/* Of the runs that are kept whole, in a bin: dirty is what is resident. */
static void add_sparse(const struct sparse_runs *runs, unsigned bin,
		       enum extent_state state, struct observed_runs *found)
{
	size_t resident = runs->resident[bin];

	if (state == EXTENT_DIRTY) {
		found->count += runs->set.bins[bin].count;
		found->bytes += resident;
	} else if (state == EXTENT_CLEAN) {
		found->bytes += runs->set.bins[bin].bytes - resident;
	}
}

static void add_runs(struct arena *arena, void *to)
{
	struct runs_wanted *wanted = to;
	const struct page_heap *heap = &arena->pages;
	unsigned bin = wanted->size + 1;

	lock_take(&arena->pages.lock);
	page_heap_settle_recent(arena);
	wanted->found.count += heap->runs[wanted->state].bins[bin].count;
	wanted->found.bytes += heap->runs[wanted->state].bins[bin].bytes;
	add_sparse(&heap->sparse, bin, wanted->state, &wanted->found);
	lock_release(&arena->pages.lock);
}

struct observed_runs observe_runs(unsigned arena, enum extent_state state,
				  unsigned size)
{
	struct runs_wanted wanted = {.state = state, .size = size};

	each(arena, add_runs, &wanted);
	return wanted.found;
}

static void add_spares(struct arena *arena, void *to)
{
	size_t *sum = to;

	lock_take(&arena->pages.lock);
	*sum += arena->pages.spare_count;
	lock_release(&arena->pages.lock);
}

size_t observe_spare_extents(unsigned arena)
{
	size_t sum = 0;

	each(arena, add_spares, &sum);
	return sum;
}

const size_t *observe_active_pages(unsigned arena)
{
	const struct arena *found = heap_arena(arena);

	return found ? &found->pages.active_pages : NULL;
}
