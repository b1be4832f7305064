/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdicts of jeheapdiff, on simulated heaps whose truth is known: how
 * often it cries wolf where nothing changed, whether it finds what grew,
 * whether its standard errors are the true ones. Seeds are fixed.
 */
#include "config.h"

#include "jeheapdiff/compare.h"

#include <math.h>
#include <stdlib.h>

#include "libjeheap/profile/counts.h"
#include "tap/tap.h"

#define STACKS 120
#define KIB 1024.0
#define MIB (1024.0 * KIB)

static uint64_t random_state = 88172645463325252;

static double uniform(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return ((double)(random_state >> 11) + 0.5) / 9007199254740992.0;
}

/* How many of n objects are sampled with probability p: by the gaps. */
static double binomial(double n, double p)
{
	double count = 0, at = 0;

	if (p >= 1)
		return n;
	for (;;) {
		at += 1 + floor(log(uniform()) / log1p(-p));
		if (at > n)
			return count;
		count++;
	}
}

/* The true heap: on each stack, objects of one size. */
struct heap {
	double size[STACKS], count[STACKS];
};

/* The sampled part of a heap, and of all that was ever allocated. */
struct sampled {
	double inuse[STACKS], alloc[STACKS];
};

static double probability(double size, double period)
{
	return -expm1(-size / period);
}

static struct heap random_heap(void)
{
	static const double sizes[] = {32,	  512,	     8 * KIB,
				       100 * KIB, 600 * KIB, 3 * MIB};
	struct heap heap;
	int i;

	for (i = 0; i < STACKS; i++) {
		double bytes = MIB * exp(uniform() * 4 - 1);

		heap.size[i] = sizes[(int)(uniform() * 6)];
		heap.count[i] = ceil(bytes / heap.size[i]);
	}
	return heap;
}

static struct sampled sample_heap(const struct heap *heap, double period)
{
	struct sampled s;
	int i;

	for (i = 0; i < STACKS; i++) {
		s.inuse[i] = binomial(heap->count[i],
				      probability(heap->size[i], period));
		s.alloc[i] = s.inuse[i];
	}
	return s;
}

/*
 * The same process later: `born` further objects on each stack, `died` of
 * those that were there. Each sampled object is as likely to die as another.
 */
static struct sampled later(const struct heap *heap, const struct sampled *s,
			    double period, const double *born,
			    const double *died)
{
	struct sampled after = *s;
	int i;

	for (i = 0; i < STACKS; i++) {
		double p = probability(heap->size[i], period);
		double births = binomial(born[i], p), deaths = 0, k;
		double left = heap->count[i], sampled_left = s->inuse[i];

		for (k = 0; k < died[i]; k++, left--) {
			if (uniform() * left < sampled_left) {
				sampled_left--;
				deaths++;
			}
		}
		after.inuse[i] += births - deaths;
		after.alloc[i] += births;
	}
	return after;
}

static struct profile *make_profile(const struct heap *heap,
				    const struct sampled *s, double period,
				    int64_t pid)
{
	struct profile *profile = profile_new();
	uint32_t file = profile_file(profile, STR("/bin/simulated"),
				     STR("\x01\x02"), false);
	int i;

	profile->period_bytes = (uint64_t)period;
	profile->has_alloc = true;
	profile->exact_sizes = true;
	profile->pid = pid;
	profile->start_time_ns = 1;
	profile_add_mapping(profile, 0x1000, 0x100000, 0, file);
	profile_seal_mappings(profile);
	for (i = 0; i < STACKS; i++) {
		uint32_t location =
			profile_location(profile, 0x2000 + 16u * (unsigned)i);
		uint32_t stack = profile_stack(profile, &location, 1);
		struct sampled_counts counts = {
			.inuse_count = (uint64_t)s->inuse[i],
			.inuse_bytes = (uint64_t)(s->inuse[i] * heap->size[i]),
			.alloc_count = (uint64_t)s->alloc[i],
			.alloc_bytes = (uint64_t)(s->alloc[i] * heap->size[i]),
		};

		profile_add_counts(profile, stack, NONE, &counts, period);
	}
	return profile;
}

struct outcome {
	struct arena arena;
	struct profile *old_profile, *new_profile;
	struct comparison *comparison;
};

static struct outcome run(struct profile *old_profile,
			  struct profile *new_profile, enum sample_type type)
{
	struct compare_options options = {
		.type = type,
		.kind = ROWS_BY_NAME,
		.false_discovery_rate = 0.05,
		.same_process = -1,
	};
	struct outcome o = {.old_profile = old_profile,
			    .new_profile = new_profile};

	o.comparison = compare(old_profile, new_profile, &options, &o.arena);
	return o;
}

