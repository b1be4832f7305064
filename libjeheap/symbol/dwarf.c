/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the debugging entries of the compilation units that hold a query, and
 * of no others. Entries come from outside: the work is bounded by the size of
 * the sections, whatever they say of siblings and ranges.
 */
#include "config.h"

#include "libjeheap/symbol/dwarf.h"

#include <string.h>

#include <dwarf.h>

#include "libjeheap/symbol/names.h"

#define DEPTH_MAX 200
/* Steps that a byte of DWARF may cost before the walk is given up. */
#define WORK_PER_BYTE 64

struct unit {
	Dwarf_Die die;	   /* has the line table */
	Dwarf_Die content; /* the same, or that of the split file */
};

struct walk {
	struct queries *queries;
	struct name_cache names;
	struct unit *units;
	size_t unit_count, unit_capacity;
	uint64_t code_start;
	uint64_t work_left;
	/* of the unit being walked: */
	uint32_t unit;
	uint32_t claimed; /* queries of that unit number are its to name */
	Dwarf_Files *files;
	bool everywhere; /* look for functions inside types and functions too */
	uint32_t scopes; /* numbers given so far */
};

static bool spend(struct walk *walk, uint64_t work)
{
	if (walk->work_left < work) {
		walk->work_left = 0;
		return false;
	}
	walk->work_left -= work;
	return true;
}

/* An entry's ranges, one after the other, those of dropped code left out. */
struct ranges {
	ptrdiff_t next;
	Dwarf_Addr base, low, high;
};

static bool next_range(struct walk *walk, Dwarf_Die *die, struct ranges *r)
{
	while (spend(walk, 1)) {
		r->next =
			dwarf_ranges(die, r->next, &r->base, &r->low, &r->high);
		if (r->next <= 0)
			return false;
		if (r->low >= walk->code_start && r->low < r->high)
			return true;
	}
	return false;
}

static size_t claim_range(struct queries *queries, const struct ranges *r,
			  uint32_t unit)
{
	size_t claimed = 0;

	for (size_t i = queries_from(queries, r->low);
	     i < queries->count && queries->items[i].address < r->high; i++) {
		if (queries->items[i].unit != NO_UNIT)
			continue;
		queries->items[i].unit = unit;
		claimed++;
	}
	return claimed;
}

static void add_unit(struct walk *walk, const Dwarf_Die *die,
		     const Dwarf_Die *content)
{
	*ARENA_PUSH(walk->queries->arena, walk->units, walk->unit_count,
		    walk->unit_capacity) = (struct unit){*die, *content};
}

/*
 * Keeps the units whose ranges hold a query; with `rangeless`, instead, those
 * that do not say where their code is.
 */
static void collect_units(struct walk *walk, Dwarf *dwarf, bool rangeless)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Half version;
	uint8_t type;
	Dwarf_Die die, split;

	while (dwarf_get_units(dwarf, unit, &unit, &version, &type, &die,
			       &split) == 0 &&
	       spend(walk, 1)) {
		struct ranges r = {0};
		size_t claimed = 0;
		bool any = false;

		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		while (next_range(walk, &die, &r)) {
			any = true;
			claimed += claim_range(walk->queries, &r,
					       (uint32_t)walk->unit_count);
		}
		if (rangeless ? !any && dwarf_haschildren(&die) : claimed > 0)
			add_unit(walk, &die,
				 type == DW_UT_skeleton && split.cu ? &split
								    : &die);
	}
}

static uint64_t number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0)
		return 0;
	return value;
}

static uint32_t small(uint64_t value)
{
	return value <= INT32_MAX ? (uint32_t)value : 0;
}

/* Where an inlined subroutine is called, for the frame around it. */
struct call {
	struct str file;
	uint32_t line, column;
};

static struct call call_of(struct walk *walk, Dwarf_Die *die)
{
	bool has_file = walk->files && dwarf_hasattr(die, DW_AT_call_file);

	return (struct call){
		has_file ? source_file(walk->files,
				       number_of(die, DW_AT_call_file))
			 : (struct str){0},
		small(number_of(die, DW_AT_call_line)),
		small(number_of(die, DW_AT_call_column)),
	};
}

