/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The comparison: sums both profiles up by matched stack, finds the variance
 * of each difference, adds stacks up to rows, and judges them. Knows nothing
 * of formats; prints nothing.
 */
#include "config.h"

#include "jeheapdiff/compare.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "libjeheap/profile/estimate.h"
#include "libjeheap/profile/transform.h"

const char *const verdict_names[] = {
	[UNCHANGED] = "unchanged", [NOISE] = "noise",  [GREW] = "grew",
	[SHRANK] = "shrank",	   [APPEARED] = "new", [GONE] = "gone",
};

/* With more samples than these, the normal approximation serves. */
#define FEW_SAMPLES 30

/* Sampled blocks of one size on one stack: only for log_surprise. */
struct cell {
	uint32_t stack;
	double block_bytes;
	double samples[SIDES];
};

/* What one stack holds, allocations included, from which births follow. */
struct tally {
	double inuse_variance[SIDES], alloc_variance[SIDES];
	double inuse_samples[SIDES], alloc_samples[SIDES];
};

struct gathered {
	struct arena *arena;
	struct intern cell_keys;
	struct cell *cells; /* by the number of their key */
	size_t cell_count, cell_capacity;
	struct tally *tallies; /* by stack */
	size_t tally_count, tally_capacity;
};

static bool is_alloc(enum sample_type type)
{
	return type == ALLOC_OBJECTS || type == ALLOC_SPACE;
}

static enum sample_type alloc_type_of(enum sample_type type)
{
	return type == INUSE_OBJECTS || type == ALLOC_OBJECTS ? ALLOC_OBJECTS
							      : ALLOC_SPACE;
}

static enum sample_type inuse_type_of(enum sample_type type)
{
	return alloc_type_of(type) == ALLOC_OBJECTS ? INUSE_OBJECTS
						    : INUSE_SPACE;
}

static double samples_of(const struct sample *sample, enum sample_type type)
{
	return is_alloc(type) ? sample->alloc_samples : sample->inuse_samples;
}

static struct diff_stack *stack_of(struct comparison *c, struct gathered *g,
				   unsigned side, uint32_t stack)
{
	uint32_t number = matcher_stack(&c->matcher, side, stack);

	if (number == c->stack_count) {
		*ARENA_PUSH(c->arena, c->stacks, c->stack_count,
			    c->stack_capacity) =
			(struct diff_stack){.side = side, .stack = stack};
		ARENA_PUSH(g->arena, g->tallies, g->tally_count,
			   g->tally_capacity);
	}
	return &c->stacks[number];
}

static void add_to_cell(struct comparison *c, struct gathered *g, unsigned side,
			uint32_t stack, const struct sample *sample)
{
	struct {
		uint64_t stack, block_bytes;
	} key = {stack, sample->block_bytes};
	uint32_t number =
		intern(&g->cell_keys, (struct str){(char *)&key, sizeof(key)});

	if (number == g->cell_count)
		*ARENA_PUSH(g->arena, g->cells, g->cell_count,
			    g->cell_capacity) =
			(struct cell){stack, (double)sample->block_bytes, {0}};
	g->cells[number].samples[side] += samples_of(sample, c->options.type);
}

static void add_sample(struct comparison *c, struct gathered *g, unsigned side,
		       uint32_t stack, const struct sample *sample)
{
	enum sample_type type = c->options.type;
	struct change *change = &c->stacks[stack].change;
	struct tally *tally = &g->tallies[stack];

	assert(c->stacks && g->tallies);
	change->value[side].total += sample->value[type].total;
	change->value[side].variance += sample->value[type].variance;
	change->samples[side] += samples_of(sample, type);
	tally->inuse_samples[side] += sample->inuse_samples;
	tally->alloc_samples[side] += sample->alloc_samples;
	tally->inuse_variance[side] +=
		sample->value[inuse_type_of(type)].variance;
	tally->alloc_variance[side] +=
		sample->value[alloc_type_of(type)].variance;
	add_to_cell(c, g, side, stack, sample);
}

static void gather(struct comparison *c, struct gathered *g, unsigned side)
{
	const struct profile *profile = c->profiles[side];
	uint32_t *numbers =
		ARENA_ARRAY(g->arena, profile->stack_count, uint32_t);
	bool *known = ARENA_ARRAY(g->arena, profile->stack_count, bool);
	size_t i;

	for (i = 0; i < profile->sample_count; i++) {
		const struct sample *sample = &profile->samples[i];
		uint32_t s = sample->stack;

		if (!known[s])
			numbers[s] =
				(uint32_t)(stack_of(c, g, side, s) - c->stacks);
		known[s] = true;
		add_sample(c, g, side, numbers[s], sample);
	}
}

