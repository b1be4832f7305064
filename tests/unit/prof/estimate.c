/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Estimates against the truth, by driving the sampler as the heap does: over
 * hundreds of seeds they are unbiased, and their spread is what the statistics
 * say, from 8 bytes to objects far longer than a cut interval.
 */
#include "config.h"

#include <math.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/random.h"
#include "liballoc/prof/snapshot.h"
#include "tap/tap.h"

#define SEEDS 300

static const struct run {
	size_t bytes;
	unsigned lg_sample;
	unsigned objects;
} runs[] = {
	{8, 9, 2000},	   {8, 12, 10000},    {16, 19, 60000},
	{1024, 12, 100},   {4096, 12, 40},    {65536, 19, 200},
	{1 << 20, 19, 12}, {3 << 20, 22, 30}, {100 << 20, 26, 8},
	{48, 0, 50},
};

static unsigned class_of(size_t bytes)
{
	unsigned i = 0;

	while (heap_class_bytes(i) < bytes)
		i++;
	return i;
}

/* Allocates as the heap does; the pointers are made up. */
static void __attribute__((noinline))
allocate(struct thread *thread, const struct run *run, unsigned size_class)
{
	for (uintptr_t i = 0; i < run->objects; i++) {
		thread->countdown -= (int64_t)run->bytes;
		if (thread->countdown >= 0)
			continue;
		prof_sample(thread, (void *)((i + 1) << 4), run->bytes,
			    run->bytes, size_class);
		thread->countdown = thread->countdown_start =
			prof_next_interval(thread);
	}
}

static void sum_up(struct estimates *sum)
{
	struct snapshot snapshot;

	memset(sum, 0, sizeof(*sum));
	if (!snapshot_take(&snapshot, false))
		return;
	for (size_t i = 0; i < snapshot.count; i++)
		estimates_add(sum, &snapshot.rows[i].count);
	snapshot_drop(&snapshot);
}

static struct estimates one_seed(const struct run *run, unsigned size_class,
				 uint64_t seed)
{
	struct thread thread = {.prof = {.active = true}};
	struct estimates sum;

	prof_reset(run->lg_sample);
	for (unsigned i = 0; i < 4; i++)
		thread.prof.random[i] = ((seed + run->bytes) * 4 + i + 1) *
					UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned i = 0; i < 20; i++)
		random_next(thread.prof.random);
	thread.countdown = thread.countdown_start = prof_next_interval(&thread);
	allocate(&thread, run, size_class);
	sum_up(&sum);
	return sum;
}

static void check_run(const struct run *run)
{
	double truth = (double)run->bytes * run->objects;
	double odds = random_odds((double)run->bytes, run->lg_sample);
	double variance = truth * (double)run->bytes * (1 - odds) / odds;
	double error = 0, square = 0, z, spread;
	unsigned size_class = class_of(run->bytes);

	if (run->lg_sample == 0)
		variance = 1e-6 * truth * truth;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct estimates sum = one_seed(run, size_class, seed);
		double off = sum.in_use.bytes - truth;

		error += off;
		square += off * off;
	}
	z = error / sqrt(SEEDS * variance);
	spread = square / SEEDS / variance;
	ok(fabs(z) < 3.5, "%zu bytes, 1 in 2^%u: unbiased (z = %.2f)",
	   run->bytes, run->lg_sample, z);
	ok(run->lg_sample == 0 || (spread > 0.65 && spread < 1.45),
	   "%zu bytes, 1 in 2^%u: spread as it should be (%.2f)", run->bytes,
	   run->lg_sample, spread);
}

/* What a reader makes of the columns is the estimate again. */
static void check_columns(void)
{
	bool good = true;

	for (unsigned lg = 0; lg <= 24; lg += 12) {
		struct ledger_count row = {
			.lg_sample = lg,
			.allocated_count = 1000,
			.allocated_bytes = 1000 * 96,
		};
		struct estimates sum = {0};
		uint64_t count, bytes;
		double scale;

		estimates_add(&sum, &row);
		estimate_columns(&sum.allocated, lg, &count, &bytes);
		scale = 1 / -expm1(-(double)bytes / (double)count /
				   ldexp(1, (int)lg));
		/* (1 - 1/R)^s is not quite exp(-s/R). */
		good = good && count == 1000 &&
		       fabs((double)bytes - 96000) < 96 &&
		       fabs((double)bytes * scale / sum.allocated.bytes - 1) <
			       2e-3;
		if (!good)
			tap_line("# lg %u: %g, %g\n", lg, (double)count,
				 (double)bytes);
	}
	ok(good,
	   "one size: columns are the samples, and readers undo the odds");
}

/* Two sizes: no pair of columns but ours gives both estimates back. */
static void check_mixed_columns(void)
{
	struct ledger_count small = {
		.lg_sample = 19,
		.allocated_count = 5,
		.allocated_bytes = 5 * 64,
	};
	struct ledger_count large = {
		.lg_sample = 19,
		.allocated_count = 3000,
		.allocated_bytes = UINT64_C(3000) << 20,
	};
	struct estimates sum = {0};
	uint64_t count, bytes;
	double scale;

	estimates_add(&sum, &small);
	estimates_add(&sum, &large);
	estimate_columns(&sum.in_use, 19, &count, &bytes);
	scale = 1 / -expm1(-(double)bytes / (double)count / ldexp(1, 19));
	is_near((double)bytes * scale / sum.in_use.bytes, 1, 1e-3,
		"two sizes: readers get the bytes back");
	is_near((double)count * scale / sum.in_use.weight, 1, 1e-3,
		"two sizes: readers get the count back");
}

int main(void)
{
	unsigned count = sizeof(runs) / sizeof(runs[0]);

	plan(2 * count + 3);
	heap_boot();
	/* The program's own few allocations are not to be sampled. */
	if (thread_get())
		thread_get()->prof.active = false;
	prof_active_set(true);
	for (unsigned i = 0; i < count; i++)
		check_run(&runs[i]);
	check_columns();
	check_mixed_columns();
	return done_testing();
}