static void push_frame(struct arena *arena, struct query *q,
		       const struct function_name *function,
		       const struct call *call)
{
	struct frame *frame = ARENA_NEW(arena, struct frame);

	frame->function = function;
	frame->outer = q->innermost;
	if (frame->outer) {
		frame->outer->file = call->file;
		frame->outer->line = call->line;
		frame->outer->column = call->column;
	}
	q->innermost = frame;
}

/*
 * Gives the queries that the entry covers, and whose innermost scope is the
 * entry's parent, a new innermost frame. Returns the entry's scope, or 0 if
 * it covers none.
 */
static uint32_t enter(struct walk *walk, Dwarf_Die *die, uint32_t parent)
{
	struct queries *queries = walk->queries;
	const struct function_name *function = NULL;
	struct call call = {0};
	struct ranges r = {0};
	uint32_t scope = 0;

	while (next_range(walk, die, &r)) {
		for (size_t i = queries_from(queries, r.low);
		     i < queries->count && queries->items[i].address < r.high;
		     i++) {
			struct query *q = &queries->items[i];

			if (q->unit != walk->claimed || q->scope != parent ||
			    !spend(walk, 1))
				continue;
			if (!function) {
				function = function_name_of(&walk->names, die);
				if (!function)
					return 0;
				scope = ++walk->scopes;
				if (parent)
					call = call_of(walk, die);
			}
			q->scope = scope;
			push_frame(queries->arena, q, function, &call);
		}
	}
	return scope;
}

/* Does a block cover a query? One without addresses may. */
static bool may_cover(struct walk *walk, Dwarf_Die *die)
{
	struct ranges r = {0};
	bool any = false;

	while (next_range(walk, die, &r)) {
		size_t i = queries_from(walk->queries, r.low);

		any = true;
		if (i < walk->queries->count &&
		    walk->queries->items[i].address < r.high)
			return true;
	}
	return !any;
}

static void walk_children(struct walk *walk, Dwarf_Die *parent, uint32_t scope,
			  unsigned depth);

static void visit(struct walk *walk, Dwarf_Die *die, uint32_t scope,
		  unsigned depth)
{
	uint32_t inner;

	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram:
		inner = enter(walk, die, 0);
		if (inner || walk->everywhere)
			walk_children(walk, die, inner, depth);
		break;
	case DW_TAG_inlined_subroutine:
		inner = scope ? enter(walk, die, scope) : 0;
		if (inner)
			walk_children(walk, die, inner, depth);
		break;
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		if (walk->everywhere || may_cover(walk, die))
			walk_children(walk, die, scope, depth);
		break;
	case DW_TAG_namespace:
	case DW_TAG_module:
		walk_children(walk, die, scope, depth);
		break;
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_interface_type:
		if (walk->everywhere)
			walk_children(walk, die, scope, depth);
		break;
	default:
		break;
	}
}

static void walk_children(struct walk *walk, Dwarf_Die *parent, uint32_t scope,
			  unsigned depth)
{
	Dwarf_Off offset = dwarf_dieoffset(parent);
	Dwarf_Die die, sibling;

	if (depth >= DEPTH_MAX || !dwarf_haschildren(parent) ||
	    dwarf_child(parent, &die) != 0)
		return;
	for (;;) {
		Dwarf_Off next = dwarf_dieoffset(&die);

		/* Only forwards: a sibling that lies before makes a ring. */
		if (next <= offset || !spend(walk, next - offset))
			return;
		offset = next;
		visit(walk, &die, scope, depth + 1);
		if (dwarf_siblingof(&die, &sibling) != 0)
			return;
		die = sibling;
	}
}

static bool has_unnamed(const struct queries *queries, uint32_t unit)
{
	for (size_t i = 0; i < queries->count; i++)
		if (queries->items[i].unit == unit && !queries->items[i].scope)
			return true;
	return false;
}

/* Functions lie at the top or in namespaces; seldom, deeper. */
static void walk_unit(struct walk *walk, uint32_t unit)
{
	Dwarf_Die *content = &walk->units[unit].content;
	size_t file_count;

	walk->unit = unit;
	walk->claimed = unit;
	if (dwarf_getsrcfiles(content, &walk->files, &file_count) != 0)
		walk->files = NULL;
	walk->everywhere = false;
	walk_children(walk, content, 0, 0);
	if (has_unnamed(walk->queries, unit)) {
		walk->everywhere = true;
		walk_children(walk, content, 0, 0);
	}
}

