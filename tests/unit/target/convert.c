/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a ledger to a profile: what its rows mean, and that rows which refer
 * to nothing are left out and mentioned.
 */
#include "config.h"

#include "libjeheap/profile/estimate.h"
#include "libjeheap/profile/from_ledger.h"
#include "libjeheap/profile/read.h"
#include "tap/tap.h"
#include "unit/target/region.h"

static const char maps[] =
	"00400000-00401000 r--p 00000000 08:01 1 /opt/program\n"
	"00401000-00402000 r-xp 00001000 08:01 1 /opt/program\n";

static struct region region;

static struct profile *convert_by(void (*converter)(struct profile *,
						    const struct ledger_view *))
{
	struct profile *profile = profile_new();
	struct ledger_view view;
	struct diag diag = {0};

	read_maps(profile, str_of(maps), NULL, 0);
	if (!ledger_view_from_memory(&region, sizeof(region),
				     LEDGER_WANT_COUNTS, profile->arena, &view,
				     &diag)) {
		tap_line("# %s\n", diag.text);
		return profile;
	}
	converter(profile, &view);
	return profile;
}

static struct profile *convert(void)
{
	return convert_by(profile_from_ledger);
}

static void test_good(void)
{
	double period = 1 << REGION_LG_SAMPLE;
	struct estimate small = estimate_from_samples(2, 128, period);
	struct estimate middle = estimate_from_samples(2, 2048, period);
	struct estimate large = estimate_from_samples(2, 1500000, period);
	struct estimate all = estimate_from_samples(3, 192, period);
	struct profile *profile;
	const struct sample *s;
	const struct stack *stack;

	region_fill(&region);
	profile = convert();
	is_uint(profile->sample_count, 3, "a sample for each row in use");
	is_uint(profile->stack_count, 2, "its stacks");
	is_uint(profile->period_bytes, 4096, "its rate");
	ok(profile->has_alloc && profile->exact_sizes, "its qualities");
	ok(profile->dropped_samples == 7 && profile->dropped_bytes == 7000,
	   "what was lost");

	s = &profile->samples[0];
	stack = &profile->stacks[s->stack];
	is_uint(stack->count, 3, "the first stack comes first");
	is_uint(profile->locations[profile->frames[stack->first]].offset,
		0x1000, "of call sites as offsets in the file");
	is_uint(profile->threads[s->thread].uid, 0, "by thread");
	ok(str_equal(profile->threads[s->thread].name, STR("main")),
	   "which has a name");
	is_uint(s->block_bytes, 750000, "of large ones, the mean size");
	ok(s->value[INUSE_SPACE].total == large.bytes.total,
	   "as the estimator says");
	ok(profile->samples[1].value[INUSE_OBJECTS].total ==
		   middle.objects.total,
	   "objects too");

	s = &profile->samples[2];
	ok(s->value[INUSE_SPACE].total == small.bytes.total &&
		   s->value[INUSE_SPACE].variance == small.bytes.variance,
	   "in use is what was allocated and not freed");
	ok(s->value[ALLOC_SPACE].total == all.bytes.total,
	   "allocated is all of it");
	ok(s->inuse_samples == 2 && s->alloc_samples == 3,
	   "from as many samples");
	is_uint(profile->comment_count, 0, "nothing is left out");
	profile_free(profile);
}

static const struct value *large_value(const struct profile *profile,
				       enum sample_type type)
{
	for (size_t i = 0; i < profile->sample_count; i++)
		if (profile->samples[i].block_bytes > 4096)
			return &profile->samples[i].value[type];
	return NULL;
}

static bool same_value(const struct value *got, struct value want)
{
	return got && got->total == want.total &&
	       got->variance == want.variance;
}

/* 170, 200 and 190 pages were allocated, 190 are free again. */
static void test_squares(void)
{
	struct estimate live = estimate_from_sizes(
		2, 370 * 4096, 15.0 * 15 / (185 * 185), 1 << REGION_LG_SAMPLE);
	struct estimate mean =
		estimate_from_samples(2, 370 * 4096, 1 << REGION_LG_SAMPLE);
	struct ledger_count *row = &region.counts[2];
	struct profile *profile;
	struct value all;

	region_fill(&region);
	row->allocated_count = 3;
	row->allocated_bytes = 560 * 4096;
	row->freed_count = 1;
	row->freed_bytes = 190 * 4096;
	row->allocated_squares = 170 * 170 + 200 * 200 + 190 * 190 + 5;
	row->freed_squares = 190 * 190 + 5;
	row->peak_number = 8;
	profile = convert();
	is_near(large_value(profile, INUSE_OBJECTS)->variance /
			live.objects.variance,
		1, 1e-12, "how sizes vary goes into the error");
	all = *large_value(profile, ALLOC_OBJECTS);
	profile_free(profile);
	profile = convert_by(profile_from_ledger_peak);
	is_near(large_value(profile, INUSE_OBJECTS)->variance /
			live.objects.variance,
		1, 1e-12, "at the peak too");
	profile_free(profile);

	row->allocated_squares += row->freed_squares * 99;
	profile = convert();
	ok(same_value(large_value(profile, INUSE_OBJECTS), mean.objects) &&
		   large_value(profile, ALLOC_OBJECTS)->variance !=
			   all.variance,
	   "squares that cannot be are none");
	profile_free(profile);
	row->allocated_squares = UINT64_MAX - 3;
	row->freed_squares = row->allocated_squares - 170 * 170 - 200 * 200;
	profile = convert();
	is_near(large_value(profile, INUSE_OBJECTS)->variance /
			live.objects.variance,
		1, 1e-12, "those that have wrapped have a difference");
	profile_free(profile);
}

