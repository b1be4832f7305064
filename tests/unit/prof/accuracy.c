/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sampler's draws through the ledger's counts to the estimates that the
 * commands print, against the truth, for sizes from 8 bytes to 100 MB and
 * rates from 2^9 to 2^22: the mean error over many seeds, in standard errors,
 * and how often the truth lies within 1.96 of the error that is told.
 * ACCURACY_SEEDS (400) says over how many seeds; the bounds follow from it,
 * and at 10,000 they are 0.1 standard errors and 95 % +- 1, or as many as it
 * ought to be where few objects are missed. Seeds are fixed, so that the
 * outcome is the same each time.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/profile/estimate.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/random.h"
#include "tap/tap.h"

/* Of a load, on average; enough for the normal distribution to hold. */
#define SAMPLES 400
/* Where no object is missed, that many show it. */
#define OBJECTS_LEAST 30
/* Below these odds of a sample, errors are as good as normally distributed. */
#define ODDS_MOST 0.9
/* Above these the few that are missed are not worth a look. */
#define ODDS_ALL 0.999
#define SIGMAS 1.959964

const char *malloc_conf = "prof_ledger_bytes:4194304";

static const size_t sizes[] = {8,	64,	 1024,	    16384,
			       1 << 17, 1 << 20, 10u << 20, 100u << 20};
static const unsigned rates[] = {9, 12, 16, 19, 22};

enum {
	SIZES = sizeof(sizes) / sizeof(sizes[0]),
	RATES = sizeof(rates) / sizeof(rates[0]),
};

/* liballoc's own errors end the process; the estimates want none of them. */
void out_of_memory(void)
{
	abort();
}

struct load {
	size_t bytes;
	unsigned size_class;
	uint64_t objects;
	double odds;
};

/* What is in use: each third object is freed. */
struct truth {
	double objects, bytes;
	struct value variance; /* total: of objects; variance: of bytes */
};

struct score {
	double error, square, variance;
	unsigned inside;
};

static unsigned seeds;
static struct thread thread;

static struct load make_load(size_t bytes, unsigned lg_sample)
{
	struct load load = {.odds = random_odds((double)bytes, lg_sample)};
	double wanted = ceil(1.5 * SAMPLES / load.odds);

	while (heap_class_bytes(load.size_class) < bytes)
		load.size_class++;
	load.bytes = heap_class_bytes(load.size_class);
	load.odds = random_odds((double)load.bytes, lg_sample);
	load.objects = load.odds > ODDS_ALL ? OBJECTS_LEAST : (uint64_t)wanted;
	return load;
}

/* A large object gets whole pages, and no more; its class spans sizes. */
static struct load make_large(size_t bytes, unsigned lg_sample)
{
	struct load load = make_load(bytes, lg_sample);

	load.bytes = bytes;
	load.odds = random_odds((double)bytes, lg_sample);
	return load;
}

static void add_truth(struct truth *truth, const struct load *load)
{
	double live = (double)(load->objects - (load->objects + 2) / 3);
	double each = live * (1 - load->odds) / load->odds;

	truth->objects += live;
	truth->bytes += live * (double)load->bytes;
	truth->variance.total += each;
	truth->variance.variance +=
		each * (double)load->bytes * (double)load->bytes;
}

/*
 * As the heap counts down, but objects that take the countdown to no less
 * than 0 are passed over in one step. Pointers are made up: from the number
 * of the load and of the object.
 */
static void __attribute__((noinline))
allocate(const struct load *load, uint64_t number)
{
	int64_t bytes = (int64_t)load->bytes;
	uint64_t i = 0;

	while (true) {
		uint64_t skip = (uint64_t)(thread.countdown / bytes);

		if (skip >= load->objects - i) {
			thread.countdown -=
				(int64_t)(load->objects - i) * bytes;
			return;
		}
		i += skip + 1;
		thread.countdown -= (int64_t)(skip + 1) * bytes;
		prof_sample(&thread, (void *)((number << 40 | i) << 4),
			    load->bytes, load->bytes, load->size_class);
		thread.countdown = thread.countdown_start =
			prof_next_interval(&thread);
		if (i == load->objects)
			return;
	}
}

static void free_each_third(void)
{
	const struct ledger_sample *rows = ledger_rows(LEDGER_SAMPLES);
	uint64_t count = ledger_header()->sections[LEDGER_SAMPLES].count;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t address = rows[i].address;

		/* The objects of a load are numbered from 1. */
		if (address > 1 && ((address >> 4) & 0xffffffffff) % 3 == 1)
			prof_free(&thread, (void *)(uintptr_t)address,
				  (uint32_t)i + 1);
	}
}

/* As jeprof makes them of the rows. */
static struct estimate read_estimate(void)
{
	const struct ledger_count *rows = ledger_rows(LEDGER_COUNTS);
	uint64_t count = ledger_header()->sections[LEDGER_COUNTS].count;
	struct estimate sum = {{0, 0}, {0, 0}};

	for (uint64_t i = 0; i < count; i++) {
		const struct ledger_count *row = &rows[i];
		uint64_t n = row->allocated_count - row->freed_count;
		uint64_t bytes = row->allocated_bytes - row->freed_bytes;
		struct estimate e = estimate_from_sizes(
			(double)n, (double)bytes,
			ledger_size_variation(n, bytes,
					      row->allocated_squares -
						      row->freed_squares),
			ldexp(1, (int)row->lg_sample));

		sum.objects.total += e.objects.total;
		sum.objects.variance += e.objects.variance;
		sum.bytes.total += e.bytes.total;
		sum.bytes.variance += e.bytes.variance;
	}
	return sum;
}

