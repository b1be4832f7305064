/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls: what locks went through, stats.mutexes.* and those of arenas and
 * bins. jemalloc's names each tell of the lock that guards the thing named
 * here, so that several may tell of one lock.
 */
#include "config.h"

#include "liballoc/ctl/tree.h"
#include "liballoc/heap/observe.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/prof/recent.h"
#include "liballoc/prof/tables.h"

enum {
	LISTS,
	PROF_STACKS,
	PROF_TABLES,
	PROF_DUMP,
	PROF_RECENT,
	PAGES,
	METADATA,
	BACKGROUND,
	THREADS,
	BIN
};

/* In the order of struct lock_stats. */
enum { OPS, WAITS, SPINS, SWITCHES, WAIT_NS, MAX_WAIT_NS, MAX_WAITERS, FIELDS };

_Static_assert(sizeof(struct lock_stats) == FIELDS * sizeof(uint64_t),
	       "the counts are an array");

static void add_to(struct lock *lock, void *sum)
{
	lock_add_stats(lock, sum);
}

static void clear(struct lock *lock, void *unused)
{
	(void)unused;
	lock_clear_stats(lock);
}

static unsigned arena_of(const struct ctl_call *call)
{
	size_t index = call->mib[2];

	return ctl_is_all_arenas(index) ? OBSERVE_ALL_ARENAS : (unsigned)index;
}

static void look(const struct ctl_call *call, unsigned which,
		 struct lock_stats *sum)
{
	switch (which) {
	case LISTS:
		observe_lock(OBSERVED_LISTS, sum);
		break;
	case THREADS:
		observe_lock(OBSERVED_THREADS, sum);
		break;
	case BACKGROUND:
		observe_lock(OBSERVED_BACKGROUND, sum);
		break;
	case METADATA:
		observe_lock(OBSERVED_METADATA, sum);
		break;
	case PROF_STACKS:
		lock_add_stats(&stacks_lock, sum);
		break;
	case PROF_TABLES:
		lock_add_stats(&counts_lock, sum);
		tables_each_lock(add_to, sum);
		break;
	case PROF_DUMP:
		lock_add_stats(&tables_dump_lock, sum);
		break;
	case PROF_RECENT:
		lock_add_stats(&recent_lock, sum);
		break;
	case PAGES:
		observe_page_lock(arena_of(call), sum);
		break;
	case BIN:
		observe_bin_lock(arena_of(call), (unsigned)call->mib[4], sum);
		break;
	}
}

/* number: which lock, and which of its counts. */
static int get_count(const struct ctl_call *call, uint64_t *value)
{
	uint64_t counts[FIELDS] = {0};

	look(call, (unsigned)call->row->number / FIELDS,
	     (struct lock_stats *)(void *)counts);
	*value = counts[call->row->number % FIELDS];
	return 0;
}

static int do_reset(const struct ctl_call *call, const uint64_t *value)
{
	(void)call;
	(void)value;
	observe_clear_locks();
	thread_busy++;
	lock_clear_stats(&tables_dump_lock);
	tables_each_lock(clear, NULL);
	lock_clear_stats(&stacks_lock);
	lock_clear_stats(&counts_lock);
	lock_clear_stats(&recent_lock);
	thread_busy--;
	return 0;
}

#define COUNT_ROW(name, type, lock, field)                                     \
 CTL_ROW(name, type, .get = get_count, .number = (lock)*FIELDS + (field))
#define LOCK_ROWS(name, lock)                                                  \
 COUNT_ROW(name ".num_ops", CTL_UINT64, lock, OPS);                            \
 COUNT_ROW(name ".num_wait", CTL_UINT64, lock, WAITS);                         \
 COUNT_ROW(name ".num_spin_acq", CTL_UINT64, lock, SPINS);                     \
 COUNT_ROW(name ".num_owner_switch", CTL_UINT64, lock, SWITCHES);              \
 COUNT_ROW(name ".total_wait_time", CTL_UINT64, lock, WAIT_NS);                \
 COUNT_ROW(name ".max_wait_time", CTL_UINT64, lock, MAX_WAIT_NS);              \
 COUNT_ROW(name ".max_num_thds", CTL_UINT32, lock, MAX_WAITERS)

#define ARENA "stats.arenas.<i>.mutexes."

enum { FIRST_ROW = __COUNTER__ + 1 };

static void row_at(unsigned index, struct ctl_row *row)
{
	switch (index) {
		CTL_ROW("stats.mutexes.reset", CTL_VOID, CTL_UNCHECKED,
			.set = do_reset);
		LOCK_ROWS("stats.mutexes.background_thread", BACKGROUND);
		LOCK_ROWS("stats.mutexes.max_per_bg_thd", BACKGROUND);
		LOCK_ROWS("stats.mutexes.ctl", LISTS);
		LOCK_ROWS("stats.mutexes.prof", PROF_STACKS);
		LOCK_ROWS("stats.mutexes.prof_thds_data", PROF_TABLES);
		LOCK_ROWS("stats.mutexes.prof_dump", PROF_DUMP);
		LOCK_ROWS("stats.mutexes.prof_recent_alloc", PROF_RECENT);
		LOCK_ROWS("stats.mutexes.prof_recent_dump", PROF_DUMP);

		LOCK_ROWS(ARENA "large", PAGES);
		LOCK_ROWS(ARENA "extent_avail", PAGES);
		LOCK_ROWS(ARENA "extents_dirty", PAGES);
		LOCK_ROWS(ARENA "extents_muzzy", PAGES);
		LOCK_ROWS(ARENA "extents_retained", PAGES);
		LOCK_ROWS(ARENA "decay_dirty", PAGES);
		LOCK_ROWS(ARENA "decay_muzzy", PAGES);
		LOCK_ROWS(ARENA "base", METADATA);
		LOCK_ROWS(ARENA "tcache_list", THREADS);

		LOCK_ROWS("stats.arenas.<i>.bins.<j>.mutex", BIN);
	}
}

const struct ctl_table ctl_mutex_table = {row_at, __COUNTER__ - FIRST_ROW};
