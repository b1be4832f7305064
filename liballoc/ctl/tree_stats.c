/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls: stats.*. Each is a metric of the ledger, or a sum over its rows,
 * as of the last publication of those who write it. Keeps no figure itself.
 */
#include "config.h"

#include <errno.h>
#include <time.h>

#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/heap/observe.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

/* Rows [first, end) of a section; or what destroyed arenas left behind. */
struct rows {
	unsigned first;
	unsigned end;
	bool destroyed;
};

/* The last row stands for all the arenas that found no room of their own. */
static struct rows all_arenas(void)
{
	unsigned count = heap_arena_count();
	unsigned capacity = ledger_capacity(LEDGER_ARENAS);

	return (struct rows){.end = count < capacity ? count : capacity};
}

/* Of stats.arenas.<i>. */
static struct rows arenas_of(const struct ctl_call *call)
{
	struct rows all = all_arenas();
	unsigned row = (unsigned)call->mib[2];

	if (ctl_is_all_arenas(row))
		return all;
	if (row == MALLCTL_ARENAS_DESTROYED)
		return (struct rows){.destroyed = true};
	if (row >= all.end)
		row = all.end - 1;
	return (struct rows){row, row + 1, false};
}

/* The word that the metric describes, in a row that is not in the ledger. */
static uint64_t metric_of(const void *row, const struct ledger_metric *metric)
{
	return ledger_get((const uint64_t *)(const void *)((const char *)row +
							   metric->offset));
}

static uint64_t sum_arenas(struct rows arenas, const char *name)
{
	const struct ledger_metric *metric =
		ledger_metric_find(LEDGER_ARENAS, name);
	uint64_t sum = 0;

	if (arenas.destroyed)
		return metric_of(heap_destroyed_stats(), metric);
	for (unsigned i = arenas.first; i < arenas.end; i++)
		sum += ledger_metric_get(metric, i);
	return sum;
}

/* Of the classes there may be fewer arenas: the last is of all others. */
static struct rows with_classes(struct rows arenas)
{
	unsigned end = ledger_capacity(LEDGER_ARENA_CLASSES) /
		       ledger_capacity(LEDGER_CLASSES);

	if (arenas.end > end)
		arenas.end = end;
	if (arenas.first >= end)
		arenas.first = end - 1;
	return arenas;
}

static uint64_t sum_classes(struct rows arenas, struct rows classes,
			    const char *name)
{
	const struct ledger_metric *metric =
		ledger_metric_find(LEDGER_ARENA_CLASSES, name);
	unsigned per_arena = ledger_capacity(LEDGER_CLASSES);
	uint64_t sum = 0;

	for (unsigned j = classes.first; arenas.destroyed && j < classes.end;
	     j++)
		sum += metric_of(heap_destroyed_class(j), metric);
	if (arenas.destroyed)
		return sum;
	arenas = with_classes(arenas);
	for (unsigned i = arenas.first; i < arenas.end; i++)
		for (unsigned j = classes.first; j < classes.end; j++)
			sum += ledger_metric_get(metric, i * per_arena + j);
	return sum;
}

static uint64_t process_metric(const char *name)
{
	return ledger_metric_get(ledger_metric_find(LEDGER_PROCESS, name), 0);
}

/* Counters are read one after the other: the difference may be negative. */
static uint64_t difference(uint64_t more, uint64_t less)
{
	return more > less ? more - less : 0;
}

static int get_process(const struct ctl_call *call, uint64_t *value)
{
	*value = process_metric(call->row->text);
	return 0;
}

static int get_dirty_limit(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = waiting_limit();
	return 0;
}

static int get_all(const struct ctl_call *call, uint64_t *value)
{
	*value = sum_arenas(all_arenas(), call->row->text);
	return 0;
}

static int get_allocated(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = sum_arenas(all_arenas(), "small_allocated") +
		 sum_arenas(all_arenas(), "large_allocated");
	return 0;
}

/* An upper bound: all of it may be resident, nothing else can be. */
static int get_resident(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = sum_arenas(all_arenas(), "active") +
		 sum_arenas(all_arenas(), "dirty") + process_metric("metadata");
	return 0;
}

static int get_arena(const struct ctl_call *call, uint64_t *value)
{
	*value = sum_arenas(arenas_of(call), call->row->text);
	return 0;
}

static int get_arena_pages(const struct ctl_call *call, uint64_t *value)
{
	*value = sum_arenas(arenas_of(call), call->row->text) /
		 ledger_header()->page_bytes;
	return 0;
}