/* Units without ranges: whatever function covers a query claims it. */
static void walk_rangeless(struct walk *walk, uint32_t unit)
{
	struct queries *queries = walk->queries;
	size_t file_count;

	if (!has_unnamed(queries, NO_UNIT))
		return;
	walk->unit = unit;
	walk->claimed = NO_UNIT;
	if (dwarf_getsrcfiles(&walk->units[unit].content, &walk->files,
			      &file_count) != 0)
		walk->files = NULL;
	walk->everywhere = true;
	walk_children(walk, &walk->units[unit].content, 0, 0);
	for (size_t i = 0; i < queries->count; i++)
		if (queries->items[i].unit == NO_UNIT &&
		    queries->items[i].scope)
			queries->items[i].unit = unit;
}

/* The line table's row, which tells the place in the innermost frame. */
static void set_row(struct walk *walk, struct query *q)
{
	Dwarf_Line *row =
		dwarf_getsrc_die(&walk->units[q->unit].die, q->address);
	const char *file = row ? dwarf_linesrc(row, NULL, NULL) : NULL;
	int line = 0, column = 0;

	if (!file || dwarf_lineno(row, &line) != 0 || line <= 0)
		return;
	dwarf_linecol(row, &column);
	q->file = str_of(file);
	q->line = (uint32_t)line;
	q->column = column > 0 ? (uint32_t)column : 0;
	if (q->innermost) {
		q->innermost->file = q->file;
		q->innermost->line = q->line;
		q->innermost->column = q->column;
	}
}

/* Relative names are meant from where the compiler ran. */
static void join_paths(struct walk *walk, struct query *q)
{
	Dwarf_Die *unit = &walk->units[q->unit].die;

	for (struct frame *f = q->innermost; f; f = f->outer)
		f->file = source_path(walk->queries->arena, unit, f->file);
	q->file = source_path(walk->queries->arena, unit, q->file);
}

static uint64_t info_bytes(Dwarf *dwarf)
{
	Elf *elf = dwarf_getelf(dwarf);
	size_t bytes = 0;

	if (!elf || !elf_rawfile(elf, &bytes))
		return 0;
	return bytes;
}

void dwarf_resolve(struct dwarf_file *file, uint64_t code_start,
		   struct queries *queries)
{
	struct walk walk = {
		.queries = queries,
		.names = {.arena = queries->arena},
		.code_start = code_start == UINT64_MAX ? 0 : code_start,
		.work_left = info_bytes(file->dwarf) * WORK_PER_BYTE,
	};
	size_t with_ranges;

	collect_units(&walk, file->dwarf, false);
	with_ranges = walk.unit_count;
	for (uint32_t i = 0; i < with_ranges; i++)
		walk_unit(&walk, i);
	if (has_unnamed(queries, NO_UNIT)) {
		collect_units(&walk, file->dwarf, true);
		for (size_t i = with_ranges; i < walk.unit_count; i++)
			walk_rangeless(&walk, (uint32_t)i);
	}
	for (size_t i = 0; i < queries->count; i++) {
		if (queries->items[i].unit == NO_UNIT)
			continue;
		set_row(&walk, &queries->items[i]);
		join_paths(&walk, &queries->items[i]);
	}
}

static void open_alternate(const struct finder *finder,
			   const struct image *image, struct dwarf_file *file)
{
	struct image *alternate = &file->alternate_image;

	if (!find_alternate_image(finder, image, file->dwarf, alternate))
		return;
	file->alternate = dwarf_begin_elf(alternate->elf, DWARF_C_READ, NULL);
	if (file->alternate)
		dwarf_setalt(file->dwarf, file->alternate);
	else
		image_close(alternate);
}

bool dwarf_file_open(const struct finder *finder, const struct image *image,
		     struct dwarf_file *file)
{
	*file = (struct dwarf_file){.alternate_image.fd = -1};
	file->dwarf = dwarf_begin_elf(image->elf, DWARF_C_READ, NULL);
	if (!file->dwarf)
		return false;
	open_alternate(finder, image, file);
	return true;
}

void dwarf_file_close(struct dwarf_file *file)
{
	if (file->dwarf)
		dwarf_end(file->dwarf);
	if (file->alternate)
		dwarf_end(file->alternate);
	image_close(&file->alternate_image);
	file->dwarf = file->alternate = NULL;
}
