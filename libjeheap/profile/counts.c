/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns counts of sampled objects into samples with estimates, and puts
 * samples into their canonical order. Never reads a format.
 */
#include "config.h"

#include "libjeheap/profile/counts.h"

#include <stdlib.h>

#include "libjeheap/profile/estimate.h"
#include "liballoc/ledger/layout.h"

static void set_estimate(struct sample *sample, enum sample_type objects,
			 enum sample_type space, uint64_t count, uint64_t bytes,
			 uint64_t squares, double period_bytes)
{
	struct estimate e;

	if (!count || !bytes)
		return;
	e = estimate_from_sizes((double)count, (double)bytes,
				ledger_size_variation(count, bytes, squares),
				period_bytes);
	sample->value[objects] = e.objects;
	sample->value[space] = e.bytes;
}

static uint64_t mean_bytes(const struct sampled_counts *c)
{
	if (c->inuse_count && c->inuse_bytes)
		return c->inuse_bytes / c->inuse_count;
	if (c->alloc_count)
		return c->alloc_bytes / c->alloc_count;
	return 0;
}

void profile_add_counts(struct profile *profile, uint32_t stack,
			uint32_t thread, const struct sampled_counts *counts,
			double period_bytes)
{
	const struct sampled_counts *c = counts;
	bool inuse = c->inuse_count && c->inuse_bytes;
	bool alloc = c->alloc_count && c->alloc_bytes;
	struct sample *sample;

	if (!inuse && !alloc)
		return;
	sample = profile_add_sample(profile, stack, thread, mean_bytes(c));
	sample->inuse_samples = inuse ? (double)c->inuse_count : 0;
	sample->alloc_samples = alloc ? (double)c->alloc_count : 0;
	if (c->lives)
		sample->lives =
			arena_copy(profile->arena, c->lives, sizeof(*c->lives));
	set_estimate(sample, INUSE_OBJECTS, INUSE_SPACE, c->inuse_count,
		     c->inuse_bytes, c->inuse_squares, period_bytes);
	set_estimate(sample, ALLOC_OBJECTS, ALLOC_SPACE, c->alloc_count,
		     c->alloc_bytes, c->alloc_squares, period_bytes);
}

static uint64_t thread_uid(const struct profile *profile,
			   const struct sample *sample)
{
	if (sample->thread == NONE)
		return UINT64_MAX;
	return profile->threads[sample->thread].uid;
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int order_doubles(double a, double b)
{
	return (a > b) - (a < b);
}

/* Values come last, so that equal keys (of two rates) have one order too. */
static int compare_samples(const void *pa, const void *pb, void *data)
{
	const struct profile *profile = data;
	const struct sample *a = pa, *b = pb;
	int c = order(a->stack, b->stack);

	c = c ? c : order(thread_uid(profile, a), thread_uid(profile, b));
	c = c ? c : order(a->block_bytes, b->block_bytes);
	for (int t = 0; !c && t < SAMPLE_TYPES; t++)
		c = order_doubles(a->value[t].total, b->value[t].total);
	return c;
}

void profile_order_samples(struct profile *profile)
{
	if (profile->sample_count)
		qsort_r(profile->samples, profile->sample_count,
			sizeof(*profile->samples), compare_samples, profile);
}
