/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Profiles by hand for tests: each function of one letter lies in one library,
 * at an offset of its own; a stack is a word, root first. A lower-case letter
 * is inlined into the one before it.
 */
#ifndef TESTS_UNIT_REPORT_SKETCH_H
#define TESTS_UNIT_REPORT_SKETCH_H

#include <ctype.h>
#include <string.h>

#include "libjeheap/profile/profile.h"

#define SKETCH_BASE 0x400000u

static inline struct profile *sketch_new(void)
{
	struct profile *profile = profile_new();
	uint32_t file = profile_file(profile, STR("/opt/lib/libsketch.so.1"),
				     (struct str){NULL, 0}, false);

	profile_add_mapping(profile, SKETCH_BASE, SKETCH_BASE + 0x10000, 0,
			    file);
	profile_seal_mappings(profile);
	profile->period_bytes = 1;
	return profile;
}

static inline void sketch_line(struct profile *profile, struct line *line,
			       char letter)
{
	char name[2] = {letter, '\0'}, source[4] = {letter, '.', 'c', '\0'};
	struct arena *arena = profile->arena;

	line->function =
		profile_function(profile, str_of(arena_strdup(arena, name)),
				 str_of(arena_strdup(arena, name)),
				 str_of(arena_strdup(arena, source)), 1);
	line->line = (uint32_t)letter;
}

/* The location of word[i] and the inlined letters that follow it. */
static inline uint32_t sketch_location(struct profile *profile,
				       const char *word, size_t count)
{
	uint64_t address = SKETCH_BASE;
	struct location *location;
	uint32_t l;

	for (size_t i = 0; i < count; i++)
		address += (uint64_t)(unsigned char)word[i] << (4 * i);
	l = profile_location(profile, address);
	location = &profile->locations[l];
	location->line_count = (uint32_t)count;
	location->lines = ARENA_ARRAY(profile->arena, count, struct line);
	for (size_t i = 0; i < count; i++)
		sketch_line(profile, &location->lines[count - 1 - i], word[i]);
	location->unresolved = RESOLVED;
	return l;
}

static inline struct sample *sketch_add(struct profile *profile,
					const char *word, double bytes,
					double variance)
{
	uint32_t locations[64], leaf_first[64];
	size_t count = 0, len = strlen(word), i = 0;
	struct sample *sample;

	while (i < len) {
		size_t inlined = 1;

		while (islower((unsigned char)word[i + inlined]))
			inlined++;
		locations[count++] =
			sketch_location(profile, word + i, inlined);
		i += inlined;
	}
	for (i = 0; i < count; i++)
		leaf_first[i] = locations[count - 1 - i];
	sample = profile_add_sample(
		profile, profile_stack(profile, leaf_first, count), NONE, 64);
	sample->value[INUSE_SPACE].total = bytes;
	sample->value[INUSE_SPACE].variance = variance;
	sample->inuse_samples = 1;
	return sample;
}

#endif
