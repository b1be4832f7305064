/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a profile has no names, in which files, and why: what a report's
 * footer tells. Looks up nothing itself.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "libjeheap/report/amount.h"

struct reason {
	const char *text, *remedy;
};

static const struct reason reasons[] = {
	[RESOLVED] = {"the profile has no name for it", NULL},
	[NO_MAPPING] =
		{"in no file that the profile lists",
		 "code made at run time, or a library that was unloaded"},
	[NO_FILE] = {"the file is not here",
		     "copy it here and name its root with --lib_prefix"},
	[FILE_CHANGED] = {"the file here is another build",
			  "name the root of the build that ran with "
			  "--lib_prefix"},
	[NO_SYMBOLS] = {"stripped, and no debug file was found",
			"install its debug symbols"},
	[NO_SYMBOL_HERE] = {"no symbol covers the address",
			    "install its debug symbols"},
	[NOT_ELF] = {"not a readable ELF file", NULL},
	[NOT_TRIED] = {"symbols were not looked up", NULL},
};

const char *unresolved_reason(enum unresolved reason)
{
	return reasons[reason].text;
}

const char *unresolved_remedy(enum unresolved reason)
{
	return reasons[reason].remedy;
}

static void add(struct value *sum, struct value v)
{
	sum->total += v.total;
	sum->variance += v.variance;
}

static uint32_t row_of(const struct profile *profile, uint32_t location,
		       struct arena *arena, struct nameless_list *list)
{
	const struct location *l = &profile->locations[location];
	struct str file = {NULL, 0};
	struct nameless *row;

	if (l->file != NONE)
		file = profile->files[l->file].path;
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].reason == l->unresolved &&
		    str_equal(list->rows[i].file, file))
			return (uint32_t)i;
	row = ARENA_PUSH(arena, list->rows, list->count, list->capacity);
	row->file = file;
	row->reason = l->unresolved;
	return (uint32_t)list->count - 1;
}

static int compare_rows(const void *left, const void *right)
{
	const struct nameless *a = left, *b = right;
	double x = fabs(a->any.total), y = fabs(b->any.total);

	if (x != y)
		return x < y ? 1 : -1;
	if (a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	return str_compare(a->file, b->file);
}

static void add_sample(const struct profile *profile, size_t index,
		       struct value value, const uint32_t *rows, size_t *seen,
		       struct nameless_list *list)
{
	const struct stack *stack =
		&profile->stacks[profile->samples[index].stack];
	bool any = false;

	for (uint32_t i = 0; i < stack->count; i++) {
		uint32_t row = rows[profile->frames[stack->first + i]];

		if (row == NONE)
			continue;
		if (i == 0)
			add(&list->rows[row].leaf, value);
		if (i == 0)
			add(&list->leaf, value);
		if (seen[row] != index + 1)
			add(&list->rows[row].any, value);
		seen[row] = index + 1;
		any = true;
	}
	if (any)
		add(&list->any, value);
}

static void drop_empty_rows(struct nameless_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].any.total != 0)
			list->rows[kept++] = list->rows[i];
	list->count = kept;
}

void find_nameless(const struct profile *profile, enum sample_type type,
		   struct arena *arena, struct nameless_list *list)
{
	uint32_t *rows = ARENA_ARRAY(arena, profile->location_count, uint32_t);
	size_t *seen;

	*list = (struct nameless_list){.rows = NULL};
	for (size_t i = 0; i < profile->location_count; i++)
		rows[i] = profile->locations[i].line_count
				  ? NONE
				  : row_of(profile, (uint32_t)i, arena, list);
	seen = ARENA_ARRAY(arena, list->count, size_t);
	for (size_t i = 0; i < profile->sample_count; i++)
		add_sample(profile, i, profile->samples[i].value[type], rows,
			   seen, list);
	drop_empty_rows(list);
	if (list->count)
		qsort(list->rows, list->count, sizeof(*list->rows),
		      compare_rows);
}