/*
 * In one process an object that is in both profiles was sampled in both or in
 * neither, so that it adds nothing to the difference. Of the sampled ones,
 * b = dAC were born in between and d = b - dC died; what is in one profile
 * alone is among these. The variances add up likewise. False: the profiles do
 * not fit together (a reset in between), and the bounds do not hold.
 */
static bool bound_by_births(const struct tally *t, bool alloc,
			    struct change *change)
{
	double births = t->alloc_samples[NEW] - t->alloc_samples[OLD];
	double deaths =
		births - (t->inuse_samples[NEW] - t->inuse_samples[OLD]);
	double born = t->alloc_variance[NEW] - t->alloc_variance[OLD];
	double died = born - (t->inuse_variance[NEW] - t->inuse_variance[OLD]);
	double slack = 1e-6 * (t->alloc_variance[NEW] + 1);

	/* Sums of large numbers leave residues. */
	born = fabs(born) < slack ? 0 : born;
	died = fabs(died) < slack ? 0 : died;
	if (births < -0.5 || deaths < -0.5 || born < 0 || died < 0)
		return false;
	if (alloc)
		deaths = died = 0;
	change->variance = fmin(change->variance, born + died);
	change->differing = fmin(change->differing, births + deaths);
	return true;
}

static bool one_period(const struct comparison *c)
{
	return c->profiles[OLD]->period_bytes ==
		       c->profiles[NEW]->period_bytes ||
	       c->relation == SAME_PROCESS;
}

/* That an object of this size is sampled; of unknown size, in proportion. */
static double probability(const struct comparison *c, unsigned side,
			  double block_bytes)
{
	double period = (double)c->profiles[side]->period_bytes;

	if (period <= 1)
		return 1;
	return block_bytes > 0 ? -expm1(-block_bytes / period) : 1 / period;
}

static double odds_of_new(const struct comparison *c, double block_bytes)
{
	double new_p = probability(c, NEW, block_bytes);

	if (one_period(c))
		return 0.5;
	return new_p / (probability(c, OLD, block_bytes) + new_p);
}

/*
 * The variance of the difference if both heaps held the same objects, as many
 * as both samples together say. With two rates this is not the sum of both
 * sides' own estimates: where the coarser one saw too little by chance, its
 * own variance comes out too small as well, and chance would look like change.
 */
static double null_variance(const struct comparison *c, const struct cell *cell)
{
	double p[SIDES] = {probability(c, OLD, cell->block_bytes),
			   probability(c, NEW, cell->block_bytes)};
	double objects =
		(cell->samples[OLD] + cell->samples[NEW]) / (p[OLD] + p[NEW]);
	double weight = alloc_type_of(c->options.type) == ALLOC_SPACE &&
					cell->block_bytes > 0
				? cell->block_bytes
				: 1;

	return objects * weight * weight *
	       ((1 - p[OLD]) / p[OLD] + (1 - p[NEW]) / p[NEW]);
}

/*
 * The log of how much less likely than for a small object it is that a
 * sampled object of this size is in one profile and not in the other, though
 * it was in both heaps: 2 (1 - p) / (2 - p), where p is the probability of
 * its being sampled in the other.
 */
static double log_surprise(const struct comparison *c, unsigned absent,
			   double block_bytes)
{
	double period = (double)c->profiles[absent]->period_bytes;
	double missed;

	if (block_bytes <= 0)
		return 0;
	if (period <= 1)
		return -INFINITY;
	missed = exp(-block_bytes / period);
	return log(2 * missed / (1 + missed));
}

static void add_cells(struct comparison *c, const struct gathered *g)
{
	size_t i;

	for (i = 0; i < g->cell_count; i++) {
		const struct cell *cell = &g->cells[i];
		struct change *change = &c->stacks[cell->stack].change;
		double excess = cell->samples[NEW] - cell->samples[OLD];
		double both = cell->samples[NEW] + cell->samples[OLD];
		unsigned present = excess > 0 ? NEW : OLD;

		change->weighted_odds +=
			both * odds_of_new(c, cell->block_bytes);
		change->null_variance += null_variance(c, cell);
		if (excess != 0)
			change->log_surprise[present] +=
				fabs(excess) *
				log_surprise(c, !present, cell->block_bytes);
	}
}