/* Rows of one key are one estimate, as if they had always been one row. */
static void test_split(void)
{
	struct estimate large =
		estimate_from_samples(3, 1500000 + 3000000, 1 << 12);
	struct profile *profile;

	region_fill(&region);
	region.counts[3] = region.counts[2];
	region.counts[3].allocated_count = 1;
	region.counts[3].allocated_bytes = 3000000;
	profile = convert();
	is_uint(profile->sample_count, 3, "rows of one key are one sample");
	ok(profile->samples[0].value[INUSE_SPACE].total == large.bytes.total,
	   "of their sum");
	profile_free(profile);
}

/* The row of lives may be missing: then frees are known, and times not. */
static void test_lives(void)
{
	const struct lives *lives = NULL;
	struct profile *profile;
	size_t i;

	region_fill(&region);
	region.counts[2].freed_count = 1;
	region.counts[2].freed_bytes = 700000;
	profile = convert();
	for (i = 0; i < profile->sample_count; i++)
		if (profile->samples[i].block_bytes == 64)
			lives = profile->samples[i].lives;
	ok(lives && lives->freed == 1 && lives->elsewhere == 1 &&
		   lives->words[5] == 1,
	   "what was freed has its lifetime, and says where");
	for (i = 0; i < profile->sample_count; i++)
		if (profile->samples[i].block_bytes > 4096)
			lives = profile->samples[i].lives;
	ok(lives && lives->freed == 1 && lives->words[5] == 0,
	   "beyond the rows of lifetimes they are unknown");
	for (i = 0; i < profile->sample_count; i++)
		if (profile->samples[i].block_bytes == 1024)
			lives = profile->samples[i].lives;
	ok(!lives, "what was never freed has none");
	ok(profile_is_valid(profile), "that is a valid profile");
	profile_free(profile);
}

static void test_without_accum(void)
{
	struct profile *profile;

	region_fill(&region);
	region.header.flags &= ~LEDGER_PROF_ACCUM;
	region.counts[0].freed_count = 3;
	profile = convert();
	ok(!profile->has_alloc, "without prof_accum");
	ok(profile_total(profile, ALLOC_SPACE).total == 0,
	   "nothing is said of the past");
	is_uint(profile->sample_count, 2, "and what is all freed is gone");
	profile_free(profile);
}

/* Rows that have changed since tell what they had then, others what is. */
static void test_peak(void)
{
	double period = 1 << REGION_LG_SAMPLE;
	struct estimate small = estimate_from_samples(2, 128, period);
	struct estimate middle = estimate_from_samples(2, 2048, period);
	struct estimate large = estimate_from_samples(3, 2700000, period);
	struct profile *profile;

	region_fill(&region);
	profile = convert_by(profile_from_ledger_peak);
	is_uint(profile->sample_count, 3, "all there was at the peak");
	ok(profile->samples[0].value[INUSE_SPACE].total == large.bytes.total,
	   "which is not so any more");
	ok(profile->samples[1].value[INUSE_SPACE].total == middle.bytes.total &&
		   profile->samples[2].value[INUSE_SPACE].total ==
			   small.bytes.total,
	   "or has not changed since");
	ok(!profile->has_alloc &&
		   profile_total(profile, ALLOC_SPACE).total == 0,
	   "and nothing of what was allocated by then");
	profile_free(profile);

	region_fill(&region);
	region.counts[2].peak_count = 0;
	region.counts[1].peak_number = 9;
	region.counts[1].peak_bytes = UINT64_MAX;
	region.counts[0].peak_number = 9;
	region.counts[0].peak_count = UINT64_MAX;
	profile = convert_by(profile_from_ledger_peak);
	ok(profile_is_valid(profile), "impossible counts do no harm");
	profile_free(profile);
}

/* Freed counts that were caught ahead, and refer to rows beyond the end. */
static void test_torn(void)
{
	struct profile *profile;

	region_fill(&region);
	region.counts[0].freed_count = 4;
	region.counts[0].freed_bytes = 256;
	region.counts[1].stack = 77;
	region.counts[2].size_class = 99;
	region.counts[3] = (struct ledger_count){1, 900, 0, 64, 1, 64, 0, 0,
						 0, 0,	 0, 0,	0, 0,  0, 0};
	profile = convert();
	is_uint(profile->sample_count, 1, "rows that refer to nothing go");
	ok(profile->samples[0].value[INUSE_SPACE].total == 0,
	   "freed ahead of allocated is nothing in use");
	ok(profile->comment_count == 1 &&
		   str_find(profile->comments[0], STR("3 rows")) != SIZE_MAX,
	   "a comment says how many");
	profile_free(profile);

	region_fill(&region);
	region.stacks[0].first_frame = 4;
	region.stacks[1].frame_count = UINT32_MAX;
	profile = convert();
	is_uint(profile->sample_count, 0, "stacks beyond the frames go");
	profile_free(profile);

	region_fill(&region);
	region.counts[0].thread = 900;
	region.stacks[0].frame_count = 0;
	profile = convert();
	is_uint(profile->sample_count, 3,
		"an unknown thread or an empty stack do not matter");
	profile_free(profile);
}

int main(void)
{
	plan(4 + 16 + 4 + 2 + 3 + 5 + 5);
	test_good();
	test_squares();
	test_split();
	test_lives();
	test_without_accum();
	test_torn();
	test_peak();
	return done_testing();
}