static int get_arena_resident(const struct ctl_call *call, uint64_t *value)
{
	struct rows arenas = arenas_of(call);

	*value = sum_arenas(arenas, "active") + sum_arenas(arenas, "dirty") +
		 sum_arenas(arenas, "metadata");
	return 0;
}

/* Of all arenas: that of the oldest. */
static int get_uptime(const struct ctl_call *call, uint64_t *value)
{
	struct rows arenas = arenas_of(call);
	struct timespec now;
	uint64_t now_ns;

	arenas.end = arenas.first + 1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	*value = difference(now_ns, sum_arenas(arenas, "created_ns"));
	return 0;
}

/* Of all arenas: that of arenas yet to be made. number: is it the muzzy? */
static int get_decay_ms(const struct ctl_call *call, uint64_t *value)
{
	if (!ctl_is_all_arenas(call->mib[2]))
		*value = sum_arenas(arenas_of(call), call->row->text);
	else if (call->row->number)
		*value = (uint64_t)heap_default_muzzy_decay_ms();
	else
		*value = (uint64_t)heap_default_dirty_decay_ms();
	return 0;
}

static struct rows small_classes(void)
{
	return (struct rows){.end = heap_small_class_count()};
}

static struct rows large_classes(void)
{
	return (struct rows){heap_small_class_count(), heap_class_count(),
			     false};
}

static int get_small(const struct ctl_call *call, uint64_t *value)
{
	*value = sum_classes(arenas_of(call), small_classes(), call->row->text);
	return 0;
}

static int get_large(const struct ctl_call *call, uint64_t *value)
{
	*value = sum_classes(arenas_of(call), large_classes(), call->row->text);
	return 0;
}

/* The class of bins.<j>, or, number being 1, of lextents.<j>. */
static struct rows class_of(const struct ctl_call *call)
{
	unsigned first = (unsigned)call->mib[4];

	if (call->row->number)
		first += heap_small_class_count();
	return (struct rows){first, first + 1, false};
}

static int get_class(const struct ctl_call *call, uint64_t *value)
{
	*value = sum_classes(arenas_of(call), class_of(call), call->row->text);
	return 0;
}

static int get_class_in_use(const struct ctl_call *call, uint64_t *value)
{
	struct rows arenas = arenas_of(call);
	struct rows classes = class_of(call);

	*value = difference(sum_classes(arenas, classes, "nmalloc"),
			    sum_classes(arenas, classes, "ndalloc"));
	return 0;
}

static unsigned observed_arena(const struct ctl_call *call)
{
	size_t index = call->mib[2];

	return ctl_is_all_arenas(index) ? OBSERVE_ALL_ARENAS : (unsigned)index;
}

/* number: the state, and whether it is bytes that are asked for. */
static int get_runs(const struct ctl_call *call, uint64_t *value)
{
	enum extent_state state = (enum extent_state)(call->row->number / 2);
	struct observed_runs runs = observe_runs(observed_arena(call), state,
						 (unsigned)call->mib[4]);

	*value = call->row->number % 2 ? runs.bytes : runs.count;
	return 0;
}

static int get_extent_avail(const struct ctl_call *call, uint64_t *value)
{
	*value = observe_spare_extents(observed_arena(call));
	return 0;
}

/* Whose arena it was is not known: it is told of the process alone. */
static int get_abandoned(const struct ctl_call *call, uint64_t *value)
{
	*value = ctl_is_all_arenas(call->mib[2])
			 ? process_metric(call->row->text)
			 : 0;
	return 0;
}

/* jemalloc's word for what has no one value. */
static int get_dss(const struct ctl_call *call, uint64_t *value)
{
	*value = ctl_from_pointer(ctl_is_all_arenas(call->mib[2]) ? "N/A"
								  : "disabled");
	return 0;
}

static int get_pactivep(const struct ctl_call *call, uint64_t *value)
{
	const size_t *pages = observe_active_pages((unsigned)call->mib[2]);

	*value = ctl_from_pointer(pages);
	return pages ? 0 : EFAULT;
}

#define ARENA "stats.arenas.<i>."
#define EXTENT ARENA "extents.<j>."
#define RUNS(state, is_bytes) .get = get_runs, .number = (state)*2 + (is_bytes)
#define BIN ARENA "bins.<j>."
#define LEXTENT ARENA "lextents.<j>."

enum { FIRST_ROW = __COUNTER__ + 1 };