static void finish(struct outcome *o)
{
	profile_free(o->old_profile);
	profile_free(o->new_profile);
	arena_free(&o->arena);
}

static bool is_discovery(const struct change *change)
{
	return change->verdict != NOISE && change->verdict != UNCHANGED;
}

static int discoveries(const struct comparison *c)
{
	int count = 0;
	size_t i;

	for (i = 0; i < c->row_count; i++)
		count += is_discovery(&c->rows[i].change);
	return count;
}

#define TRIALS 400

/* Share of the trials with any alarm; three standard errors above 5 %. */
static void few_alarms(int alarms, const char *what)
{
	if (!ok(alarms <= TRIALS * 0.05 + 3 * sqrt(TRIALS * 0.05 * 0.95), "%s",
		what))
		tap_line("# false alarms in %d of %d trials\n", alarms, TRIALS);
}

static void test_independent(double old_period, double new_period,
			     enum sample_type type, const char *what)
{
	int alarms = 0, trial;

	for (trial = 0; trial < TRIALS; trial++) {
		struct heap heap = random_heap();
		struct sampled a = sample_heap(&heap, old_period);
		struct sampled b = sample_heap(&heap, new_period);
		struct outcome o =
			run(make_profile(&heap, &a, old_period, 1),
			    make_profile(&heap, &b, new_period, 2), type);

		alarms += discoveries(o.comparison) > 0;
		finish(&o);
	}
	few_alarms(alarms, what);
}

/* On each stack as many are born as die. */
static void test_same_process(void)
{
	double turned_over[STACKS];
	int alarms = 0, births_seen = 0, trial, i;

	for (trial = 0; trial < TRIALS; trial++) {
		struct heap heap = random_heap();
		struct sampled a = sample_heap(&heap, 512 * KIB), b;
		struct outcome o;

		for (i = 0; i < STACKS; i++)
			turned_over[i] = floor(heap.count[i] * uniform() / 4);
		b = later(&heap, &a, 512 * KIB, turned_over, turned_over);
		o = run(make_profile(&heap, &a, 512 * KIB, 1),
			make_profile(&heap, &b, 512 * KIB, 1), INUSE_SPACE);
		births_seen += o.comparison->has_births;
		alarms += discoveries(o.comparison) > 0;
		finish(&o);
	}
	few_alarms(alarms, "one process, as many born as died");
	is_int(births_seen, TRIALS, "known as one process");
}

/* Twelve stacks grow by 24 MiB each; the rest stays. */
#define GROWING 12

static void test_planted(void)
{
	int found = 0, wrong = 0, trial, i;
	size_t row;

	for (trial = 0; trial < 50; trial++) {
		struct heap before = random_heap(), after = before;
		struct sampled a, b;
		struct outcome o;

		for (i = 0; i < GROWING; i++)
			after.count[i] += ceil(24 * MIB / after.size[i]);
		a = sample_heap(&before, 512 * KIB);
		b = sample_heap(&after, 512 * KIB);
		o = run(make_profile(&before, &a, 512 * KIB, 1),
			make_profile(&after, &b, 512 * KIB, 2), INUSE_SPACE);
		for (row = 0; row < o.comparison->row_count; row++) {
			const struct diff_row *r = &o.comparison->rows[row];
			const struct diff_stack *s =
				&o.comparison->stacks[r->top];
			const struct profile *profile =
				o.comparison->profiles[s->side];
			uint32_t l = profile->frames[profile->stacks[s->stack]
							     .first];
			bool grows = profile->locations[l].address <
				     0x2000 + 16 * GROWING;

			if (!is_discovery(&r->change))
				continue;
			found += grows && r->change.verdict != SHRANK;
			wrong += !grows;
		}
		finish(&o);
	}
	if (!ok(found >= 0.95 * 50 * GROWING, "planted growth is found"))
		tap_line("# %d of %d\n", found, 50 * GROWING);
	if (!ok(wrong <= 0.05 * (found + wrong) * 1.5,
		"with few false alarms beside it"))
		tap_line("# %d false, %d true\n", wrong, found);
}

/*
 * The mean square of (estimate - truth) / standard error is 1, for the total,
 * whose own estimate of the variance is good.
 */
