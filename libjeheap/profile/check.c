/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model's invariants. For tests, fuzzing and developer builds.
 */
#include "config.h"

#include "libjeheap/profile/profile.h"

#include <math.h>

static bool locations_are_valid(const struct profile *p)
{
	size_t i, k;

	for (i = 0; i < p->location_count; i++) {
		const struct location *l = &p->locations[i];

		if ((l->mapping != NONE && l->mapping >= p->mapping_count) ||
		    (l->file != NONE && l->file >= p->file_count))
			return false;
		for (k = 0; k < l->line_count; k++)
			if (l->lines[k].function >= p->function_count)
				return false;
	}
	return true;
}

static bool stacks_are_valid(const struct profile *p)
{
	size_t i;

	for (i = 0; i < p->stack_count; i++)
		if (p->stacks[i].first > p->frame_count ||
		    p->stacks[i].count > p->frame_count - p->stacks[i].first)
			return false;
	for (i = 0; i < p->frame_count; i++)
		if (p->frames[i] >= p->location_count)
			return false;
	return true;
}

static bool lives_are_valid(const struct lives *lives)
{
	unsigned i;

	if (!lives)
		return true;
	for (i = 0; i < LIVES_WORDS; i++)
		if (!isfinite(lives->words[i]))
			return false;
	return isfinite(lives->freed) && isfinite(lives->elsewhere);
}

static bool sample_is_valid(const struct profile *p, const struct sample *s)
{
	unsigned t;

	if (s->stack >= p->stack_count ||
	    (s->thread != NONE && s->thread >= p->thread_count))
		return false;
	for (t = 0; t < SAMPLE_TYPES; t++)
		if (!isfinite(s->value[t].total) ||
		    !isfinite(s->value[t].variance) || s->value[t].variance < 0)
			return false;
	return isfinite(s->inuse_samples) && isfinite(s->alloc_samples) &&
	       lives_are_valid(s->lives);
}

bool profile_is_valid(const struct profile *p)
{
	size_t i;

	for (i = 0; i < p->mapping_count; i++)
		if (p->mappings[i].file >= p->file_count ||
		    p->mappings[i].start >= p->mappings[i].limit)
			return false;
	for (i = 0; i < p->sample_count; i++)
		if (!sample_is_valid(p, &p->samples[i]))
			return false;
	return p->period_bytes > 0 && locations_are_valid(p) &&
	       stacks_are_valid(p);
}