static void row_at(unsigned index, struct ctl_row *row)
{
	switch (index) {
		CTL_ROW("stats.allocated", CTL_SIZE, .get = get_allocated);
		CTL_ROW("stats.active", CTL_SIZE, .get = get_all,
			.text = "active");
		CTL_ROW("stats.metadata", CTL_SIZE, .get = get_process,
			.text = "metadata");
		CTL_ROW("stats.resident", CTL_SIZE, .get = get_resident);
		CTL_ROW("stats.mapped", CTL_SIZE, .get = get_process,
			.text = "mapped");
		CTL_ROW("stats.retained", CTL_SIZE, .get = get_process,
			.text = "retained");
		CTL_ROW("stats.metadata_thp", CTL_SIZE, .get = ctl_get_number,
			.number = 0);
		CTL_ROW("stats.zero_reallocs", CTL_SIZE, .get = get_process,
			.text = "zero_reallocs");

		CTL_ROW("stats.dirty_limit", CTL_SIZE, .get = get_dirty_limit);
		CTL_ROW("stats.memory_limit", CTL_SIZE, .get = get_process,
			.text = "memory_limit");
		CTL_ROW("stats.memory_usage", CTL_SIZE, .get = get_process,
			.text = "memory_usage");
		CTL_ROW("stats.memory_pressure", CTL_SIZE, .get = get_process,
			.text = "memory_pressure");
		CTL_ROW("stats.eager_purges", CTL_UINT64, .get = get_process,
			.text = "eager_purges");
		CTL_ROW("stats.background_thread.num_threads", CTL_SIZE,
			.get = get_process, .text = "background_threads");
		CTL_ROW("stats.background_thread.num_runs", CTL_UINT64,
			.get = get_process, .text = "background_runs");
		CTL_ROW("stats.background_thread.run_interval", CTL_UINT64,
			.get = get_process, .text = "background_interval_ns");

		CTL_ROW(ARENA "nthreads", CTL_UNSIGNED, .get = get_arena,
			.text = "nthreads");
		CTL_ROW(ARENA "uptime", CTL_UINT64, .get = get_uptime);
		CTL_ROW(ARENA "dss", CTL_STRING, .get = get_dss);
		CTL_ROW(ARENA "dirty_decay_ms", CTL_SSIZE, .get = get_decay_ms,
			.text = "dirty_decay_ms", .number = 0);
		CTL_ROW(ARENA "muzzy_decay_ms", CTL_SSIZE, .get = get_decay_ms,
			.text = "muzzy_decay_ms", .number = 1);
		CTL_ROW(ARENA "pactive", CTL_SIZE, .get = get_arena_pages,
			.text = "active");
		CTL_ROW(ARENA "pdirty", CTL_SIZE, .get = get_arena_pages,
			.text = "dirty");
		CTL_ROW(ARENA "pmuzzy", CTL_SIZE, .get = get_arena_pages,
			.text = "muzzy");
		CTL_ROW(ARENA "mapped", CTL_SIZE, .get = get_arena,
			.text = "mapped");
		CTL_ROW(ARENA "retained", CTL_SIZE, .get = get_arena,
			.text = "retained");
		CTL_ROW(ARENA "dirty_npurge", CTL_UINT64, .get = get_arena,
			.text = "dirty_npurge");
		CTL_ROW(ARENA "dirty_nmadvise", CTL_UINT64, .get = get_arena,
			.text = "dirty_nmadvise");
		CTL_ROW(ARENA "dirty_purged", CTL_UINT64, .get = get_arena,
			.text = "dirty_purged");
		CTL_ROW(ARENA "muzzy_npurge", CTL_UINT64, .get = get_arena,
			.text = "muzzy_npurge");
		CTL_ROW(ARENA "muzzy_nmadvise", CTL_UINT64, .get = get_arena,
			.text = "muzzy_nmadvise");
		CTL_ROW(ARENA "muzzy_purged", CTL_UINT64, .get = get_arena,
			.text = "muzzy_purged");
		CTL_ROW(ARENA "base", CTL_SIZE, .get = get_arena,
			.text = "metadata");
		CTL_ROW(ARENA "internal", CTL_SIZE, .get = ctl_get_number,
			.number = 0);
		CTL_ROW(ARENA "metadata_thp", CTL_SIZE, .get = ctl_get_number,
			.number = 0);
		CTL_ROW(ARENA "tcache_bytes", CTL_SIZE, .get = get_arena,
			.text = "tcache_bytes");
		CTL_ROW(ARENA "tcache_stashed_bytes", CTL_SIZE,
			.get = ctl_get_number, .number = 0);
		CTL_ROW(ARENA "resident", CTL_SIZE, .get = get_arena_resident);
		CTL_ROW(ARENA "abandoned_vm", CTL_SIZE, .get = get_abandoned,
			.text = "abandoned");
		CTL_ROW(ARENA "extent_avail", CTL_SIZE,
			.get = get_extent_avail);

		CTL_ROW(ARENA "small.allocated", CTL_SIZE, .get = get_arena,
			.text = "small_allocated");
		CTL_ROW(ARENA "small.nmalloc", CTL_UINT64, .get = get_small,
			.text = "nmalloc");
		CTL_ROW(ARENA "small.ndalloc", CTL_UINT64, .get = get_small,
			.text = "ndalloc");
		CTL_ROW(ARENA "small.nrequests", CTL_UINT64, .get = get_small,
			.text = "nrequests");
		CTL_ROW(ARENA "small.nfills", CTL_UINT64, .get = get_small,
			.text = "nfills");
		CTL_ROW(ARENA "small.nflushes", CTL_UINT64, .get = get_small,
			.text = "nflushes");
		CTL_ROW(ARENA "large.allocated", CTL_SIZE, .get = get_arena,
			.text = "large_allocated");
		CTL_ROW(ARENA "large.nmalloc", CTL_UINT64, .get = get_large,
			.text = "nmalloc");
		CTL_ROW(ARENA "large.ndalloc", CTL_UINT64, .get = get_large,
			.text = "ndalloc");
		CTL_ROW(ARENA "large.nrequests", CTL_UINT64, .get = get_large,
			.text = "nrequests");
		CTL_ROW(ARENA "large.nfills", CTL_UINT64, .get = get_large,
			.text = "nfills");
		CTL_ROW(ARENA "large.nflushes", CTL_UINT64, .get = get_large,
			.text = "nflushes");

		CTL_ROW(BIN "nmalloc", CTL_UINT64, .get = get_class,
			.text = "nmalloc");
		CTL_ROW(BIN "ndalloc", CTL_UINT64, .get = get_class,
			.text = "ndalloc");
		CTL_ROW(BIN "nrequests", CTL_UINT64, .get = get_class,
			.text = "nrequests");
		CTL_ROW(BIN "curregs", CTL_SIZE, .get = get_class_in_use);
		CTL_ROW(BIN "nfills", CTL_UINT64, .get = get_class,
			.text = "nfills");
		CTL_ROW(BIN "nflushes", CTL_UINT64, .get = get_class,
			.text = "nflushes");
		CTL_ROW(BIN "nslabs", CTL_UINT64, .get = get_class,
			.text = "nslabs");
		CTL_ROW(BIN "nreslabs", CTL_UINT64, .get = get_class,
			.text = "nreslabs");
		CTL_ROW(BIN "curslabs", CTL_SIZE, .get = get_class,
			.text = "curslabs");
		CTL_ROW(BIN "nonfull_slabs", CTL_SIZE, .get = get_class,
			.text = "nonfull_slabs");

		CTL_ROW(LEXTENT "nmalloc", CTL_UINT64, .get = get_class,
			.text = "nmalloc", .number = 1);
		CTL_ROW(LEXTENT "ndalloc", CTL_UINT64, .get = get_class,
			.text = "ndalloc", .number = 1);
		CTL_ROW(LEXTENT "nrequests", CTL_UINT64, .get = get_class,
			.text = "nrequests", .number = 1);
		CTL_ROW(LEXTENT "curlextents", CTL_SIZE,
			.get = get_class_in_use, .number = 1);

		CTL_ROW(EXTENT "ndirty", CTL_SIZE, RUNS(EXTENT_DIRTY, 0));
		CTL_ROW(EXTENT "nmuzzy", CTL_SIZE, RUNS(EXTENT_MUZZY, 0));
		CTL_ROW(EXTENT "nretained", CTL_SIZE, RUNS(EXTENT_CLEAN, 0));
		CTL_ROW(EXTENT "dirty_bytes", CTL_SIZE, RUNS(EXTENT_DIRTY, 1));
		CTL_ROW(EXTENT "muzzy_bytes", CTL_SIZE, RUNS(EXTENT_MUZZY, 1));
		CTL_ROW(EXTENT "retained_bytes", CTL_SIZE,
			RUNS(EXTENT_CLEAN, 1));

		CTL_ROW("approximate_stats.active", CTL_SIZE, .get = get_all,
			.text = "active");
		CTL_ROW("experimental.arenas.<i>.pactivep", CTL_POINTER,
			.get = get_pactivep);
	}
}

const struct ctl_table ctl_stats_table = {row_at, __COUNTER__ - FIRST_ROW};
