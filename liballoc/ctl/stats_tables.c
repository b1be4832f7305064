/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of malloc_stats_print's text: sizes of an arena, and locks. What
 * they show is all read by the names of controls.
 */
#include "config.h"

#include "liballoc/ctl/stats.h"

#include <string.h>

#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/observe.h"

#define COUNT(array) ((unsigned)(sizeof(array) / sizeof((array)[0])))
#define RATE_WIDTH 8
#define NS_PER_SECOND UINT64_C(1000000000)

static void put_cell(struct print *out, uint64_t value, size_t width)
{
	char number[PRINT_NUMBER_BYTES];

	print_text(out, " ");
	print_right(out, print_number(number, value), width);
}

/* Of less than a second all is said to be of that second. */
static uint64_t per_second(uint64_t value, uint64_t uptime_ns)
{
	uint64_t seconds = uptime_ns / NS_PER_SECOND;

	return seconds ? value / seconds : value;
}

void stats_print_rate(struct print *out, uint64_t value, size_t width,
		      uint64_t uptime_ns)
{
	put_cell(out, value, width);
	put_cell(out, per_second(value, uptime_ns), RATE_WIDTH - 1);
}

/* What a column shows: a control, or what follows from several. */
enum column_kind {
	VALUE,
	RATE,
	CLASS_VALUE,
	INDEX,
	BYTES,
	PAGES,
	FILLED,
	TOTAL
};

/* With its texts: pointers to them would be relocated in every process. */
struct column {
	char title[16];
	enum column_kind kind;
	char name[44]; /* of the control; of TOTAL, the end of the names */
	size_t width;
};

#define ARENA "stats.arenas.<i>."
#define BIN ARENA "bins.<j>."
#define LEXTENT ARENA "lextents.<j>."
#define EXTENT ARENA "extents.<j>."

static const struct column bin_columns[] = {
	{"size", CLASS_VALUE, "arenas.bin.<i>.size", 13},
	{"ind", INDEX, "", 3},
	{"allocated", BYTES, BIN "curregs", 12},
	{"nmalloc", RATE, BIN "nmalloc", 12},
	{"ndalloc", RATE, BIN "ndalloc", 12},
	{"nrequests", RATE, BIN "nrequests", 12},
	{"nshards", CLASS_VALUE, "arenas.bin.<i>.nshards", 8},
	{"curregs", VALUE, BIN "curregs", 12},
	{"curslabs", VALUE, BIN "curslabs", 12},
	{"nonfull_slabs", VALUE, BIN "nonfull_slabs", 14},
	{"regs", CLASS_VALUE, "arenas.bin.<i>.nregs", 4},
	{"pgs", PAGES, "arenas.bin.<i>.slab_size", 3},
	{"util", FILLED, "", 5},
	{"nfills", RATE, BIN "nfills", 12},
	{"nflushes", RATE, BIN "nflushes", 12},
	{"nslabs", VALUE, BIN "nslabs", 12},
	{"nreslabs", RATE, BIN "nreslabs", 12},
};

static const struct column lextent_columns[] = {
	{"size", CLASS_VALUE, "arenas.lextent.<i>.size", 13},
	{"ind", INDEX, "", 3},
	{"allocated", BYTES, LEXTENT "curlextents", 12},
	{"nmalloc", RATE, LEXTENT "nmalloc", 12},
	{"ndalloc", RATE, LEXTENT "ndalloc", 12},
	{"nrequests", RATE, LEXTENT "nrequests", 12},
	{"curlextents", VALUE, LEXTENT "curlextents", 12},
};

static const struct column extent_columns[] = {
	{"size", CLASS_VALUE, "", 11},
	{"ind", INDEX, "", 3},
	{"ndirty", VALUE, EXTENT "ndirty", 12},
	{"dirty", VALUE, EXTENT "dirty_bytes", 12},
	{"nmuzzy", VALUE, EXTENT "nmuzzy", 12},
	{"muzzy", VALUE, EXTENT "muzzy_bytes", 12},
	{"nretained", VALUE, EXTENT "nretained", 12},
	{"retained", VALUE, EXTENT "retained_bytes", 12},
	{"ntotal", TOTAL, "n", 12},
	{"total", TOTAL, "bytes", 12},
};

