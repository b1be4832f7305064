/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of arenas. Owns their making and the spread of threads over them.
 * The struct of an arena that was destroyed stays where it is, with its locks,
 * since another thread may be looking at it, until its index is used again.
 */
#include "config.h"

#include "liballoc/heap/arena.h"

#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/safety/report.h"

/* Guards making; entries are published with release and never change. */
static struct lock lock = LOCK_INIT(LOCK_ARENA_LIST);
/*
 * Few programs have more than the first ones, which lie among the variables.
 * Tables that are hardly touched begin a page: see LIBALLOC_LDFLAGS.
 */
#define FIRST_ARENAS 8u
static struct arena *first_arenas[FIRST_ARENAS];
static struct arena *more_arenas[HEAP_MAX_ARENAS - FIRST_ARENAS]
	__attribute__((aligned(4096)));
static unsigned arena_count;
static unsigned automatic_count = 1;
static unsigned cpu_arenas; /* [0, this) go with CPUs */
/* Of arenas yet to be made. */
static ssize_t default_decay_ms[EXTENT_CLEAN];

/* First to be used again first; lock guards them. */
static struct arena *destroyed, **last_destroyed = &destroyed;

/* index is below HEAP_MAX_ARENAS. */
static struct arena **place_of(unsigned index)
{
	return index < FIRST_ARENAS ? &first_arenas[index]
				    : &more_arenas[index - FIRST_ARENAS];
}

static void name_arena(struct arena *arena)
{
	char digits[PRINT_NUMBER_BYTES];

	memset(arena->name, 0, sizeof(arena->name));
	strcpy(arena->name, arena->manual ? "manual_" : "auto_");
	strcat(arena->name, print_number(digits, arena->index));
}

/* What the ledger says of a new arena. */
__attribute__((cold)) static void start_stats(struct arena *arena)
{
	ledger_set(&arena->stats->created_ns, os_now_ns());
	ledger_set(&arena->stats->dirty_decay_ms,
		   (uint64_t)heap_default_dirty_decay_ms());
	ledger_set(&arena->stats->muzzy_decay_ms,
		   (uint64_t)heap_default_muzzy_decay_ms());
	ledger_add(&arena->stats->metadata, sizeof(*arena));
	ledger_add_shared(&ledger_process()->arenas, 1);
}

__attribute__((cold)) static struct arena *
new_arena(unsigned index, bool manual, struct extent_hooks_s *hooks)
{
	struct arena *arena;

	if (!ledger_make_arena_room(index))
		return NULL;
	arena = metadata_allocate(sizeof(*arena));
	if (!arena)
		return NULL;
	arena->index = index;
	arena->manual = manual;
	arena->hooks = hooks;
	arena->stats = ledger_arena(index);
	arena->class_stats = ledger_class(index, 0);
	page_heap_init(&arena->pages);
	name_arena(arena);
	start_stats(arena);
	__atomic_store_n(place_of(index), arena, __ATOMIC_RELEASE);
	return arena;
}

void arena_list_lock(void)
{
	lock_take(&lock);
}

void arena_list_unlock(void)
{
	lock_release(&lock);
}

void arena_recycle(struct arena *arena)
{
	arena->next_destroyed = NULL;
	*last_destroyed = arena;
	last_destroyed = &arena->next_destroyed;
}

/* The arena that was destroyed first, made anew; NULL: there is none. */
static struct arena *revive(struct extent_hooks_s *hooks)
{
	struct arena *arena = destroyed;

	if (!arena)
		return NULL;
	destroyed = arena->next_destroyed;
	if (!destroyed)
		last_destroyed = &destroyed;
	__atomic_store_n(&arena->hooks, hooks, __ATOMIC_RELEASE);
	page_heap_set_decay_ms(arena, EXTENT_DIRTY,
			       heap_default_dirty_decay_ms());
	page_heap_set_decay_ms(arena, EXTENT_MUZZY,
			       heap_default_muzzy_decay_ms());
	name_arena(arena);
	start_stats(arena);
	__atomic_store_n(&arena->destroyed, false, __ATOMIC_RELEASE);
	return arena;
}

static void set_count(unsigned count)
{
	__atomic_store_n(&arena_count, count, __ATOMIC_RELEASE);
	ledger_set_arena_count(count);
}

bool arena_boot(void)
{
	unsigned wanted = opt.narenas;

	default_decay_ms[EXTENT_DIRTY] = opt.dirty_decay_ms;
	default_decay_ms[EXTENT_MUZZY] = opt.muzzy_decay_ms;
	if (wanted >= HEAP_MAX_ARENAS)
		wanted = HEAP_MAX_ARENAS - 1;
	if (opt.percpu_arena)
		cpu_arenas = conf_cpu_arenas(opt.percpu_arena);
	if (cpu_arenas > wanted)
		cpu_arenas = wanted;
	automatic_count = wanted;
	set_count(wanted);
	return new_arena(0, false, NULL) != NULL;
}

unsigned heap_arena_count(void)
{
	return __atomic_load_n(&arena_count, __ATOMIC_ACQUIRE);
}