static void test_standard_error(bool same_process, const char *what)
{
	double sum = 0;
	int trial, i;

	for (trial = 0; trial < TRIALS; trial++) {
		struct heap before = random_heap(), after = before;
		struct sampled a = sample_heap(&before, 512 * KIB), b;
		double born[STACKS], died[STACKS], truth = 0, error;
		struct outcome o;

		for (i = 0; i < STACKS; i++) {
			born[i] = floor(before.count[i] * uniform());
			died[i] = floor(before.count[i] * uniform() / 4);
			after.count[i] += born[i] - died[i];
			truth += (born[i] - died[i]) * before.size[i];
		}
		if (same_process)
			b = later(&before, &a, 512 * KIB, born, died);
		else
			b = sample_heap(&after, 512 * KIB);
		o = run(make_profile(&before, &a, 512 * KIB, 1),
			make_profile(&after, &b, 512 * KIB,
				     same_process ? 1 : 2),
			INUSE_SPACE);
		error = change_delta(&o.comparison->total) - truth;
		sum += error * error / o.comparison->total.variance;
		finish(&o);
	}
	is_near(sum / TRIALS, 1, 4 * sqrt(2.0 / TRIALS), what);
}

/* One stack alone: sampled objects of one size before and after. */
static struct change one_stack(double size, double before, double after)
{
	struct heap heap = {.size = {size}};
	struct sampled a = {.inuse = {before}, .alloc = {before}};
	struct sampled b = {.inuse = {after}, .alloc = {after}};
	struct outcome o =
		run(make_profile(&heap, &a, 512 * KIB, 1),
		    make_profile(&heap, &b, 512 * KIB, 2), INUSE_SPACE);
	struct change change = o.comparison->rows[0].change;

	finish(&o);
	return change;
}

static void test_few_samples(void)
{
	struct change c = one_stack(64, 0, 5);

	ok(c.verdict == NOISE, "five samples where there were none are noise");
	is_near(c.p, 0.0625, 1e-3, "by the exact test");
	c = one_stack(64, 0, 6);
	ok(c.verdict == APPEARED, "six are new");
	c = one_stack(64, 6, 0);
	ok(c.verdict == GONE, "and gone the other way");
	c = one_stack(64, 4, 9);
	ok(c.verdict == NOISE, "four and nine are noise");
	c = one_stack(64, 4, 19);
	ok(c.verdict == GREW, "four and nineteen are not");
	c = one_stack(20 * MIB, 0, 1);
	ok(c.verdict == APPEARED,
	   "one block that is never missed is new for certain");
	c = one_stack(1 * MIB, 0, 1);
	ok(c.verdict == NOISE, "one block that is missed at times is not");
	c = one_stack(64, 7, 7);
	ok(c.verdict == NOISE, "no difference is no change");
}

/* A reset between the profiles: births would be negative. */
static void test_reset(void)
{
	struct heap heap = random_heap();
	struct sampled a = sample_heap(&heap, 512 * KIB), b = a;
	struct outcome o;
	double sum = 0;
	size_t i;

	for (i = 0; i < STACKS; i++)
		b.alloc[i] = b.inuse[i] = floor(a.inuse[i] / 2);
	o = run(make_profile(&heap, &a, 512 * KIB, 1),
		make_profile(&heap, &b, 512 * KIB, 1), INUSE_SPACE);
	for (i = 0; i < o.comparison->stack_count; i++)
		sum += o.comparison->stacks[i].variance_sum;
	is_near(o.comparison->total.variance / sum, 1, 1e-9,
		"profiles that do not fit count as independent");
	finish(&o);
}

/* Nothing happened: no noise, and so no test either. */
static void test_standstill(void)
{
	struct heap heap = random_heap();
	struct sampled a = sample_heap(&heap, 512 * KIB);
	struct outcome o =
		run(make_profile(&heap, &a, 512 * KIB, 1),
		    make_profile(&heap, &a, 512 * KIB, 1), INUSE_SPACE);
	size_t i, unchanged = 0;

	for (i = 0; i < o.comparison->row_count; i++)
		unchanged += o.comparison->rows[i].change.verdict == UNCHANGED;
	ok(unchanged == o.comparison->row_count && unchanged > 0 &&
		   o.comparison->total.verdict == UNCHANGED &&
		   o.comparison->total.variance == 0,
	   "a process that stood still is unchanged, with no error at all");
	finish(&o);
}

int main(void)
{
	plan(21);
	test_independent(512 * KIB, 512 * KIB, INUSE_SPACE,
			 "two runs, no change: few false alarms");
	test_independent(512 * KIB, 512 * KIB, INUSE_OBJECTS,
			 "the same for objects");
	test_independent(512 * KIB, 64 * KIB, INUSE_SPACE,
			 "two rates, no change: few false alarms");
	test_independent(64 * KIB, 512 * KIB, INUSE_OBJECTS,
			 "the same for objects, the other way round");
	test_same_process();
	test_planted();
	test_standard_error(false, "standard error of two runs");
	test_standard_error(true, "standard error within one process");
	test_few_samples();
	test_reset();
	test_standstill();
	return done_testing();
}