/* Variance and differing samples of each stack's difference. */
static void measure_stacks(struct comparison *c, const struct gathered *g)
{
	size_t i;

	for (i = 0; i < c->stack_count; i++) {
		struct diff_stack *stack = &c->stacks[i];
		struct change *change = &stack->change;
		double both = change->samples[OLD] + change->samples[NEW];

		stack->variance_sum = change->value[OLD].variance +
				      change->value[NEW].variance;
		change->variance = stack->variance_sum;
		change->differing = both;
		if (c->has_births)
			bound_by_births(&g->tallies[i],
					is_alloc(c->options.type), change);
		if (one_period(c))
			change->null_variance = change->variance;
		if (both > 0)
			change->weighted_odds *= change->differing / both;
	}
}

static void add_change(struct change *sum, const struct change *part)
{
	unsigned side;

	for (side = OLD; side < SIDES; side++) {
		sum->value[side].total += part->value[side].total;
		sum->value[side].variance += part->value[side].variance;
		sum->samples[side] += part->samples[side];
		sum->log_surprise[side] += part->log_surprise[side];
	}
	sum->variance += part->variance;
	sum->null_variance += part->null_variance;
	sum->differing += part->differing;
	sum->weighted_odds += part->weighted_odds;
}

/*
 * P-value of a change. By the normal approximation, and where few samples
 * differ, which are far from normal, not below the exact test: were the heaps
 * equal, each differing sample would fall to either side by a coin. Objects
 * well above the period are hardly ever missed, so that a single one in one
 * profile alone means a change: log_surprise corrects the coin for them.
 */
static double p_value(const struct change *change)
{
	double delta = change_delta(change);
	double more = change->samples[NEW] - change->samples[OLD];
	double m = fmax(change->differing, fabs(more));
	double exact, p;

	if (change->null_variance <= 0)
		return 0;
	p = normal_two_sided_p(delta / sqrt(change->null_variance));
	if (m < 0.5 || m > FEW_SAMPLES)
		return p;
	exact = binomial_two_sided_p((m - more) / 2, (m + more) / 2,
				     change->differing > 0
					     ? change->weighted_odds /
						       change->differing
					     : 0.5);
	exact *= exp(change->log_surprise[delta > 0 ? NEW : OLD]);
	return fmax(p, exact);
}

static void find_p(const struct comparison *c, struct change *change)
{
	change->p = fabs(change_delta(change)) <= c->negligible
			    ? 1
			    : p_value(change);
}

static bool is_unchanged(const struct comparison *c,
			 const struct change *change)
{
	return fabs(change_delta(change)) <= c->negligible &&
	       change->differing < 0.5;
}

static void judge(const struct comparison *c, struct change *change)
{
	double delta = change_delta(change);
	bool real = change->q <= c->options.false_discovery_rate;

	if (is_unchanged(c, change))
		change->verdict = UNCHANGED;
	else if (!real || fabs(delta) <= c->negligible)
		change->verdict = NOISE;
	else if (delta > 0)
		change->verdict =
			change->value[OLD].total > 0 ? GREW : APPEARED;
	else
		change->verdict = change->value[NEW].total > 0 ? SHRANK : GONE;
}

/* Rows in which nothing happened are no tests, and cost the others nothing. */
static void judge_rows(struct comparison *c)
{
	double *p = ARENA_ARRAY(c->arena, c->row_count, double);
	size_t tests = 0, i;

	for (i = 0; i < c->row_count; i++) {
		find_p(c, &c->rows[i].change);
		if (!is_unchanged(c, &c->rows[i].change))
			p[tests++] = c->rows[i].change.p;
	}
	benjamini_hochberg(p, tests);
	tests = 0;
	for (i = 0; i < c->row_count; i++) {
		struct change *change = &c->rows[i].change;

		change->q = is_unchanged(c, change) ? 1 : p[tests++];
		judge(c, change);
	}
	find_p(c, &c->total);
	c->total.q = c->total.p;
	judge(c, &c->total);
}

static void add_to_row(struct comparison *c, struct diff_row *row,
		       uint32_t stack)
{
	const struct change *change = &c->stacks[stack].change;

	if (fabs(change_delta(change)) >
	    fabs(change_delta(&c->stacks[row->top].change)))
		row->top = stack;
	add_change(&row->change, change);
}

