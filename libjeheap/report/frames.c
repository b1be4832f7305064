/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of frames: what a location is called at a granularity, and the table
 * of those names for a whole profile. Resolves no symbol.
 */
#include "config.h"

#include "libjeheap/report/frames.h"

#include <assert.h>
#include <inttypes.h>

#include "libjeheap/base/str.h"

static struct str text_of(char *text)
{
	return str_of(text);
}

static struct str object_name(const struct profile *profile,
			      const struct location *location)
{
	if (location->file == NONE)
		return (struct str){NULL, 0};
	return str_basename(profile->files[location->file].path);
}

static struct str unresolved_name(const struct profile *profile,
				  const struct location *location,
				  enum granularity granularity,
				  struct arena *arena)
{
	struct str object = object_name(profile, location);

	if (granularity == BY_FILE)
		return object.len ? object : STR("[unknown]");
	if (!object.len)
		return text_of(arena_printf(arena, "[unknown] 0x%" PRIx64,
					    location->address));
	return text_of(arena_printf(arena, "%.*s+0x%" PRIx64, STR_ARG(object),
				    location->offset));
}

static struct str source_name(struct str function, const struct line *line,
			      struct str file, struct arena *arena)
{
	if (!file.len)
		return function;
	if (!line->line)
		return text_of(arena_printf(arena, "%.*s %.*s",
					    STR_ARG(function), STR_ARG(file)));
	return text_of(arena_printf(arena, "%.*s %.*s:%" PRIu32,
				    STR_ARG(function), STR_ARG(file),
				    line->line));
}

struct str frame_name(const struct profile *profile, uint32_t location,
		      uint32_t line, enum granularity granularity,
		      struct arena *arena)
{
	const struct location *l = &profile->locations[location];
	const struct function *function;
	struct str name;

	if (line >= l->line_count)
		return unresolved_name(profile, l, granularity, arena);
	function = &profile->functions[l->lines[line].function];
	if (granularity == BY_FUNCTION)
		return function->name;
	if (granularity == BY_FILE && function->filename.len)
		return function->filename;
	if (granularity == BY_FILE)
		return unresolved_name(profile, l, BY_FILE, arena);
	name = source_name(function->name, &l->lines[line], function->filename,
			   arena);
	if (granularity == BY_LINE)
		return name;
	return text_of(arena_printf(arena, "0x%" PRIx64 " %.*s", l->address,
				    STR_ARG(name)));
}

uint32_t location_steps(const struct location *location)
{
	return location->line_count ? location->line_count : 1;
}

static size_t deepest_stack(const struct profile *profile)
{
	size_t deepest = 0;

	for (size_t i = 0; i < profile->stack_count; i++) {
		const struct stack *stack = &profile->stacks[i];
		size_t depth = 0;

		for (uint32_t j = 0; j < stack->count; j++) {
			uint32_t l = profile->frames[stack->first + j];

			depth += location_steps(&profile->locations[l]);
		}
		if (depth > deepest)
			deepest = depth;
	}
	return deepest;
}

struct name_files {
	struct arena *arena;
	size_t capacity;
	uint32_t *file; /* by name: object file, NONE, or MIXED */
};

#define UNSEEN (NONE - 1)
#define MIXED (NONE - 2)

static void note_file(const struct profile *profile, struct name_files *files,
		      uint32_t name, uint32_t file)
{
	uint32_t seen;

	assert(files->file);
	seen = files->file[name];

	if (seen == UNSEEN)
		files->file[name] = file;
	else if (seen != file && seen != MIXED &&
		 (seen == NONE || file == NONE ||
		  !str_equal(str_basename(profile->files[seen].path),
			     str_basename(profile->files[file].path))))
		files->file[name] = MIXED;
}

static void name_location(struct frames *frames, uint32_t location,
			  enum granularity granularity,
			  struct name_files *files, struct arena *scratch)
{
	const struct profile *profile = frames->profile;
	const struct location *l = &profile->locations[location];
	struct arena_mark mark = arena_mark(scratch);

	for (uint32_t i = 0; i < location_steps(l); i++) {
		struct str text =
			frame_name(profile, location, i, granularity, scratch);
		size_t known = frames->names.count;
		uint32_t name = intern(&frames->names, text);

		if (name == known)
			*ARENA_PUSH(files->arena, files->file, known,
				    files->capacity) = UNSEEN;
		note_file(profile, files, name, l->file);
		frames->names_of[frames->first[location] + i] = name;
	}
	arena_rewind(scratch, mark);
}

static void name_files_to_text(struct frames *frames,
			       const struct name_files *files,
			       struct arena *arena)
{
	frames->files = ARENA_ARRAY(arena, frames->names.count, struct str);
	assert(files->file || !frames->names.count);
	for (size_t i = 0; i < frames->names.count; i++)
		if (files->file[i] < MIXED)
			frames->files[i] = str_basename(
				frames->profile->files[files->file[i]].path);
}

struct frames *frames_new(const struct profile *profile,
			  enum granularity granularity, struct arena *arena)
{
	struct frames *frames = ARENA_NEW(arena, struct frames);
	struct arena scratch = {NULL, NULL, NULL};
	struct name_files files = {arena, 0, NULL};
	size_t steps = 0;

	frames->profile = profile;
	frames->names.arena = arena;
	frames->first = ARENA_ARRAY(arena, profile->location_count, size_t);
	for (size_t i = 0; i < profile->location_count; i++) {
		frames->first[i] = steps;
		steps += location_steps(&profile->locations[i]);
	}
	frames->names_of = ARENA_ARRAY(arena, steps, uint32_t);
	for (size_t i = 0; i < profile->location_count; i++)
		name_location(frames, (uint32_t)i, granularity, &files,
			      &scratch);
	name_files_to_text(frames, &files, arena);
	frames->steps =
		ARENA_ARRAY(arena, deepest_stack(profile), struct frame_step);
	arena_free(&scratch);
	return frames;
}

size_t frames_expand(struct frames *frames, uint32_t stack)
{
	const struct profile *profile = frames->profile;
	const struct stack *s = &profile->stacks[stack];
	size_t count = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t l = profile->frames[s->first + i];
		uint32_t steps = location_steps(&profile->locations[l]);

		for (uint32_t j = 0; j < steps; j++)
			frames->steps[count++] = (struct frame_step){
				frames->names_of[frames->first[l] + j], l, j,
				j + 1 < steps};
	}
	return count;
}
