/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbolized profiles, as jeprof --raw writes them: a table of names, and a
 * dump behind it. A name's key is the address less one, but for the leaf of
 * a stack, whose key is the address as dumped.
 */
#include "config.h"

#include "libjeheap/profile/read.h"

#include <stdlib.h>

#include "libjeheap/profile/heap_text.h"

struct symbol_row {
	uint64_t address;
	struct str names; /* "outer--inner" */
	size_t order;	  /* of the line: the last of equals counts */
};

struct symbol_rows {
	struct symbol_row *rows;
	size_t count, capacity;
	struct str binary; /* the line that names the program */
};

static int by_address(const void *a, const void *b)
{
	const struct symbol_row *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static const struct symbol_row *find_row(const struct symbol_rows *table,
					 uint64_t address)
{
	size_t low = 0, high = table->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (table->rows[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || table->rows[low - 1].address != address)
		return NULL;
	return &table->rows[low - 1];
}

/* The names may hold spaces; a row without a name says nothing. */
static void add_row(struct profile *profile, struct str line,
		    struct symbol_rows *table)
{
	struct symbol_row row = {.order = table->count};

	if (!take_hex(&line, &row.address))
		return;
	row.names = str_trim(line);
	if (row.names.len)
		*ARENA_PUSH(profile->arena, table->rows, table->count,
			    table->capacity) = row;
}

static bool read_table(struct profile *profile, struct cursor *c,
		       struct symbol_rows *table)
{
	struct str line;

	while (cursor_line(c, &line)) {
		if (str_starts_with(line, STR("---"))) {
			if (table->count)
				qsort(table->rows, table->count,
				      sizeof(*table->rows), by_address);
			return true;
		}
		if (str_starts_with(line, STR("0x")))
			add_row(profile, line, table);
		else if (str_starts_with(line, STR("binary=")))
			table->binary = line;
	}
	return cursor_fail_line(c, "the table of symbols has no end: the "
				   "profile is truncated; take another");
}

/* The writer puts "- -" for the "--" of a name, which would end it. */
static struct str restore_dashes(struct arena *arena, struct str name)
{
	static const struct str split = {"- -", 3};
	struct text text = {.arena = arena};
	size_t at;

	while ((at = str_find(name, split)) != SIZE_MAX) {
		text_add(&text, (struct str){name.ptr, at});
		text_add(&text, STR("--"));
		name = (struct str){name.ptr + at + split.len,
				    name.len - at - split.len};
	}
	text_add(&text, name);
	return text_str(&text);
}

static uint32_t add_function(struct profile *profile, struct str name)
{
	name = restore_dashes(profile->arena, name);
	return profile_function(profile, name, name, (struct str){0}, 0);
}

/* Outermost first in the text, innermost first in the model. */
static void set_lines(struct profile *profile, struct location *location,
		      struct str names)
{
	static const struct str separator = {"--", 2};
	struct line *lines = NULL, swap;
	size_t count = 0, capacity = 0, i, at;

	for (;;) {
		at = str_find(names, separator);
		*ARENA_PUSH(profile->arena, lines, count,
			    capacity) = (struct line){
			.function = add_function(
				profile,
				(struct str){names.ptr,
					     at == SIZE_MAX ? names.len : at})};
		if (at == SIZE_MAX)
			break;
		names = (struct str){names.ptr + at + 2, names.len - at - 2};
	}
	for (i = 0; i < count / 2; i++) {
		swap = lines[i];
		lines[i] = lines[count - 1 - i];
		lines[count - 1 - i] = swap;
	}
	location->lines = lines;
	location->line_count = (uint32_t)count;
	location->unresolved = RESOLVED;
}

static void name_locations(struct profile *profile,
			   const struct symbol_rows *table)
{
	const struct symbol_row *row;
	struct location *location;
	size_t i;

	for (i = 0; i < profile->location_count; i++) {
		location = &profile->locations[i];
		row = find_row(table, location->address);
		if (!row)
			row = find_row(table, location->address + 1);
		/* A name that is an address is none. */
		if (row && !str_starts_with(row->names, STR("0x")))
			set_lines(profile, location, row->names);
	}
}

static bool parse(struct profile *profile, struct cursor *c)
{
	struct symbol_rows table = {0};
	struct cursor ahead;
	struct str line;

	if (!heap_text_header(profile, c, &line) ||
	    !read_table(profile, c, &table))
		return false;
	ahead = *c;
	if (cursor_line(&ahead, &line) && str_starts_with(line, STR("--- ")))
		*c = ahead;
	if (!heap_text_parse(profile, c, false))
		return false;
	name_locations(profile, &table);
	/* Mappings, where there are any, say it better. */
	if (!profile->mapping_count && table.binary.len)
		profile_comment(profile, table.binary);
	return true;
}

struct profile *read_symbolized(struct str content, const char *name,
				struct diag *diag)
{
	struct profile *profile = profile_new();
	struct cursor c = cursor_over(content.ptr, content.len, name, diag);

	profile->source = str_copy(profile->arena, str_of(name));
	if (parse(profile, &c))
		return profile;
	profile_free(profile);
	return NULL;
}