struct arena *heap_arena(unsigned index)
{
	struct arena *arena;

	if (index >= HEAP_MAX_ARENAS)
		return NULL;
	arena = __atomic_load_n(place_of(index), __ATOMIC_ACQUIRE);
	if (!arena || __atomic_load_n(&arena->destroyed, __ATOMIC_ACQUIRE))
		return NULL;
	return arena;
}

struct arena *heap_arena_get(unsigned index)
{
	struct arena *arena = heap_arena(index);

	if (arena || index >= automatic_count)
		return arena;
	thread_busy++;
	lock_take(&lock);
	arena = heap_arena(index);
	if (!arena)
		arena = new_arena(index, false, NULL);
	lock_release(&lock);
	thread_busy--;
	heap_run_deferred();
	return arena;
}

bool heap_arena_is_automatic(unsigned index)
{
	return index < automatic_count;
}

static uint32_t load(const struct arena *arena)
{
	return __atomic_load_n(&arena->threads, __ATOMIC_RELAXED);
}

/* The least loaded one; one not yet made where all others have a thread. */
static struct arena *choose(void)
{
	struct arena *best = NULL;
	unsigned i, unmade = automatic_count;

	for (i = 0; i < automatic_count; i++) {
		struct arena *arena = heap_arena(i);

		if (!arena && unmade == automatic_count)
			unmade = i;
		if (arena && (!best || load(arena) < load(best)))
			best = arena;
	}
	if (load(best) && unmade < automatic_count) {
		struct arena *made = new_arena(unmade, false, NULL);

		if (made)
			return made;
	}
	return best;
}

unsigned heap_cpu_arenas(void)
{
	return cpu_arenas;
}

/*
 * As Linux numbers them, the second half of the CPUs are the others' sisters;
 * so the same remainder is the same core.
 */
struct arena *arena_of_cpu(void)
{
	int cpu = os_cpu();

	if (cpu < 0 || !cpu_arenas)
		return NULL;
	return heap_arena_get((unsigned)cpu % cpu_arenas);
}

bool arena_is_of_cpu(const struct arena *arena)
{
	return arena->index < cpu_arenas;
}

__attribute__((cold)) struct arena *arena_choose(void)
{
	struct arena *arena = opt.percpu_arena ? arena_of_cpu() : NULL;

	if (arena) {
		arena_join(arena);
		return arena;
	}
	lock_take(&lock);
	arena = choose();
	arena_join(arena);
	lock_release(&lock);
	return arena;
}

void arena_join(struct arena *arena)
{
	__atomic_fetch_add(&arena->threads, 1, __ATOMIC_RELAXED);
	ledger_add_shared(&arena->stats->nthreads, 1);
}

void arena_leave(struct arena *arena)
{
	__atomic_fetch_sub(&arena->threads, 1, __ATOMIC_RELAXED);
	ledger_add_shared(&arena->stats->nthreads, (uint64_t)-1);
}

static unsigned create(struct extent_hooks_s *hooks)
{
	struct arena *arena = revive(hooks);
	unsigned index = heap_arena_count();

	if (arena)
		return arena->index;
	if (index >= HEAP_MAX_ARENAS || !new_arena(index, true, hooks))
		return UINT32_MAX;
	set_count(index + 1);
	return index;
}

unsigned heap_arena_create(struct extent_hooks_s *hooks)
{
	unsigned index;

	if (hooks == heap_arena_hooks(NULL))
		hooks = NULL;
	thread_busy++;
	lock_take(&lock);
	index = create(hooks);
	lock_release(&lock);
	thread_busy--;
	heap_run_deferred();
	return index;
}

void heap_arena_name(struct arena *arena, char name[HEAP_ARENA_NAME_BYTES])
{
	thread_busy++;
	lock_take(&lock);
	memcpy(name, arena->name, HEAP_ARENA_NAME_BYTES);
	lock_release(&lock);
	thread_busy--;
}

void heap_arena_set_name(struct arena *arena, const char *name)
{
	thread_busy++;
	lock_take(&lock);
	memset(arena->name, 0, HEAP_ARENA_NAME_BYTES);
	strncpy(arena->name, name, HEAP_ARENA_NAME_BYTES - 1);
	lock_release(&lock);
	thread_busy--;
}

bool heap_arena_of(const void *ptr, unsigned *index)
{
	uint64_t word = page_map_get((uintptr_t)ptr);
	struct extent *extent = page_word_extent(word);

	if (!(word & PAGE_LIVE) || !extent->arena)
		return false;
	*index = extent->arena->index;
	return true;
}

void *arena_allocate_small(struct arena *arena, unsigned size_class)
{
	void *region;

	return bin_take(arena_bin(arena, size_class), &region, 1, 1, PAGES_ANY)
		       ? region
		       : NULL;
}