static struct estimate one_seed(const struct load *loads, unsigned count,
				unsigned lg_sample, uint64_t seed)
{
	thread = (struct thread){.prof = {.active = true}};
	prof_reset(lg_sample);
	for (unsigned i = 0; i < 4; i++)
		thread.prof.random[i] =
			(((seed << 8 | lg_sample) << 32 ^ loads->bytes) * 4 +
			 i + 1) *
			UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned i = 0; i < 20; i++)
		random_next(thread.prof.random);
	thread.countdown = thread.countdown_start = prof_next_interval(&thread);
	for (unsigned i = 0; i < count; i++)
		allocate(&loads[i], i + 1);
	free_each_third();
	return read_estimate();
}

static void note(struct score *score, const struct value *got, double truth)
{
	double error = got->total - truth;

	score->error += error;
	score->variance += got->variance;
	score->square += error * error;
	score->inside +=
		fabs(error) <= SIGMAS * standard_error(*got) + 1e-9 * truth;
}

/*
 * How often the interval holds the truth where each of so many objects of one
 * size is sampled with these odds: what is missed is a small whole number, so
 * that it is not the 95 % of a normal distribution.
 */
static double coverage_of_few(double objects, double odds)
{
	double covered = 0;

	for (double k = 0; k <= objects; k++) {
		double chance = lgamma(objects + 1) - lgamma(k + 1) -
				lgamma(objects - k + 1) + k * log(odds) +
				(objects - k) * log1p(-odds);

		if (fabs(k / odds - objects) <=
		    SIGMAS * sqrt(k * (1 - odds)) / odds)
			covered += exp(chance);
	}
	return covered;
}

/* coverage: that is expected; 0: 95 %, or more. */
static void judge(const struct score *score, double truth, double variance,
		  double coverage, const char *what)
{
	double n = seeds, error = sqrt(variance), rounding = 1e-6 * truth;
	double bias = score->error / n, covered = score->inside / n;

	ok(fabs(bias) <= (0.055 + 4.5 / sqrt(n)) * error + rounding,
	   "%s: off by %.3f standard errors", what,
	   error > rounding ? bias / error : 0);
	if (coverage > 0)
		ok(fabs(covered - coverage) <= 0.0033 + 0.67 / sqrt(n),
		   "%s: %.1f %% of the intervals hold the truth", what,
		   100 * covered);
	else
		ok(covered >= 0.95 - (0.0033 + 0.67 / sqrt(n)),
		   "%s: %.1f %% of the intervals hold the truth", what,
		   100 * covered);
}

/* That of few hundred samples, each of which tells about as much of it. */
static void judge_variance(const struct score *score, double variance,
			   const char *what)
{
	double n = seeds, off = score->variance / n / variance - 1;

	ok(fabs(off) <= 0.003 + 0.3 / sqrt(n),
	   "%s: the variance that is told is off by %.2f %%", what, 100 * off);
}

static bool is_one_class(const struct load *loads, unsigned count)
{
	return count > 1 && loads[0].size_class == loads[1].size_class;
}

static void check(const struct load *loads, unsigned count, unsigned lg_sample,
		  const char *name)
{
	struct score objects = {0}, bytes = {0};
	struct truth truth = {0};
	char what[128];
	double coverage = 0.95;

	for (unsigned i = 0; i < count; i++)
		add_truth(&truth, &loads[i]);
	if (count == 1 && loads->odds > ODDS_ALL)
		coverage = 0;
	else if (count == 1 && loads->odds > ODDS_MOST)
		coverage = coverage_of_few(truth.objects, loads->odds);
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct estimate e = one_seed(loads, count, lg_sample, seed);

		note(&objects, &e.objects, truth.objects);
		note(&bytes, &e.bytes, truth.bytes);
	}
	snprintf(what, sizeof(what), "%s at 2^%u, objects", name, lg_sample);
	judge(&objects, truth.objects, truth.variance.total, coverage, what);
	if (is_one_class(loads, count))
		judge_variance(&objects, truth.variance.total, what);
	snprintf(what, sizeof(what), "%s at 2^%u, bytes", name, lg_sample);
	judge(&bytes, truth.bytes, truth.variance.variance, coverage, what);
	if (is_one_class(loads, count))
		judge_variance(&bytes, truth.variance.variance, what);
}

/* The least and the greatest size of a large class, where they differ most. */
static void check_large(unsigned lg_sample)
{
	const struct load loads[] = {
		make_large((256 << 10) + 4096, lg_sample),
		make_large(320 << 10, lg_sample),
	};

	check(loads, 2, lg_sample, "260 and 320 KiB");
}

static void check_rate(unsigned lg_sample)
{
	struct load mixed[SIZES];
	char name[64];

	for (unsigned i = 0; i < SIZES; i++) {
		struct load load = make_load(sizes[i], lg_sample);

		snprintf(name, sizeof(name), "%zu bytes", load.bytes);
		check(&load, 1, lg_sample, name);
		mixed[i] = load;
	}
	check(mixed, SIZES, lg_sample, "all sizes together");
}

int main(void)
{
	const char *text = getenv("ACCURACY_SEEDS");
	int wanted = text ? atoi(text) : 0;

	seeds = wanted > 0 ? (unsigned)wanted : 400;
	plan(RATES * (SIZES + 1) * 4 + 2 * 6);
	heap_boot();
	/* The program's own few allocations are not to be sampled. */
	if (thread_get())
		thread_get()->prof.active = false;
	prof_active_set(true);
	for (unsigned i = 0; i < RATES; i++)
		check_rate(rates[i]);
	check_large(19);
	check_large(22);
	return done_testing();
}
