/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of size classes (bins) and of arenas. Rows in which nothing ever
 * happened are left out.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "jestat/print.h"
#include "libjeheap/base/number.h"
#include "libjeheap/base/table.h"

enum column_kind { SIZE, COUNT, SHARE, RATE };

struct column {
	const char *title, *name; /* name: in CSV */
	enum column_kind kind;
};

struct sheet {
	struct table table;
	const struct print_options *options;
	const struct column *columns;
	size_t next; /* column */
};

static void add(struct sheet *sheet, double value)
{
	const struct column *column = &sheet->columns[sheet->next];
	char buffer[NUMBER_BYTES];

	sheet->next = (sheet->next + 1) % sheet->table.columns;
	if (sheet->options->csv && isnan(value))
		table_cell(&sheet->table, (struct str){NULL, 0});
	else if (sheet->options->csv && column->kind == SHARE)
		table_cellf(&sheet->table, "%.6f", value);
	else if (sheet->options->csv || column->kind == COUNT)
		table_cell(&sheet->table, str_of(format_count(buffer, value)));
	else if (column->kind == SHARE)
		table_cell(&sheet->table,
			   str_of(format_percent(buffer, value, 1)));
	else if (column->kind == RATE)
		table_cell(&sheet->table,
			   str_of(format_count_short(buffer, value)));
	else
		table_cell(&sheet->table,
			   str_of(print_size(buffer, sheet->options, value)));
}

static struct sheet start(const struct column *columns, size_t count,
			  const struct print_options *options,
			  struct arena *arena)
{
	struct sheet sheet = {
		.table = {.arena = arena,
			  .columns = count,
			  .left = ARENA_ARRAY(arena, count, bool)},
		.options = options,
		.columns = columns,
	};
	size_t i;

	for (i = 0; i < count; i++)
		table_cell(&sheet.table,
			   str_of(options->csv ? columns[i].name
					       : columns[i].title));
	return sheet;
}

static void finish(const struct sheet *sheet)
{
	if (sheet->options->csv)
		table_print_csv(&sheet->table, stdout);
	else
		table_print(&sheet->table, stdout);
}

static const struct column bin_columns[] = {
	{"size", "size", SIZE},
	{"allocated", "allocated", SIZE},
	{"regions", "regions", COUNT},
	{"slabs", "slabs", COUNT},
	{"not full", "nonfull_slabs", COUNT},
	{"slab", "slab_bytes", SIZE},
	{"used", "utilization", SHARE},
	{"taken", "nmalloc", COUNT},
	{"given back", "ndalloc", COUNT},
	{"fills", "nfills", COUNT},
	{"flushes", "nflushes", COUNT},
	{"requests", "nrequests", COUNT},
	{"requests/s", "requests_per_second", RATE},
};

static double request_rate(const struct reading *now,
			   const struct reading *before, uint64_t size_class)
{
	double requests = reading_class_sum(now, "nrequests", size_class);

	if (before)
		requests -= reading_class_sum(before, "nrequests", size_class);
	return (requests < 0 ? 0 : requests) / reading_elapsed(now, before);
}

static void add_bin(struct sheet *sheet, const struct reading *now,
		    const struct reading *before, uint64_t i)
{
	const struct ledger_class *class =
		ledger_row(&now->view, LEDGER_CLASSES, i);
	double taken = reading_class_sum(now, "nmalloc", i);
	double given = reading_class_sum(now, "ndalloc", i);
	double slabs = reading_class_sum(now, "curslabs", i);
	double room = slabs * class->regions_per_slab;

	/* A copy made between the two counts may have more given than taken. */
	double regions = taken < given ? 0 : taken - given;

	add(sheet, (double)class->size_bytes);
	add(sheet, regions * (double)class->size_bytes);
	add(sheet, regions);
	add(sheet, class->regions_per_slab ? slabs : NAN);
	add(sheet, class->regions_per_slab
			   ? reading_class_sum(now, "nonfull_slabs", i)
			   : NAN);
	add(sheet, class->regions_per_slab ? class->slab_bytes : NAN);
	add(sheet, room > 0 ? fmin(regions / room, 1) : NAN);
	add(sheet, taken);
	add(sheet, given);
	add(sheet, reading_class_sum(now, "nfills", i));
	add(sheet, reading_class_sum(now, "nflushes", i));
	add(sheet, reading_class_sum(now, "nrequests", i));
	add(sheet, request_rate(now, before, i));
}

void print_bins(const struct reading *now, const struct reading *before,
		const struct print_options *options)
{
	struct arena arena = {NULL, NULL, NULL};
	struct sheet sheet =
		start(bin_columns, sizeof(bin_columns) / sizeof(*bin_columns),
		      options, &arena);
	uint64_t i;

	for (i = 0; i < now->view.count[LEDGER_CLASSES]; i++) {
		if (reading_class_sum(now, "nmalloc", i) > 0 ||
		    reading_class_sum(now, "nrequests", i) > 0)
			add_bin(&sheet, now, before, i);
	}
	finish(&sheet);
	arena_free(&arena);
}

static const struct column arena_columns[] = {
	{"arena", "arena", COUNT},	  {"threads", "nthreads", COUNT},
	{"allocated", "allocated", SIZE}, {"active", "active", SIZE},
	{"frag", "fragmentation", SHARE}, {"dirty", "dirty", SIZE},
	{"muzzy", "muzzy", SIZE},	  {"mapped", "mapped", SIZE},
	{"retained", "retained", SIZE},	  {"metadata", "metadata", SIZE},
	{"cached", "tcache_bytes", SIZE}, {"purges", "npurge", COUNT},
	{"purged", "purged", SIZE},
};

static double arena_value(const struct reading *now, const char *name,
			  uint64_t arena)
{
	return reading_value(now, LEDGER_ARENAS, name, arena);
}

static void add_arena(struct sheet *sheet, const struct reading *now,
		      uint64_t i)
{
	double allocated = arena_value(now, "small_allocated", i) +
			   arena_value(now, "large_allocated", i);
	double active = arena_value(now, "active", i);
	double purged = arena_value(now, "dirty_purged", i) +
			arena_value(now, "muzzy_purged", i);

	add(sheet, (double)i);
	add(sheet, arena_value(now, "nthreads", i));
	add(sheet, allocated);
	add(sheet, active);
	add(sheet, fragmentation(active, allocated));
	add(sheet, arena_value(now, "dirty", i));
	add(sheet, arena_value(now, "muzzy", i));
	add(sheet, arena_value(now, "mapped", i));
	add(sheet, arena_value(now, "retained", i));
	add(sheet, arena_value(now, "metadata", i));
	add(sheet, arena_value(now, "tcache_bytes", i));
	add(sheet, arena_value(now, "dirty_npurge", i) +
			   arena_value(now, "muzzy_npurge", i));
	add(sheet, purged * now->view.header.page_bytes);
}

void print_arenas(const struct reading *now,
		  const struct print_options *options)
{
	struct arena arena = {NULL, NULL, NULL};
	struct sheet sheet = start(
		arena_columns, sizeof(arena_columns) / sizeof(*arena_columns),
		options, &arena);
	uint64_t i;

	for (i = 0; i < now->view.count[LEDGER_ARENAS]; i++) {
		if (arena_value(now, "mapped", i) > 0 ||
		    arena_value(now, "nthreads", i) > 0)
			add_arena(&sheet, now, i);
	}
	finish(&sheet);
	arena_free(&arena);
}
