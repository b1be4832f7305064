/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Created arenas emptied and unmade. Owns the counters that destroyed arenas
 * leave behind. The program sees to it that nobody uses the arena meanwhile,
 * and that no explicit cache holds anything from it.
 */
#include "config.h"

#include <string.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/arena_cache.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/slab.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"

/* Guarded by the list's lock while they are added to. */
static struct arena_stats left_arena;
static struct class_stats left_classes[SIZE_CLASSES]
	__attribute__((aligned(4096)));
static bool any_left;

/* With no lock held: the profiler's come before all of the heap's. */
static void forget_samples(const struct extent *slab)
{
	const struct size_class *class = &size_classes[slab->size_class];
	unsigned i;

	for (i = 0; i < class->regions; i++) {
		void *region = (void *)(slab->base + i * class->bytes);

		if (slab_in_use(slab, i))
			prof_free(thread_peek(), region,
				  slab_get_sample(slab, region));
	}
}

static void reset_bin(struct bin *bin)
{
	struct extent *slab = bin_drain(bin);

	while (slab) {
		struct extent *next = slab->next;

		if (slab->apart || slab->sampled)
			forget_samples(slab);
		bin_discard(bin, slab);
		slab = next;
	}
}

/* What this thread took of what it keeps counts; of others' that is lost. */
static void tell_kept(void)
{
	struct thread *thread = thread_peek();

	if (thread && thread->arena_cache)
		arena_cache_publish(thread->arena_cache);
}

static void reset(struct arena *arena)
{
	struct extent *extent;
	unsigned i;

	tell_kept();
	__atomic_fetch_add(&arena->generation, 1, __ATOMIC_RELAXED);
	for (i = 0; i < SMALL_CLASSES; i++)
		reset_bin(arena_bin(arena, i));
	while ((extent = page_heap_any_large(arena))) {
		if (extent->sampled)
			prof_free(thread_peek(), (void *)extent->base,
				  extent->sampled == EXTENT_WATCHED
					  ? 0
					  : extent->sampled);
		page_heap_give_large(arena, extent);
	}
}

bool heap_arena_reset(struct arena *arena)
{
	if (!arena->manual)
		return false;
	thread_busy++;
	reset(arena);
	thread_busy--;
	heap_run_deferred();
	return true;
}

/* Of what counts only up; the rest is 0, since nothing is left. */
static void leave_counters(const struct arena *arena)
{
	const struct arena_stats *stats = arena->stats;
	unsigned i;

	left_arena.dirty_npurge += ledger_get(&stats->dirty_npurge);
	left_arena.dirty_nmadvise += ledger_get(&stats->dirty_nmadvise);
	left_arena.dirty_purged += ledger_get(&stats->dirty_purged);
	left_arena.muzzy_npurge += ledger_get(&stats->muzzy_npurge);
	left_arena.muzzy_nmadvise += ledger_get(&stats->muzzy_nmadvise);
	left_arena.muzzy_purged += ledger_get(&stats->muzzy_purged);
	for (i = 0; i < SIZE_CLASSES; i++) {
		const struct class_stats *class = &arena->class_stats[i];

		left_classes[i].nmalloc += ledger_get(&class->nmalloc);
		left_classes[i].ndalloc += ledger_get(&class->ndalloc);
		left_classes[i].nrequests += ledger_get(&class->nrequests);
		left_classes[i].nfills += ledger_get(&class->nfills);
		left_classes[i].nflushes += ledger_get(&class->nflushes);
		left_classes[i].nslabs += ledger_get(&class->nslabs);
		left_classes[i].nreslabs += ledger_get(&class->nreslabs);
	}
	any_left = true;
}

/* A row that other arenas share is left alone: it is theirs too. */
static void clear_counters(struct arena *arena)
{
	unsigned index = arena->index, i;

	if (index + 1 < ledger_capacity(LEDGER_ARENAS))
		memset(arena->stats, 0, sizeof(*arena->stats));
	if ((index + 2) * ledger_capacity(LEDGER_CLASSES) >
	    ledger_capacity(LEDGER_ARENA_CLASSES))
		return;
	for (i = 0; i < SIZE_CLASSES; i++)
		memset(&arena->class_stats[i], 0, sizeof(struct class_stats));
}

/* From here on the arena cannot be found; false: it has to stay. */
static bool hide(struct arena *arena)
{
	bool goes;

	arena_list_lock();
	goes = arena->manual && !arena->destroyed &&
	       !__atomic_load_n(&arena->threads, __ATOMIC_RELAXED);
	if (goes)
		__atomic_store_n(&arena->destroyed, true, __ATOMIC_RELEASE);
	arena_list_unlock();
	return goes;
}

static void destroy(struct arena *arena)
{
	reset(arena);
	page_heap_decay(arena, true);
	page_heap_destroy(arena);
	ledger_add_shared(&ledger_process()->arenas, (uint64_t)-1);
	arena_list_lock();
	leave_counters(arena);
	clear_counters(arena);
	arena_recycle(arena);
	arena_list_unlock();
}

bool heap_arena_destroy(struct arena *arena)
{
	bool goes;

	thread_busy++;
	goes = hide(arena);
	if (goes)
		destroy(arena);
	thread_busy--;
	heap_run_deferred();
	return goes;
}

const struct arena_stats *heap_destroyed_stats(void)
{
	return any_left ? &left_arena : NULL;
}

const struct class_stats *heap_destroyed_class(unsigned size_class)
{
	return &left_classes[size_class];
}
