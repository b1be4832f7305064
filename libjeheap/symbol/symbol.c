/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbolizes a profile, file by file: finds the file and its debug file, asks
 * DWARF, then the symbol tables, and puts what they say into the locations.
 */
#include "config.h"

#include "libjeheap/symbol/symbol.h"

#include <stdlib.h>
#include <string.h>

#include "libjeheap/symbol/dwarf.h"
#include "libjeheap/symbol/find.h"
#include "libjeheap/symbol/image.h"
#include "libjeheap/symbol/query.h"
#include "libjeheap/symbol/symtab.h"

/* What is open while one file's locations are named. */
struct sources {
	struct image image, debug;
	struct dwarf_file dwarf;
};

static void sources_close(struct sources *s)
{
	dwarf_file_close(&s->dwarf);
	image_close(&s->debug);
	image_close(&s->image);
}

static struct str masked(struct arena *arena, struct str s)
{
	char *copy = arena_copy(arena, s.ptr, s.len);

	mask_text(copy, s.len);
	return (struct str){copy, s.len};
}

static uint32_t add_function(struct profile *profile, struct arena *arena,
			     const struct frame *frame)
{
	const struct function_name *f = frame->function;
	struct str file = frame->file.len ? frame->file : f->file;
	uint32_t line = str_equal(file, f->file) ? f->line : 0;

	return profile_function(profile, masked(arena, f->name),
				masked(arena, f->system_name),
				masked(arena, file), line);
}

/* Hands a query's frames to its location. */
static void set_lines(struct profile *profile, struct arena *arena,
		      const struct query *q, bool no_inlines)
{
	struct location *location = &profile->locations[q->location];
	const struct frame *frame = q->innermost;
	uint32_t count = 0;

	while (no_inlines && frame && frame->outer)
		frame = frame->outer;
	for (const struct frame *f = frame; f; f = f->outer)
		count++;
	location->lines = ARENA_ARRAY(profile->arena, count, struct line);
	for (uint32_t i = 0; i < count; i++, frame = frame->outer)
		location->lines[i] = (struct line){
			add_function(profile, arena, frame),
			frame->line,
			frame->column,
		};
	location->line_count = count;
	location->unresolved = RESOLVED;
}

/* A function without DWARF may still have lines: assembly has. */
static void use_row(struct query *q)
{
	if (!q->innermost || q->innermost->file.len || !q->file.len)
		return;
	q->innermost->file = q->file;
	q->innermost->line = q->line;
	q->innermost->column = q->column;
}

/*
 * Asks the sources, the best first. Returns why those that no source names
 * have no name.
 */
static enum unresolved resolve(const struct finder *finder, struct sources *s,
			       struct str path, struct queries *queries)
{
	struct image *image = &s->image, *debug = &s->debug;
	bool full;

	if (!image_has_dwarf(image))
		find_debug_image(finder, image, path, debug);
	if (dwarf_file_open(finder, debug->elf ? debug : image, &s->dwarf))
		dwarf_resolve(&s->dwarf, image->code_start, queries);
	full = symtab_resolve(image, SHT_SYMTAB, queries);
	if (!full && debug->elf)
		full = symtab_resolve(debug, SHT_SYMTAB, queries);
	if (!full)
		full = minidebug_resolve(image, queries);
	symtab_resolve(image, SHT_DYNSYM, queries);
	for (size_t i = 0; i < queries->count; i++)
		use_row(&queries->items[i]);
	return full || s->dwarf.dwarf ? NO_SYMBOL_HERE : NO_SYMBOLS;
}

/* Locations [first, first + count) of `order`, all of one file. */
static void symbolize_file(const struct finder *finder, struct profile *profile,
			   const uint32_t *order, size_t count)
{
	uint32_t file = profile->locations[order[0]].file;
	struct queries queries = {finder->arena, NULL, 0};
	struct sources s = {.debug.fd = -1, .dwarf.alternate_image.fd = -1};
	enum unresolved reason = find_image(finder, file, &s.image);

	queries.items = ARENA_ARRAY(finder->arena, count, struct query);
	for (size_t i = 0; i < count; i++) {
		struct location *location = &profile->locations[order[i]];
		uint64_t address;

		location->unresolved =
			reason == RESOLVED ? NO_SYMBOL_HERE : reason;
		if (reason == RESOLVED &&
		    image_address(&s.image, location->offset, &address))
			queries.items[queries.count++] =
				(struct query){.address = address,
					       .location = order[i],
					       .unit = NO_UNIT};
	}
	queries_sort(&queries);
	if (queries.count)
		reason = resolve(finder, &s, profile->files[file].path,
				 &queries);
	for (size_t i = 0; i < queries.count; i++) {
		const struct query *q = &queries.items[i];

		if (q->innermost)
			set_lines(profile, finder->arena, q,
				  finder->options->no_inlines);
		else
			profile->locations[q->location].unresolved = reason;
	}
	sources_close(&s);
}

static int compare_files(const void *pa, const void *pb, void *data)
{
	const struct profile *profile = data;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	uint32_t file_a = profile->locations[a].file;
	uint32_t file_b = profile->locations[b].file;

	if (file_a != file_b)
		return file_a < file_b ? -1 : 1;
	return (a > b) - (a < b);
}

/* Locations without lines, by file; those of no file are told so. */
static size_t list_unresolved(struct profile *profile, uint32_t *order)
{
	size_t count = 0;

	for (size_t i = 0; i < profile->location_count; i++) {
		struct location *location = &profile->locations[i];

		if (location->line_count)
			continue;
		if (location->file < profile->file_count)
			order[count++] = (uint32_t)i;
		else
			location->unresolved = NO_MAPPING;
	}
	if (count)
		qsort_r(order, count, sizeof(*order), compare_files, profile);
	return count;
}

static void fill_stats(const struct profile *profile,
		       struct symbol_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	for (size_t i = 0; i < profile->location_count; i++) {
		if (profile->locations[i].line_count)
			stats->resolved++;
		else
			stats->unresolved++;
	}
	for (size_t i = 0; i < profile->sample_count; i++) {
		const struct sample *sample = &profile->samples[i];
		const struct stack *stack = &profile->stacks[sample->stack];
		const struct location *leaf;

		if (!stack->count)
			continue;
		leaf = &profile->locations[profile->frames[stack->first]];
		if (!leaf->line_count)
			stats->unresolved_bytes[leaf->unresolved] +=
				sample->value[INUSE_SPACE].total;
	}
}

/* Of locations that came with names: keeps the function that is real. */
static void drop_inlines(struct profile *profile)
{
	for (size_t i = 0; i < profile->location_count; i++) {
		struct location *location = &profile->locations[i];

		if (location->line_count < 2)
			continue;
		location->lines += location->line_count - 1;
		location->line_count = 1;
	}
}

void symbolize(struct profile *profile, const struct symbol_options *options,
	       struct symbol_stats *stats)
{
	struct arena scratch = {0};
	struct finder finder = {profile, options, &scratch};
	uint32_t *order =
		ARENA_ARRAY(&scratch, profile->location_count, uint32_t);
	size_t count = list_unresolved(profile, order);
	size_t first, next;

	for (first = 0; first < count; first = next) {
		uint32_t file = profile->locations[order[first]].file;

		for (next = first + 1;
		     next < count &&
		     profile->locations[order[next]].file == file;
		     next++)
			;
		symbolize_file(&finder, profile, order + first, next - first);
	}
	arena_free(&scratch);
	if (options->no_inlines)
		drop_inlines(profile);
	if (stats)
		fill_stats(profile, stats);
}
