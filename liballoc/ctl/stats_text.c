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

#define COUNT(array) ((unsigned)(sizeof(array) / sizeof((array)[0])))

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
	{"Allocated", "stats.allocated"}, {", active", "stats.active"},
	{", metadata", "stats.metadata"}, {", resident", "stats.resident"},
	{", mapped", "stats.mapped"},	  {", retained", "stats.retained"},
};

static void put_totals(struct print *out)
{
	for (unsigned i = 0; i < COUNT(totals); i++) {
		print_text(out, totals[i].says);
		print_text(out, ": ");
		print_unsigned(out, stats_value(totals[i].name, &no_index));
	}
	print_text(out, "\nCount of realloc(non-null-ptr, 0) calls: ");
	print_unsigned(out, stats_value("stats.zero_reallocs", &no_index));
	print_text(out, "\n");
}

/* The ledger's metrics of the process, in its own words. */
static void put_process(struct print *out)
{
	const struct ledger_metric *metrics = ledger_rows(LEDGER_METRICS);
	uint64_t count = ledger_header()->sections[LEDGER_METRICS].count;

	print_text(out, "Process:\n");
	for (uint64_t i = 0; i < count; i++) {
		char number[PRINT_NUMBER_BYTES];
		uint64_t value;

		if (metrics[i].section != LEDGER_PROCESS)
			continue;
		value = ledger_metric_get(&metrics[i], 0);
		print_right(out, print_number(number, value), 16);
		print_text(out, "  ");
		print_text(out, metrics[i].help);
		print_text(out, "\n");
	}
}

static void put_cell(struct print *out, uint64_t value, size_t width)
{
	char number[PRINT_NUMBER_BYTES];

	print_text(out, " ");
	print_right(out, print_number(number, value), width);
}

static void put_signed_cell(struct print *out, int64_t value, size_t width)
{
	if (value < 0) {
		print_text(out, " ");
		print_right(out, "never", width);
	} else {
		put_cell(out, (uint64_t)value, width);
	}
}

#define ARENA "stats.arenas.<i>."

/* The rows and columns of the two small tables of an arena. */
struct grid_row {
	const char *title;
	const char *names[6]; /* of controls after ARENA; NULL ends them */
};

static const struct grid_row decay_rows[] = {
	{"dirty:",
	 {"dirty_decay_ms", "pdirty", "dirty_npurge", "dirty_nmadvise",
	  "dirty_purged"}},
	{"muzzy:",
	 {"muzzy_decay_ms", "pmuzzy", "muzzy_npurge", "muzzy_nmadvise",
	  "muzzy_purged"}},
};

static const struct grid_row use_rows[] = {
	{"small:",
	 {"small.allocated", "small.nmalloc", "small.ndalloc",
	  "small.nrequests", "small.nfills", "small.nflushes"}},
	{"large:",
	 {"large.allocated", "large.nmalloc", "large.ndalloc",
	  "large.nrequests", "large.nfills", "large.nflushes"}},
};

static uint64_t arena_value(const char *name, const struct stats_index *index)
{
	char whole[64] = ARENA;

	memcpy(whole + sizeof(ARENA) - 1, name, strlen(name) + 1);
	return stats_value(whole, index);
}

static void put_grid(struct print *out, const char *head,
		     const struct grid_row *rows, unsigned count,
		     const struct stats_index *index)
{
	print_text(out, head);
	for (unsigned i = 0; i < count; i++) {
		print_left(out, rows[i].title, 6);
		for (unsigned j = 0; j < 6 && rows[i].names[j]; j++)
			put_signed_cell(
				out,
				(int64_t)arena_value(rows[i].names[j], index),
				15);
		print_text(out, "\n");
	}
}

static const struct line arena_lines[] = {
	{"active pages", ARENA "pactive"},
	{"mapped", ARENA "mapped"},
	{"retained", ARENA "retained"},
	{"base", ARENA "base"},
	{"internal", ARENA "internal"},
	{"tcache_bytes", ARENA "tcache_bytes"},
	{"resident", ARENA "resident"},
};

/* A column of the tables of size classes. */
struct column {
	const char *title;
	const char *name; /* of a control; NULL: see put_class */
	size_t width;
};

enum { ALLOCATED = 2, NMALLOC = 3 };

static const struct column bin_columns[] = {
	{"size", "arenas.bin.<i>.size", 10},
	{"ind", NULL, 4},
	{"allocated", NULL, 12},
	{"nmalloc", ARENA "bins.<j>.nmalloc", 12},
	{"ndalloc", ARENA "bins.<j>.ndalloc", 12},
	{"nrequests", ARENA "bins.<j>.nrequests", 12},
	{"curregs", ARENA "bins.<j>.curregs", 10},
	{"curslabs", ARENA "bins.<j>.curslabs", 9},
	{"nonfull", ARENA "bins.<j>.nonfull_slabs", 8},
	{"regs", "arenas.bin.<i>.nregs", 5},
	{"slab", "arenas.bin.<i>.slab_size", 7},
	{"nfills", ARENA "bins.<j>.nfills", 10},
	{"nflushes", ARENA "bins.<j>.nflushes", 10},
	{"nslabs", ARENA "bins.<j>.nslabs", 9},
	{"nreslabs", ARENA "bins.<j>.nreslabs", 9},
};