void arena_free_small(void **regions, unsigned count)
{
	while (count) {
		uint64_t word = page_map_get((uintptr_t)regions[0]);
		struct extent *slab = page_word_extent(word);

		if (!(word & PAGE_LIVE) || word & PAGE_LARGE)
			report_error("double free, or free of no allocation:",
				     regions[0]);
		count = bin_give(arena_bin(slab->arena, slab->size_class),
				 regions, count, 0);
	}
}

/* Free pages, given back to the kernel or not yet. */
static uint64_t free_bytes(const struct arena *arena)
{
	return ledger_get(&arena->stats->dirty) +
	       ledger_get(&arena->stats->muzzy) +
	       ledger_get(&arena->stats->retained);
}

bool arena_reclaim(size_t bytes)
{
	unsigned count = heap_arena_count(), i;
	/* Where the address space is limited the class map is much of it. */
	bool room = os_address_space_is_limited() && page_map_give_up_classes();
	uint64_t free = 0;

	for (i = 0; i < count; i++) {
		const struct arena *arena = heap_arena(i);

		free += arena ? free_bytes(arena) : 0;
	}
	if (!free || free < bytes / 2)
		return room;
	for (i = 0; i < count; i++) {
		struct arena *arena = heap_arena(i);

		if (arena)
			page_heap_unmap_free(arena);
	}
	return true;
}

/* For the controls, which are not within the allocator yet. */
static void decay(struct arena *arena, bool all)
{
	thread_busy++;
	page_heap_decay(arena, all);
	thread_busy--;
	heap_run_deferred();
}

/* Of the bins that were ever used. */
static void release_apart(struct arena *arena)
{
	for (unsigned i = 0; i < SMALL_CLASSES; i++)
		if (__atomic_load_n(&arena->bins[i].stats, __ATOMIC_ACQUIRE))
			bin_release_apart(&arena->bins[i]);
}

void heap_arena_purge(struct arena *arena)
{
	thread_busy++;
	exchange_flush();
	release_apart(arena);
	thread_busy--;
	decay(arena, true);
}

void heap_arena_decay(struct arena *arena)
{
	decay(arena, false);
}

static bool set_default(enum extent_state state, ssize_t ms)
{
	if (!decay_is_valid(ms))
		return false;
	__atomic_store_n(&default_decay_ms[state], ms, __ATOMIC_RELAXED);
	return true;
}

static bool set_decay_ms(struct arena *arena, enum extent_state state,
			 ssize_t ms)
{
	bool good;

	thread_busy++;
	good = page_heap_set_decay_ms(arena, state, ms);
	thread_busy--;
	heap_run_deferred();
	return good;
}

ssize_t heap_default_dirty_decay_ms(void)
{
	return __atomic_load_n(&default_decay_ms[EXTENT_DIRTY],
			       __ATOMIC_RELAXED);
}

bool heap_set_default_dirty_decay_ms(ssize_t ms)
{
	return set_default(EXTENT_DIRTY, ms);
}

ssize_t heap_default_muzzy_decay_ms(void)
{
	return __atomic_load_n(&default_decay_ms[EXTENT_MUZZY],
			       __ATOMIC_RELAXED);
}

bool heap_set_default_muzzy_decay_ms(ssize_t ms)
{
	return set_default(EXTENT_MUZZY, ms);
}

ssize_t heap_arena_dirty_decay_ms(struct arena *arena)
{
	return page_heap_decay_ms(arena, EXTENT_DIRTY);
}

bool heap_arena_set_dirty_decay_ms(struct arena *arena, ssize_t ms)
{
	return set_decay_ms(arena, EXTENT_DIRTY, ms);
}

ssize_t heap_arena_muzzy_decay_ms(struct arena *arena)
{
	return page_heap_decay_ms(arena, EXTENT_MUZZY);
}

bool heap_arena_set_muzzy_decay_ms(struct arena *arena, ssize_t ms)
{
	return set_decay_ms(arena, EXTENT_MUZZY, ms);
}

/* Runs step on every lock below the list's, in rank order. */
static void each_lock(void (*step)(struct lock *lock))
{
	unsigned count = heap_arena_count(), i, j;

	for (i = 0; i < count; i++)
		for (j = 0; *place_of(i) && j < SMALL_CLASSES; j++)
			step(&(*place_of(i))->bins[j].lock);
	for (i = 0; i < count; i++)
		if (*place_of(i))
			step(&(*place_of(i))->pages.lock);
}

struct lock *arena_table_lock(void)
{
	return &lock;
}

void arena_prefork(void)
{
	lock_take_for_fork(&lock);
}

void arena_prefork_locks(void)
{
	each_lock(lock_take_for_fork);
}

void arena_postfork_parent(void)
{
	each_lock(lock_release_for_fork);
	lock_release_for_fork(&lock);
}

void arena_postfork_child(void)
{
	unsigned count = heap_arena_count(), i, j;

	each_lock(lock_reset);
	for (i = 0; i < count; i++) {
		if (!*place_of(i))
			continue;
		page_heap_postfork_child(*place_of(i));
		for (j = 0; j < SMALL_CLASSES; j++)
			bin_forget_kept(&(*place_of(i))->bins[j]);
	}
	lock_reset(&lock);
}