/* After the name of a lock, and its dot. */
static const struct column lock_columns[] = {
	{"n_lock_ops", RATE, "num_ops", 15},
	{"n_waiting", RATE, "num_wait", 15},
	{"n_spin_acq", RATE, "num_spin_acq", 15},
	{"n_owner_switch", RATE, "num_owner_switch", 15},
	{"total_wait_ns", RATE, "total_wait_time", 15},
	{"max_wait_ns", VALUE, "max_wait_time", 15},
	{"max_n_thds", VALUE, "max_num_thds", 10},
};

struct table {
	const char *title;
	const struct column *columns;
	unsigned column_count;
	unsigned first_index; /* of the first row, among all size classes */
	unsigned row_count;
	const char *used; /* rows where this, or the next, is 0 are left out */
	const char *also;
	bool locks; /* with the lock of each row */
};

static void put_titles(struct print *out, const struct column *columns,
		       unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		print_text(out, " ");
		print_right(out, columns[i].title, columns[i].width);
		if (columns[i].kind == RATE)
			print_text(out, " (#/sec)");
	}
}

/* curregs among all regions of the slabs there are, to three decimals. */
static void put_filled(struct print *out, const struct stats_index *in_arena,
		       const struct stats_index *of_class)
{
	uint64_t used = stats_value(BIN "curregs", in_arena);
	uint64_t all = stats_value("arenas.bin.<i>.nregs", of_class) *
		       stats_value(BIN "curslabs", in_arena);
	uint64_t milli = all ? used * 1000 / all : 1000;
	char text[] = {'0',
		       '.',
		       (char)('0' + milli / 100 % 10),
		       (char)('0' + milli / 10 % 10),
		       (char)('0' + milli % 10),
		       '\0'};

	print_text(out, " ");
	print_right(out, milli >= 1000 ? "1" : text, 5);
}

static uint64_t total(bool bytes, const struct stats_index *index)
{
	if (bytes)
		return stats_value(EXTENT "dirty_bytes", index) +
		       stats_value(EXTENT "muzzy_bytes", index) +
		       stats_value(EXTENT "retained_bytes", index);
	return stats_value(EXTENT "ndirty", index) +
	       stats_value(EXTENT "nmuzzy", index) +
	       stats_value(EXTENT "nretained", index);
}

static uint64_t size_of(const struct table *table, unsigned j)
{
	const struct stats_index of_class = stats_index_of_class(j);

	return table->columns[0].name[0] != '\0'
		       ? stats_value(table->columns[0].name, &of_class)
		       : observe_run_bytes(j);
}

static void put_column(struct print *out, const struct table *table,
		       const struct column *column, size_t arena, unsigned j,
		       uint64_t uptime_ns)
{
	const struct stats_index in_arena = stats_index_of_arena(arena, j);
	const struct stats_index of_class = stats_index_of_class(j);
	uint64_t value = 0;

	switch (column->kind) {
	case FILLED:
		put_filled(out, &in_arena, &of_class);
		return;
	case RATE:
		stats_print_rate(out, stats_value(column->name, &in_arena),
				 column->width, uptime_ns);
		return;
	case VALUE:
		value = stats_value(column->name, &in_arena);
		break;
	case CLASS_VALUE:
		value = column == table->columns
				? size_of(table, j)
				: stats_value(column->name, &of_class);
		break;
	case INDEX:
		value = table->first_index + j;
		break;
	case BYTES:
		value = stats_value(column->name, &in_arena) *
			size_of(table, j);
		break;
	case PAGES:
		value = stats_value(column->name, &of_class) /
			stats_value("arenas.page", &of_class);
		break;
	case TOTAL:
		value = total(strcmp(column->name, "bytes") == 0, &in_arena);
		break;
	}
	put_cell(out, value, column->width);
}