static const struct column lextent_columns[] = {
	{"size", "arenas.lextent.<i>.size", 15},
	{"ind", NULL, 4},
	{"at most", NULL, 15},
	{"nmalloc", ARENA "lextents.<j>.nmalloc", 12},
	{"ndalloc", ARENA "lextents.<j>.ndalloc", 12},
	{"nrequests", ARENA "lextents.<j>.nrequests", 12},
	{"curlextents", ARENA "lextents.<j>.curlextents", 11},
};

/* One of the two tables. */
struct class_table {
	const char *title;
	const struct column *columns;
	unsigned column_count;
	unsigned first_class;
	unsigned class_count;
	const char *size;   /* the control that says how large an object is */
	const char *in_use; /* and the one that counts those in use */
};

static uint64_t column_value(const struct column *column, size_t arena,
			     size_t j)
{
	const struct stats_index in_arena = stats_index_of_arena(arena, j);
	const struct stats_index of_class = stats_index_of_class(j);
	bool is_class = strncmp(column->name, "arenas.", 7) == 0;

	return stats_value(column->name, is_class ? &of_class : &in_arena);
}

static uint64_t allocated_of(const struct class_table *table, size_t arena,
			     size_t j)
{
	const struct stats_index in_arena = stats_index_of_arena(arena, j);
	const struct stats_index of_class = stats_index_of_class(j);

	return stats_value(table->in_use, &in_arena) *
	       stats_value(table->size, &of_class);
}

static void put_class(struct print *out, const struct class_table *table,
		      size_t arena, size_t j)
{
	for (unsigned i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		uint64_t value;

		if (column->name)
			value = column_value(column, arena, j);
		else if (i == ALLOCATED)
			value = allocated_of(table, arena, j);
		else
			value = table->first_class + j;
		put_cell(out, value, column->width);
	}
	print_text(out, "\n");
}

static void put_class_table(struct print *out, const struct class_table *table,
			    size_t arena)
{
	bool gap = false;

	print_text(out, table->title);
	for (unsigned i = 0; i < table->column_count; i++) {
		print_text(out, " ");
		print_right(out, table->columns[i].title,
			    table->columns[i].width);
	}
	print_text(out, "\n");
	for (unsigned j = 0; j < table->class_count; j++) {
		bool used = column_value(&table->columns[NMALLOC], arena, j);

		if (used)
			put_class(out, table, arena, j);
		else if (!gap)
			print_text(out, "                ---\n");
		gap = !used;
	}
}

static void put_classes(struct print *out, const struct stats_parts *parts,
			size_t arena)
{
	unsigned small = heap_small_class_count();
	const struct class_table bins = {
		.title = "bins:\n",
		.columns = bin_columns,
		.column_count = COUNT(bin_columns),
		.first_class = 0,
		.class_count = small,
		.size = "arenas.bin.<i>.size",
		.in_use = ARENA "bins.<j>.curregs",
	};
	const struct class_table lextents = {
		.title = "large:\n",
		.columns = lextent_columns,
		.column_count = COUNT(lextent_columns),
		.first_class = small,
		.class_count = heap_class_count() - small,
		.size = "arenas.lextent.<i>.size",
		.in_use = ARENA "lextents.<j>.curlextents",
	};

	if (parts->bins)
		put_class_table(out, &bins, arena);
	if (parts->lextents)
		put_class_table(out, &lextents, arena);
}

static void put_arena(struct print *out, const struct stats_parts *parts,
		      size_t arena)
{
	const struct stats_index index = stats_index_of_arena(arena, 0);

	print_text(out, "assigned threads: ");
	print_unsigned(out, arena_value("nthreads", &index));
	print_text(out, "\nuptime: ");
	print_unsigned(out, arena_value("uptime", &index));
	print_text(out, "\n");
	put_grid(out,
		 "decaying:        time          npages          sweeps"
		 "        madvises          purged\n",
		 decay_rows, COUNT(decay_rows), &index);
	put_grid(out,
		 "            allocated         nmalloc         ndalloc"
		 "       nrequests          nfills        nflushes\n",
		 use_rows, COUNT(use_rows), &index);
	put_lines(out, arena_lines, COUNT(arena_lines), &index);
	put_classes(out, parts, arena);
}

void stats_print_text(struct print *out, const struct stats_parts *parts)
{
	print_text(out, "___ Begin liballoc statistics ___\n");
	if (parts->general)
		put_general(out);
	put_totals(out);
	put_process(out);
	if (parts->merged) {
		print_text(out, "\nMerged arenas stats:\n");
		put_arena(out, parts, MALLCTL_ARENAS_ALL);
	}
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
