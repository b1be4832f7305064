/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc_stats_print for people. Never a format for programs: they have the
 * JSON.
 */
#include "config.h"

#include "liballoc/ctl/stats.h"

#include <string.h>

#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

#define ARENA "stats.arenas.<i>."
#define COUNT(array) ((unsigned)(sizeof(array) / sizeof((array)[0])))

static const struct stats_index no_index;

static void put_value(struct print *out, enum ctl_type type, uint64_t value)
{
	if (type == CTL_BOOL) {
		print_text(out, value ? "true" : "false");
	} else if (type == CTL_STRING) {
		const char *text = (const char *)(uintptr_t)value;

		print_text(out, "\"");
		print_masked(out, text, strlen(text));
		print_text(out, "\"");
	} else if (type == CTL_SSIZE || type == CTL_INT64) {
		print_signed(out, (int64_t)value);
	} else {
		print_unsigned(out, value);
	}
}

/* Options whose value can change: what holds now is shown beside. */
static const struct live_setting {
	const char *option;
	const char *now;
} live_settings[] = {
	{"opt.background_thread", "background_thread"},
	{"opt.max_background_threads", "max_background_threads"},
	{"opt.dirty_decay_ms", "arenas.dirty_decay_ms"},
	{"opt.muzzy_decay_ms", "arenas.muzzy_decay_ms"},
	{"opt.prof_active", "prof.active"},
	{"opt.prof_thread_active_init", "prof.thread_active_init"},
	{"opt.prof_gdump", "prof.gdump"},
	{"opt.lg_prof_sample", "prof.lg_sample"},
};

static void put_live(struct print *out, const char *option)
{
	for (unsigned i = 0; i < COUNT(live_settings); i++) {
		const char *now = live_settings[i].now;
		struct ctl_row row;
		uint64_t value;

		if (strcmp(live_settings[i].option, option) != 0 ||
		    !stats_find(now, &row) ||
		    !stats_read(&row, &no_index, &value))
			continue;
		print_text(out, " (");
		print_text(out, now);
		print_text(out, ": ");
		put_value(out, row.type, value);
		print_text(out, ")");
	}
}

/* All rows under prefix, a line each. */
static void put_settings(struct print *out, const char *title,
			 const char *prefix)
{
	print_text(out, title);
	print_text(out, "\n");
	for (unsigned i = 0; i < ctl_row_count(); i++) {
		struct ctl_row row;
		uint64_t value;

		ctl_row_at(i, &row);
		if (!stats_name_within(&row, prefix) ||
		    !stats_read(&row, &no_index, &value))
			continue;
		print_text(out, "  ");
		print_text(out, row.name);
		print_text(out, ": ");
		put_value(out, row.type, value);
		put_live(out, row.name);
		print_text(out, "\n");
	}
}

/* A line for each pair of what it says and the control it shows. */
struct line {
	const char *says;
	const char *name;
};

static void put_lines(struct print *out, const struct line *lines,
		      unsigned count, const struct stats_index *index)
{
	for (unsigned i = 0; i < count; i++) {
		print_text(out, lines[i].says);
		print_text(out, ": ");
		print_unsigned(out, stats_value(lines[i].name, index));
		print_text(out, "\n");
	}
}

static const struct line arena_settings[] = {
	{"Arenas", "arenas.narenas"},
	{"Quantum size", "arenas.quantum"},
	{"Page size", "arenas.page"},
	{"Maximum thread-cached size class", "arenas.tcache_max"},
	{"Number of bin size classes", "arenas.nbins"},
	{"Number of thread-cache bin size classes", "arenas.nhbins"},
	{"Number of large size classes", "arenas.nlextents"},
};

static void put_general(struct print *out)
{
	print_text(out, "Version: ");
	put_value(out, CTL_STRING, stats_value("version", &no_index));
	print_text(out, "\n");
	put_settings(out, "Build-time option settings", "config.");
	put_settings(out, "Run-time option settings", "opt.");
	put_settings(out, "Profiling settings", "prof.");
	put_lines(out, arena_settings, COUNT(arena_settings), &no_index);
}