/* The rows that a stack belongs to: its leaf's, or each frame's once. */
static void add_stack_by_name(struct comparison *c, struct intern *names,
			      uint32_t number)
{
	const struct diff_stack *stack = &c->stacks[number];
	struct frames *frames = c->frames[stack->side];
	size_t depth = frames_expand(frames, stack->stack);
	struct arena scratch = {NULL, NULL, NULL};
	uint32_t *seen;
	size_t count = 0, i, j;

	if (!c->options.cumulative && depth > 1)
		depth = 1;
	seen = ARENA_ARRAY(&scratch, depth, uint32_t);
	for (i = 0; i < depth; i++) {
		struct str name = frames->names.strings[frames->steps[i].name];
		uint32_t row = intern(names, name);

		for (j = 0; j < count && seen[j] != row; j++)
			;
		if (j < count)
			continue;
		seen[count++] = row;
		if (row == c->row_count)
			*ARENA_PUSH(c->arena, c->rows, c->row_count,
				    c->row_capacity) = (struct diff_row){
				names->strings[row], number, {.p = 1}};
		add_to_row(c, &c->rows[row], number);
	}
	arena_free(&scratch);
}

static void add_row_of_stack(struct comparison *c, uint32_t number)
{
	const struct diff_stack *stack = &c->stacks[number];
	struct frames *frames = c->frames[stack->side];
	struct str name = STR("[no frames]");

	if (frames_expand(frames, stack->stack))
		name = frames->names.strings[frames->steps[0].name];
	*ARENA_PUSH(c->arena, c->rows, c->row_count, c->row_capacity) =
		(struct diff_row){name, number, stack->change};
}

static int compare_rows(const void *left, const void *right)
{
	const struct diff_row *a = left, *b = right;
	double x = fabs(change_delta(&a->change));
	double y = fabs(change_delta(&b->change));
	int order;

	if (x != y)
		return x < y ? 1 : -1;
	order = str_compare(a->name, b->name);
	return order ? order : (a->top > b->top) - (a->top < b->top);
}

static void build_rows(struct comparison *c)
{
	struct intern names = {.arena = c->arena};
	uint32_t i;

	for (i = 0; i < c->stack_count; i++) {
		add_change(&c->total, &c->stacks[i].change);
		if (c->options.kind == ROWS_BY_STACK)
			add_row_of_stack(c, i);
		else
			add_stack_by_name(c, &names, i);
	}
	/* Sums in another order differ in their last digits. */
	c->negligible = 1e-9 * fmax(fabs(c->total.value[OLD].total),
				    fabs(c->total.value[NEW].total));
	judge_rows(c);
	if (c->row_count)
		qsort(c->rows, c->row_count, sizeof(*c->rows), compare_rows);
}

static enum relation find_relation(const struct comparison *c)
{
	const struct profile *a = c->profiles[OLD], *b = c->profiles[NEW];
	bool same = a->pid && a->pid == b->pid && a->start_time_ns &&
		    a->start_time_ns == b->start_time_ns;

	if (c->options.same_process >= 0)
		same = c->options.same_process;
	if (same)
		return SAME_PROCESS;
	return c->matcher.rebuilt_files ? OTHER_BUILD : OTHER_RUN;
}

struct comparison *compare(struct profile *old_profile,
			   struct profile *new_profile,
			   const struct compare_options *options,
			   struct arena *arena)
{
	struct comparison *c = ARENA_NEW(arena, struct comparison);
	struct arena scratch = {NULL, NULL, NULL};
	struct gathered g = {.arena = &scratch,
			     .cell_keys = {.arena = &scratch}};
	unsigned side;

	c->arena = arena;
	c->options = *options;
	c->profiles[OLD] = old_profile;
	c->profiles[NEW] = new_profile;
	matcher_init(&c->matcher, old_profile, new_profile, arena);
	c->relation = find_relation(c);
	c->has_births = c->relation == SAME_PROCESS && old_profile->has_alloc &&
			new_profile->has_alloc;
	for (side = OLD; side < SIDES; side++) {
		c->frames[side] = frames_new(c->profiles[side],
					     options->granularity, arena);
		gather(c, &g, side);
	}
	add_cells(c, &g);
	measure_stacks(c, &g);
	arena_free(&scratch);
	build_rows(c);
	return c;
}

/* Spreads a stack's variance over both sides in proportion. */
static void set_variances(struct comparison *c, unsigned side)
{
	struct profile *profile = c->profiles[side];
	enum sample_type type = c->options.type;
	size_t i;

	for (i = 0; i < profile->sample_count; i++) {
		struct sample *sample = &profile->samples[i];
		uint32_t number =
			matcher_stack(&c->matcher, side, sample->stack);
		const struct diff_stack *stack = &c->stacks[number];

		if (stack->variance_sum > 0)
			sample->value[type].variance *=
				stack->change.variance / stack->variance_sum;
	}
}

struct profile *compare_to_profile(struct comparison *comparison)
{
	set_variances(comparison, OLD);
	set_variances(comparison, NEW);
	profile_add(comparison->profiles[NEW], comparison->profiles[OLD], -1);
	return comparison->profiles[NEW];
}
