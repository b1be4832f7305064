/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fewer samples of a profile: those of a thread, those that are positive.
 */
#include "config.h"

#include "libjeheap/profile/transform.h"

/* Keeps the samples that are marked, in their order. */
static void keep_marked(struct profile *profile, const bool *marked)
{
	size_t i, kept = 0;

	for (i = 0; i < profile->sample_count; i++)
		if (marked[i])
			profile->samples[kept++] = profile->samples[i];
	profile->sample_count = kept;
}

static uint32_t find_thread(const struct profile *profile, uint64_t uid)
{
	uint32_t i;

	for (i = 0; i < profile->thread_count; i++)
		if (profile->threads[i].uid == uid)
			return i;
	return NONE;
}

bool profile_keep_thread(struct profile *profile, uint64_t uid)
{
	uint32_t thread = find_thread(profile, uid);
	struct arena scratch = {0};
	bool *marked;
	size_t i;

	if (thread == NONE)
		return false;
	marked = ARENA_ARRAY(&scratch, profile->sample_count, bool);
	for (i = 0; i < profile->sample_count; i++)
		marked[i] = profile->samples[i].thread == thread;
	keep_marked(profile, marked);
	arena_free(&scratch);
	return true;
}

struct sums {
	double total[SAMPLE_TYPES];
};

static struct sums *sum_stacks(const struct profile *profile,
			       struct arena *arena)
{
	struct sums *sums =
		ARENA_ARRAY(arena, profile->stack_count, struct sums);
	const struct sample *sample;
	size_t i;
	unsigned t;

	for (i = 0; i < profile->sample_count; i++) {
		sample = &profile->samples[i];
		for (t = 0; t < SAMPLE_TYPES; t++)
			sums[sample->stack].total[t] += sample->value[t].total;
	}
	return sums;
}

/* Sets to 0 what is negative over the stack; is anything left? */
static bool drop_from(struct sample *sample, const struct sums *sums)
{
	bool left = false;
	unsigned t;

	for (t = 0; t < SAMPLE_TYPES; t++) {
		if (sums->total[t] < 0)
			sample->value[t] = (struct value){0, 0};
		left |= sample->value[t].total != 0;
	}
	return left;
}

void profile_drop_negative(struct profile *profile)
{
	struct arena scratch = {0};
	struct sums *sums = sum_stacks(profile, &scratch);
	bool *marked = ARENA_ARRAY(&scratch, profile->sample_count, bool);
	size_t i;

	for (i = 0; i < profile->sample_count; i++)
		marked[i] = drop_from(&profile->samples[i],
				      &sums[profile->samples[i].stack]);
	keep_marked(profile, marked);
	arena_free(&scratch);
}