/* The lock that the name, up to its dot, is of. */
static void put_lock(struct print *out, const char *name,
		     const struct stats_index *index, uint64_t uptime_ns)
{
	size_t head = strlen(name);
	char whole[96];

	for (unsigned i = 0; i < COUNT(lock_columns); i++) {
		const struct column *column = &lock_columns[i];
		uint64_t value;

		if (head + strlen(column->name) >= sizeof(whole))
			return;
		strcpy(stpcpy(whole, name), column->name);
		value = stats_value(whole, index);
		if (column->kind == RATE)
			stats_print_rate(out, value, column->width, uptime_ns);
		else
			put_cell(out, value, column->width);
	}
}

static void put_row(struct print *out, const struct table *table, size_t arena,
		    unsigned j, uint64_t uptime_ns)
{
	const struct stats_index in_arena = stats_index_of_arena(arena, j);

	print_left(out, "", strlen(table->title));
	for (unsigned i = 0; i < table->column_count; i++)
		put_column(out, table, &table->columns[i], arena, j, uptime_ns);
	if (table->locks)
		put_lock(out, BIN "mutex.", &in_arena, uptime_ns);
	print_text(out, "\n");
}

static bool is_used(const struct table *table, size_t arena, unsigned j)
{
	const struct stats_index index = stats_index_of_arena(arena, j);

	if (!table->used)
		return total(false, &index) != 0;
	return stats_value(table->used, &index) ||
	       stats_value(table->also, &index);
}

static void put_table(struct print *out, const struct table *table,
		      size_t arena, uint64_t uptime_ns)
{
	bool gap = false;

	print_text(out, table->title);
	put_titles(out, table->columns, table->column_count);
	if (table->locks)
		put_titles(out, lock_columns, COUNT(lock_columns));
	print_text(out, "\n");
	for (unsigned j = 0; j < table->row_count; j++) {
		bool used = is_used(table, arena, j);

		if (used)
			put_row(out, table, arena, j, uptime_ns);
		else if (!gap)
			print_text(out, "                     ---\n");
		gap = !used;
	}
}

void stats_print_sizes(struct print *out, const struct stats_parts *parts,
		       size_t arena)
{
	const struct stats_index index = stats_index_of_arena(arena, 0);
	uint64_t uptime_ns = stats_value(ARENA "uptime", &index);
	unsigned small = heap_small_class_count();
	const struct table bins = {
		"bins:", bin_columns,	COUNT(bin_columns), 0,
		small,	 BIN "nmalloc", BIN "curslabs",	    parts->mutexes};
	const struct table lextents = {"large:",
				       lextent_columns,
				       COUNT(lextent_columns),
				       small,
				       heap_class_count() - small,
				       LEXTENT "nmalloc",
				       LEXTENT "curlextents",
				       false};
	const struct table extents = {"extents:",
				      extent_columns,
				      COUNT(extent_columns),
				      0,
				      observe_run_sizes(),
				      NULL,
				      NULL,
				      false};

	if (parts->bins)
		put_table(out, &bins, arena, uptime_ns);
	if (parts->lextents)
		put_table(out, &lextents, arena, uptime_ns);
	if (parts->extents)
		put_table(out, &extents, arena, uptime_ns);
}

void stats_print_mutexes(struct print *out, const char *prefix, size_t arena,
			 uint64_t uptime_ns)
{
	const struct stats_index index = stats_index_of_arena(arena, 0);
	char whole[96] = "";

	print_left(out, "", 20);
	put_titles(out, lock_columns, COUNT(lock_columns));
	print_text(out, "\n");
	for (unsigned i = 0; i < ctl_row_count(); i++) {
		struct ctl_row row;
		const char *name, *end;

		ctl_row_at(i, &row);
		name = stats_name_within(&row, prefix);
		end = name ? strstr(name, ".num_ops") : NULL;
		if (!end || (size_t)(end - row.name) + 2 > sizeof(whole))
			continue;
		memcpy(whole, row.name, (size_t)(end - row.name) + 1);
		whole[end - row.name] = '\0';
		print_left(out, whole + strlen(prefix), 20);
		memcpy(whole + (end - row.name), ".", 2);
		put_lock(out, whole, &index, uptime_ns);
		print_text(out, "\n");
	}
}
