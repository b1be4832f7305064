/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model's builders: equal files, functions, locations, stacks and threads
 * get one index, in order of first sight. Parses nothing and prints nothing.
 */
#include "config.h"

#include "libjeheap/profile/profile.h"

#include <stdlib.h>

#include "libjeheap/profile/index.h"

const char *const sample_type_names[SAMPLE_TYPES] = {
	"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
const char *const sample_type_units[SAMPLE_TYPES] = {"count", "bytes", "count",
						     "bytes"};

struct profile *profile_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));
	struct profile *profile;

	if (!arena)
		out_of_memory();
	profile = ARENA_NEW(arena, struct profile);
	profile->arena = arena;
	profile->period_bytes = 1;
	profile->index = ARENA_NEW(arena, struct profile_index);
	profile->index->strings.arena = arena;
	return profile;
}

void profile_free(struct profile *profile)
{
	struct arena *arena = profile ? profile->arena : NULL;

	if (!arena)
		return;
	arena_free(arena);
	free(arena);
}

struct str profile_string(struct profile *profile, struct str s)
{
	struct intern *strings = &profile->index->strings;
	uint32_t number = intern(strings, s);

	return strings->strings[number];
}

/* What a builder looks for, and where. */
struct wanted {
	const struct profile *profile;
	const void *element;
};

static bool same_file(const void *data, uint32_t number)
{
	const struct wanted *wanted = data;
	const struct object_file *a = wanted->element;
	const struct object_file *b = &wanted->profile->files[number];

	return a->deleted == b->deleted && str_equal(a->path, b->path) &&
	       str_equal(a->build_id, b->build_id);
}

uint32_t profile_file(struct profile *profile, struct str path,
		      struct str build_id, bool deleted)
{
	struct object_file file = {path, build_id, deleted};
	struct wanted wanted = {profile, &file};
	uint64_t key[] = {str_hash(path), str_hash(build_id), deleted};
	uint32_t fresh = to_index(profile->file_count), found;

	found = slots_enter(&profile->index->files, profile->arena,
			    hash_words(key, 3), same_file, &wanted, fresh);
	if (found == fresh) {
		file.path = profile_string(profile, path);
		file.build_id = profile_string(profile, build_id);
		*ARENA_PUSH(profile->arena, profile->files, profile->file_count,
			    profile->file_capacity) = file;
	}
	return found;
}

void profile_add_mapping(struct profile *profile, uint64_t start,
			 uint64_t limit, uint64_t offset, uint32_t file)
{
	*ARENA_PUSH(profile->arena, profile->mappings, profile->mapping_count,
		    profile->mapping_capacity) =
		(struct mapping){start, limit, offset, file};
	to_index(profile->mapping_count);
}

static int by_start(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->limit != y->limit)
		return x->limit < y->limit ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->file > y->file) - (x->file < y->file);
}

void profile_seal_mappings(struct profile *profile)
{
	if (profile->mapping_count)
		qsort(profile->mappings, profile->mapping_count,
		      sizeof(*profile->mappings), by_start);
	profile->index->sealed = profile->mapping_count;
}