static const struct line totals[] = {
	{"Allocated: ", "stats.allocated"},
	{", active: ", "stats.active"},
	{", metadata: ", "stats.metadata"},
	{" (n_thp ", "stats.metadata_thp"},
	{"), resident: ", "stats.resident"},
	{", mapped: ", "stats.mapped"},
	{", retained: ", "stats.retained"},
	{"\nCount of realloc(non-null-ptr, 0) calls: ", "stats.zero_reallocs"},
};

static const struct line background[] = {
	{"Background threads: ", "stats.background_thread.num_threads"},
	{", num_runs: ", "stats.background_thread.num_runs"},
	{", run_interval: ", "stats.background_thread.run_interval"},
};

static void put_sentence(struct print *out, const struct line *parts,
			 unsigned count, const char *end)
{
	for (unsigned i = 0; i < count; i++) {
		print_text(out, parts[i].says);
		print_unsigned(out, stats_value(parts[i].name, &no_index));
	}
	print_text(out, end);
}

static void put_totals(struct print *out, const struct stats_parts *parts)
{
	const struct stats_index all =
		stats_index_of_arena(MALLCTL_ARENAS_ALL, 0);
	struct ctl_row row;

	put_sentence(out, totals, COUNT(totals), "\n");
	if (stats_find(background[0].name, &row))
		put_sentence(out, background, COUNT(background), " ns\n");
	if (parts->mutexes)
		stats_print_mutexes(out, "stats.mutexes.", 0,
				    stats_value(ARENA "uptime", &all));
}

/* The ledger's metrics of the process, in its own words. */
static void put_process(struct print *out)
{
	const struct ledger_metric *metrics = ledger_rows(LEDGER_METRICS);
	uint64_t count = ledger_published(LEDGER_METRICS);

	print_text(out, "Process:\n");
	for (uint64_t i = 0; i < count; i++) {
		char number[PRINT_NUMBER_BYTES];
		uint64_t value;

		if (metrics[i].section != LEDGER_PROCESS)
			continue;
		if (metrics[i].kind == LEDGER_HISTOGRAM)
			continue;
		value = ledger_metric_get(&metrics[i], 0);
		print_right(out, print_number(number, value), 16);
		print_text(out, "  ");
		print_text(out, metrics[i].help);
		print_text(out, "\n");
	}
}

static void put_number(struct print *out, uint64_t value, size_t width)
{
	char number[PRINT_NUMBER_BYTES];

	print_text(out, " ");
	print_right(out, print_number(number, value), width);
}

static uint64_t arena_value(const char *name, const struct stats_index *index)
{
	char whole[64] = ARENA;

	memcpy(whole + sizeof(ARENA) - 1, name, strlen(name) + 1);
	return stats_value(whole, index);
}

/* The rows of the two small tables of an arena, and their controls. */
struct grid_row {
	const char *title;
	const char *names[6];
};

static const struct grid_row decay_rows[] = {
	{"   dirty:",
	 {"dirty_decay_ms", "pdirty", "dirty_npurge", "dirty_nmadvise",
	  "dirty_purged"}},
	{"   muzzy:",
	 {"muzzy_decay_ms", "pmuzzy", "muzzy_npurge", "muzzy_nmadvise",
	  "muzzy_purged"}},
};

static void put_decay(struct print *out, const struct stats_index *index)
{
	print_text(out, "decaying:  time       npages       sweeps"
			"     madvises       purged\n");
	for (unsigned i = 0; i < COUNT(decay_rows); i++) {
		const struct grid_row *row = &decay_rows[i];
		int64_t ms = (int64_t)arena_value(row->names[0], index);

		print_text(out, row->title);
		if (ms < 0)
			print_text(out, "   N/A");
		else
			put_number(out, (uint64_t)ms, 5);
		for (unsigned j = 1; j < 5; j++)
			put_number(out, arena_value(row->names[j], index), 12);
		print_text(out, "\n");
	}
}

static const struct grid_row use_rows[] = {
	{"small:",
	 {"small.allocated", "small.nmalloc", "small.ndalloc",
	  "small.nrequests", "small.nfills", "small.nflushes"}},
	{"large:",
	 {"large.allocated", "large.nmalloc", "large.ndalloc",
	  "large.nrequests", "large.nfills", "large.nflushes"}},
};

