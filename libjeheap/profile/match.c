/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks of two profiles brought together: each becomes a key, and equal keys
 * a group. First keys of files and offsets; what stands alone then, keys of
 * names.
 */
#include "config.h"

#include "libjeheap/profile/transform.h"

#include "libjeheap/profile/same_file.h"

struct side {
	const struct profile *profile;
	uint32_t *class_of_file; /* equal for the same file on both sides */
	uint32_t *groups;
};

struct matcher {
	struct side sides[2];
	struct arena scratch;
	struct intern by_offset, by_name;
	bool *seen[2]; /* by group of by_offset: has a stack of that side */
};

static void add_number(struct text *key, uint64_t number)
{
	text_add(key, (struct str){(const char *)&number, sizeof(number)});
}

static void add_names(struct text *key, const struct side *side,
		      const struct location *location)
{
	uint32_t i;

	for (i = 0; i < location->line_count; i++) {
		text_add(key,
			 side->profile->functions[location->lines[i].function]
				 .name);
		text_add_char(key, '\0');
	}
}

static void add_offset(struct text *key, const struct side *side,
		       const struct location *location)
{
	uint32_t class = NONE;

	if (location->file != NONE)
		class = side->class_of_file[location->file];
	add_number(key, class);
	add_number(key, location->offset);
}

static struct str key_of(struct matcher *m, const struct side *side,
			 const struct stack *stack, bool by_name)
{
	struct text key = {.arena = &m->scratch};
	const struct location *location;
	bool has_place;
	uint32_t i;

	for (i = 0; i < stack->count; i++) {
		location = &side->profile->locations
				    [side->profile->frames[stack->first + i]];
		/* Some formats have names and no addresses. */
		has_place = location->file != NONE || location->offset;
		if (location->line_count && (by_name || !has_place)) {
			text_add_char(&key, 'n');
			add_names(&key, side, location);
		} else {
			text_add_char(&key, 'o');
			add_offset(&key, side, location);
		}
	}
	return text_str(&key);
}

static void number_files(struct matcher *m)
{
	const struct profile *a = m->sides[0].profile;
	const struct profile *b = m->sides[1].profile;
	uint32_t *same = match_files(b, a, &m->scratch), i;

	m->sides[0].class_of_file =
		ARENA_ARRAY(&m->scratch, a->file_count, uint32_t);
	for (i = 0; i < a->file_count; i++)
		m->sides[0].class_of_file[i] = i;
	m->sides[1].class_of_file = same;
	for (i = 0; i < b->file_count; i++)
		if (same[i] == NONE)
			same[i] = (uint32_t)a->file_count + i;
}

static void group_by_offset(struct matcher *m, struct side *side)
{
	struct arena_mark mark;
	size_t i;

	for (i = 0; i < side->profile->stack_count; i++) {
		mark = arena_mark(&m->scratch);
		side->groups[i] = intern(
			&m->by_offset,
			key_of(m, side, &side->profile->stacks[i], false));
		arena_rewind(&m->scratch, mark);
	}
}

static void mark_seen(struct matcher *m, int which)
{
	const struct side *side = &m->sides[which];
	size_t i;

	m->seen[which] = ARENA_ARRAY(&m->scratch, m->by_offset.count, bool);
	for (i = 0; i < side->profile->stack_count; i++)
		m->seen[which][side->groups[i]] = true;
}

/* Those that the other side lacks are grouped anew, behind the others. */
static void group_by_name(struct matcher *m, int which)
{
	struct side *side = &m->sides[which];
	struct arena_mark mark;
	uint32_t *group;
	size_t i;

	for (i = 0; i < side->profile->stack_count; i++) {
		group = &side->groups[i];
		if (m->seen[!which][*group])
			continue;
		mark = arena_mark(&m->scratch);
		*group = (uint32_t)m->by_offset.count +
			 intern(&m->by_name,
				key_of(m, side, &side->profile->stacks[i],
				       true));
		arena_rewind(&m->scratch, mark);
	}
}

void profile_match_stacks(const struct profile *a, const struct profile *b,
			  struct arena *arena, struct stack_groups *groups)
{
	struct matcher m = {.sides = {{.profile = a}, {.profile = b}}};
	struct arena keys = {0};
	int i;

	m.by_offset.arena = m.by_name.arena = &keys;
	number_files(&m);
	for (i = 0; i < 2; i++) {
		m.sides[i].groups = ARENA_ARRAY(
			arena, m.sides[i].profile->stack_count, uint32_t);
		group_by_offset(&m, &m.sides[i]);
	}
	for (i = 0; i < 2; i++)
		mark_seen(&m, i);
	for (i = 0; i < 2; i++)
		group_by_name(&m, i);
	*groups = (struct stack_groups){m.sides[0].groups, m.sides[1].groups,
					m.by_offset.count + m.by_name.count};
	arena_free(&keys);
	arena_free(&m.scratch);
}