/* The mapping that holds the address, or NONE. */
static uint32_t find_mapping(const struct profile *profile, uint64_t address)
{
	size_t low = 0, high = profile->index->sealed, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (profile->mappings[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address >= profile->mappings[low - 1].limit)
		return NONE;
	return (uint32_t)(low - 1);
}

static bool same_lines(const struct location *a, const struct location *b)
{
	uint32_t i;

	if (a->line_count != b->line_count)
		return false;
	for (i = 0; i < a->line_count; i++)
		if (a->lines[i].function != b->lines[i].function ||
		    a->lines[i].line != b->lines[i].line ||
		    a->lines[i].column != b->lines[i].column)
			return false;
	return true;
}

/* Known by name only: the source has no addresses. */
static bool is_symbolic(const struct location *location)
{
	return location->file == NONE && location->offset == 0;
}

static bool same_location(const void *data, uint32_t number)
{
	const struct wanted *wanted = data;
	const struct location *a = wanted->element;
	const struct location *b = &wanted->profile->locations[number];

	return a->file == b->file && a->offset == b->offset &&
	       (!is_symbolic(a) || same_lines(a, b));
}

static uint64_t hash_location(const struct location *location)
{
	uint64_t key[] = {location->file, location->offset, 0};
	uint32_t i;

	for (i = 0; is_symbolic(location) && i < location->line_count; i++) {
		key[2] = (uint64_t)location->lines[i].function << 32 |
			 location->lines[i].line;
		key[1] = hash_words(key, 3);
	}
	return hash_words(key, 3);
}

uint32_t profile_location_in(struct profile *profile, uint32_t mapping,
			     uint64_t call_site, const struct line *lines,
			     uint32_t line_count)
{
	struct location location = {.mapping = mapping,
				    .file = NONE,
				    .address = call_site,
				    .offset = call_site,
				    .unresolved = mapping == NONE ? NO_MAPPING
								  : NOT_TRIED};
	struct wanted wanted = {profile, &location};
	uint32_t fresh = to_index(profile->location_count), found;

	if (mapping != NONE) {
		const struct mapping *in = &profile->mappings[mapping];

		location.file = in->file;
		location.offset = call_site - in->start + in->offset;
	}
	if (line_count) {
		location.lines = arena_copy(profile->arena, lines,
					    line_count * sizeof(*lines));
		location.line_count = line_count;
		location.unresolved = RESOLVED;
	}
	found = slots_enter(&profile->index->locations, profile->arena,
			    hash_location(&location), same_location, &wanted,
			    fresh);
	if (found == fresh)
		*ARENA_PUSH(profile->arena, profile->locations,
			    profile->location_count,
			    profile->location_capacity) = location;
	return found;
}

uint32_t profile_location(struct profile *profile, uint64_t call_site)
{
	return profile_location_in(profile, find_mapping(profile, call_site),
				   call_site, NULL, 0);
}

struct wanted_stack {
	const struct profile *profile;
	const uint32_t *locations;
	size_t count;
};

static bool same_stack(const void *data, uint32_t number)
{
	const struct wanted_stack *wanted = data;
	const struct stack *stack = &wanted->profile->stacks[number];

	return stack->count == wanted->count &&
	       (stack->count == 0 ||
		!memcmp(&wanted->profile->frames[stack->first],
			wanted->locations,
			wanted->count * sizeof(*wanted->locations)));
}

uint32_t profile_stack(struct profile *profile, const uint32_t *locations,
		       size_t count)
{
	struct wanted_stack wanted = {profile, locations, count};
	struct str bytes = {(const char *)locations,
			    count * sizeof(*locations)};
	uint32_t fresh = to_index(profile->stack_count), found;
	struct stack stack = {to_index(profile->frame_count), to_index(count)};
	size_t i;

	found = slots_enter(&profile->index->stacks, profile->arena,
			    str_hash(bytes), same_stack, &wanted, fresh);
	if (found != fresh)
		return found;
	for (i = 0; i < count; i++)
		*ARENA_PUSH(profile->arena, profile->frames,
			    profile->frame_count, profile->frame_capacity) =
			locations[i];
	*ARENA_PUSH(profile->arena, profile->stacks, profile->stack_count,
		    profile->stack_capacity) = stack;
	return found;
}

static bool same_thread(const void *data, uint32_t number)
{
	const struct wanted *wanted = data;
	const uint64_t *uid = wanted->element;

	return wanted->profile->threads[number].uid == *uid;
}

uint32_t profile_thread(struct profile *profile, uint64_t uid, struct str name)
{
	struct wanted wanted = {profile, &uid};
	uint32_t fresh = to_index(profile->thread_count), found;

	found = slots_enter(&profile->index->threads, profile->arena,
			    hash_words(&uid, 1), same_thread, &wanted, fresh);
	if (found == fresh)
		ARENA_PUSH(profile->arena, profile->threads,
			   profile->thread_count, profile->thread_capacity)
			->uid = uid;
	if (name.len && !profile->threads[found].name.len)
		profile->threads[found].name = str_copy(profile->arena, name);
	return found;
}

static bool same_function(const void *data, uint32_t number)
{
	const struct wanted *wanted = data;
	const struct function *a = wanted->element;
	const struct function *b = &wanted->profile->functions[number];

	return a->start_line == b->start_line && str_equal(a->name, b->name) &&
	       str_equal(a->filename, b->filename) &&
	       str_equal(a->system_name, b->system_name);
}

uint32_t profile_function(struct profile *profile, struct str name,
			  struct str system_name, struct str filename,
			  uint32_t start_line)
{
	struct function function = {name, system_name, filename, start_line};
	struct wanted wanted = {profile, &function};
	uint64_t key[] = {str_hash(name), str_hash(system_name),
			  str_hash(filename), start_line};
	uint32_t fresh = to_index(profile->function_count), found;

	found = slots_enter(&profile->index->functions, profile->arena,
			    hash_words(key, 4), same_function, &wanted, fresh);
	if (found == fresh) {
		function.name = profile_string(profile, name);
		function.system_name = profile_string(profile, system_name);
		function.filename = profile_string(profile, filename);
		*ARENA_PUSH(profile->arena, profile->functions,
			    profile->function_count,
			    profile->function_capacity) = function;
	}
	return found;
}

void profile_comment(struct profile *profile, struct str text)
{
	*ARENA_PUSH(profile->arena, profile->comments, profile->comment_count,
		    profile->comment_capacity) = profile_string(profile, text);
}

struct sample *profile_add_sample(struct profile *profile, uint32_t stack,
				  uint32_t thread, uint64_t block_bytes)
{
	struct sample *sample =
		ARENA_PUSH(profile->arena, profile->samples,
			   profile->sample_count, profile->sample_capacity);

	sample->stack = stack;
	sample->thread = thread;
	sample->block_bytes = block_bytes;
	return sample;
}

struct value profile_total(const struct profile *profile, enum sample_type t)
{
	struct value sum = {0, 0};
	size_t i;

	for (i = 0; i < profile->sample_count; i++) {
		sum.total += profile->samples[i].value[t].total;
		sum.variance += profile->samples[i].value[t].variance;
	}
	return sum;
}