static void put_use_row(struct print *out, const char *title,
			const uint64_t values[6], uint64_t uptime_ns)
{
	print_left(out, title, 21);
	put_number(out, values[0], 15);
	for (unsigned j = 1; j < 6; j++)
		stats_print_rate(out, values[j], 15, uptime_ns);
	print_text(out, "\n");
}

static void put_use(struct print *out, const struct stats_index *index,
		    uint64_t uptime_ns)
{
	uint64_t sums[6] = {0}, values[6];

	print_text(out, "                            allocated"
			"         nmalloc (#/sec)         ndalloc (#/sec)"
			"       nrequests (#/sec)          nfills (#/sec)"
			"        nflushes (#/sec)\n");
	for (unsigned i = 0; i < COUNT(use_rows); i++) {
		for (unsigned j = 0; j < 6; j++) {
			values[j] = arena_value(use_rows[i].names[j], index);
			sums[j] += values[j];
		}
		put_use_row(out, use_rows[i].title, values, uptime_ns);
	}
	put_use_row(out, "total:", sums, uptime_ns);
}

static const struct line arena_lines[] = {
	{"mapped:", "mapped"},
	{"retained:", "retained"},
	{"base:", "base"},
	{"internal:", "internal"},
	{"metadata_thp:", "metadata_thp"},
	{"tcache_bytes:", "tcache_bytes"},
	{"tcache_stashed_bytes:", "tcache_stashed_bytes"},
	{"resident:", "resident"},
	{"abandoned_vm:", "abandoned_vm"},
	{"extent_avail:", "extent_avail"},
};

static void put_bytes(struct print *out, const struct stats_index *index)
{
	print_left(out, "active:", 21);
	put_number(out,
		   arena_value("pactive", index) *
			   stats_value("arenas.page", index),
		   15);
	print_text(out, "\n");
	for (unsigned i = 0; i < COUNT(arena_lines); i++) {
		print_left(out, arena_lines[i].says, 21);
		put_number(out, arena_value(arena_lines[i].name, index), 15);
		print_text(out, "\n");
	}
}

static void put_arena(struct print *out, const struct stats_parts *parts,
		      size_t arena)
{
	const struct stats_index index = stats_index_of_arena(arena, 0);
	uint64_t uptime_ns = arena_value("uptime", &index);

	print_text(out, "assigned threads: ");
	print_unsigned(out, arena_value("nthreads", &index));
	print_text(out, "\nuptime: ");
	print_unsigned(out, uptime_ns);
	print_text(out, "\ndss allocation precedence: ");
	put_value(out, CTL_STRING, arena_value("dss", &index));
	print_text(out, "\n");
	put_decay(out, &index);
	put_use(out, &index, uptime_ns);
	put_bytes(out, &index);
	if (parts->mutexes)
		stats_print_mutexes(out, ARENA "mutexes.", arena, uptime_ns);
	stats_print_sizes(out, parts, arena);
}

static void put_titled(struct print *out, const struct stats_parts *parts,
		       const char *title, size_t arena)
{
	print_text(out, title);
	put_arena(out, parts, arena);
}

void stats_print_text(struct print *out, const struct stats_parts *parts)
{
	print_text(out, "___ Begin liballoc statistics ___\n");
	if (parts->general)
		put_general(out);
	put_totals(out, parts);
	put_process(out);
	if (parts->merged)
		put_titled(out, parts, "\nMerged arenas stats:\n",
			   MALLCTL_ARENAS_ALL);
	if (parts->destroyed && stats_has_arena(MALLCTL_ARENAS_DESTROYED))
		put_titled(out, parts, "\nDestroyed arenas stats:\n",
			   MALLCTL_ARENAS_DESTROYED);
	for (unsigned i = 0; parts->arenas && i < heap_arena_count(); i++) {
		if (!stats_has_arena(i))
			continue;
		print_text(out, "\narenas[");
		print_unsigned(out, i);
		print_text(out, "]:\n");
		put_arena(out, parts, i);
	}
	print_text(out, "--- End liballoc statistics ---\n");
}
