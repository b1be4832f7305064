/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Matching of frames and stacks across two profiles. Looks at identities
 * only, never at values; what it cannot match becomes two stacks.
 */
#include "config.h"

#include "jeheapdiff/match.h"

#include <inttypes.h>

/* A file as both profiles know it; empty where its frames go by name. */
static struct str shared_identity(const struct profile *profile, uint32_t file,
				  const struct profile *other, bool *rebuilt,
				  struct arena *arena)
{
	const struct object_file *f = &profile->files[file];
	bool same_path = false, differs = false;
	size_t i;

	*rebuilt = false;
	for (i = 0; i < other->file_count; i++) {
		const struct object_file *o = &other->files[i];

		if (f->build_id.len && str_equal(f->build_id, o->build_id))
			return f->build_id;
		if (!str_equal(f->path, o->path))
			continue;
		if (f->build_id.len && o->build_id.len)
			differs = true;
		else
			same_path = true;
	}
	*rebuilt = differs && !same_path;
	if (!same_path)
		return (struct str){NULL, 0};
	return str_of(arena_printf(arena, "/%.*s", STR_ARG(f->path)));
}

static void add_id(struct matcher *matcher, unsigned side, size_t *count,
		   size_t *capacity, struct str identity)
{
	*ARENA_PUSH(matcher->arena, matcher->ids[side], *count, *capacity) =
		intern(&matcher->frames, identity);
}

/* Build-ids are bytes, not text. */
static struct str frame_identity(struct arena *arena, struct str file,
				 uint64_t offset)
{
	struct text text = {.arena = arena};

	text_add_char(&text, '#');
	text_add(&text, file);
	text_add(&text, (struct str){(const char *)&offset, sizeof(offset)});
	return text_str(&text);
}

/* The identity of a frame without a name, in no file that both have. */
static struct str lone_identity(const struct profile *profile,
				const struct location *location,
				struct arena *arena)
{
	struct str name = {NULL, 0};

	if (location->file != NONE)
		name = str_basename(profile->files[location->file].path);
	return str_of(arena_printf(arena, "?%.*s+%" PRIx64, STR_ARG(name),
				   location->offset));
}

static void identify_files(struct matcher *matcher, unsigned side,
			   struct str *files, bool *rebuilt)
{
	const struct profile *profile = matcher->profiles[side];
	const struct profile *other = matcher->profiles[!side];
	uint32_t i;

	for (i = 0; i < profile->file_count; i++) {
		files[i] = shared_identity(profile, i, other, &rebuilt[i],
					   matcher->arena);
		if (side == NEW)
			matcher->rebuilt_files += rebuilt[i];
	}
}

static void identify_by_name(struct matcher *matcher, unsigned side,
			     const struct location *location, size_t *count,
			     size_t *capacity)
{
	const struct profile *profile = matcher->profiles[side];
	uint32_t i;

	for (i = 0; i < location->line_count; i++) {
		uint32_t function = location->lines[i].function;

		add_id(matcher, side, count, capacity,
		       profile->functions[function].name);
	}
}

static void identify_locations(struct matcher *matcher, unsigned side)
{
	const struct profile *profile = matcher->profiles[side];
	struct arena *arena = matcher->arena;
	struct str *files = ARENA_ARRAY(arena, profile->file_count, struct str);
	bool *rebuilt = ARENA_ARRAY(arena, profile->file_count, bool);
	size_t count = 0, capacity = 0, i;

	identify_files(matcher, side, files, rebuilt);
	for (i = 0; i < profile->location_count; i++) {
		const struct location *l = &profile->locations[i];
		struct str file = {NULL, 0};

		matcher->first[side][i] = count;
		if (l->file != NONE)
			file = files[l->file];
		if (file.len) {
			add_id(matcher, side, &count, &capacity,
			       frame_identity(arena, file, l->offset));
		} else if (l->line_count) {
			identify_by_name(matcher, side, l, &count, &capacity);
		} else {
			add_id(matcher, side, &count, &capacity,
			       lone_identity(profile, l, arena));
			matcher->nameless[side] +=
				l->file != NONE && rebuilt[l->file];
		}
	}
	matcher->first[side][i] = count;
}

void matcher_init(struct matcher *matcher, const struct profile *old_profile,
		  const struct profile *new_profile, struct arena *arena)
{
	unsigned side;

	*matcher = (struct matcher){.arena = arena};
	matcher->profiles[OLD] = old_profile;
	matcher->profiles[NEW] = new_profile;
	matcher->frames.arena = arena;
	matcher->stacks.arena = arena;
	for (side = OLD; side < SIDES; side++) {
		size_t count = matcher->profiles[side]->location_count;

		matcher->first[side] = ARENA_ARRAY(arena, count + 1, size_t);
		identify_locations(matcher, side);
	}
}

uint32_t matcher_stack(struct matcher *matcher, unsigned side, uint32_t stack)
{
	const struct profile *profile = matcher->profiles[side];
	const struct stack *s = &profile->stacks[stack];
	struct arena scratch = {NULL, NULL, NULL};
	struct text key = {.arena = &scratch};
	uint32_t i, number;

	for (i = 0; i < s->count; i++) {
		uint32_t l = profile->frames[s->first + i];
		size_t first = matcher->first[side][l];
		size_t count = matcher->first[side][l + 1] - first;

		text_add(&key,
			 (struct str){(const char *)&matcher->ids[side][first],
				      count * sizeof(uint32_t)});
	}
	number = intern(&matcher->stacks, text_str(&key));
	arena_free(&scratch);
	return number;
}
