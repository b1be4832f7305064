/* SPDX-License-Identifier: BSD-2-Clause */
/* The intervals' mean and distribution with fixed seeds; our mathematics. */
#include "config.h"

#include <math.h>

#include "liballoc/prof/random.h"
#include "tap/tap.h"

#define DRAWS 200000
#define CELLS 20

static void seed(uint64_t state[4], uint64_t number)
{
	for (unsigned i = 0; i < 4; i++)
		state[i] = (number + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned i = 0; i < 20; i++)
		random_next(state);
}

static double relative(double got, double want)
{
	return fabs(got - want) / (want == 0 ? 1 : fabs(want));
}

static void check_functions(void)
{
	double worst_log = 0, worst_exp = 0, worst_odds = 0;

	for (double x = 1e-300; x < 1e300; x *= 1.37)
		worst_log = fmax(worst_log, relative(prof_log(x), log(x)));
	for (double x = 0.9; x < 1.1; x += 1e-4)
		worst_log = fmax(worst_log, fabs(prof_log(x) - log(x)));
	for (double y = 1e-18; y < 800; y *= 1.01)
		worst_exp = fmax(worst_exp,
				 relative(prof_one_minus_exp(y), -expm1(-y)));
	for (unsigned lg = 1; lg <= 62; lg++)
		for (double s = 8; s < 1e12; s *= 7)
			worst_odds = fmax(
				worst_odds,
				relative(random_odds(s, lg),
					 -expm1(s *
						log1p(-ldexp(1, -(int)lg)))));
	ok(worst_log < 1e-14, "log is good to %g", worst_log);
	ok(worst_exp < 1e-13, "1 - exp(-y) is good to %g", worst_exp);
	ok(worst_odds < 1e-12, "odds are good to %g", worst_odds);
}

/* A geometric variable on 0, 1, ... has mean R - 1, variance R (R - 1). */
static bool mean_holds(unsigned lg)
{
	uint64_t state[4];
	double r = ldexp(1, (int)lg), sum = 0, z;

	seed(state, lg);
	for (unsigned i = 0; i < DRAWS; i++)
		sum += (double)random_interval(state, lg);
	z = (sum / DRAWS - (r - 1)) / sqrt(r * (r - 1) / DRAWS);
	if (fabs(z) > 4)
		tap_line("# lg %u: z = %g\n", lg, z);
	return fabs(z) <= 4;
}

/* The value that an interval stays below with the given probability. */
static double quantile(unsigned lg, double probability)
{
	return ceil(log1p(-probability) / log1p(-ldexp(1, -(int)lg)));
}

/*
 * Chi-square over cells of about the same odds; the exact odds of a cell are
 * those of a geometric variable between its bounds.
 */
static bool distribution_holds(unsigned lg)
{
	double bound[CELLS + 1] = {0}, chi = 0, miss = 1 - ldexp(1, -(int)lg);
	unsigned seen[CELLS] = {0}, cells = 0;
	uint64_t state[4];

	for (unsigned i = 1; i < CELLS; i++) {
		double q = quantile(lg, (double)i / CELLS);

		if (q > bound[cells])
			bound[++cells] = q;
	}
	seed(state, 100 + lg);
	for (unsigned i = 0; i < DRAWS; i++) {
		double interval = (double)random_interval(state, lg);
		unsigned cell = cells;

		while (cell > 0 && interval < bound[cell])
			cell--;
		seen[cell]++;
	}
	for (unsigned i = 0; i <= cells; i++) {
		double odds = pow(miss, bound[i]) -
			      (i < cells ? pow(miss, bound[i + 1]) : 0);
		double want = odds * DRAWS;

		chi += (seen[i] - want) * (seen[i] - want) / want;
	}
	/* Mean `cells`, deviation sqrt(2 cells). */
	if (chi > cells + 5 * sqrt(2.0 * cells) + 3)
		tap_line("# lg %u: chi-square %g, %u cells\n", lg, chi, cells);
	return chi <= cells + 5 * sqrt(2.0 * cells) + 3;
}

/* Layers of one area, from all that lies below the lowest up to 1. */
static void check_layers(void)
{
	const double *edges = random_edges;
	double area = edges[0] * exp(-edges[1]), worst = 0;

	worst = relative((edges[1] + 1) * exp(-edges[1]), area);
	for (unsigned i = 1; i < RANDOM_LAYERS; i++)
		worst = fmax(worst, relative(edges[i] * (exp(-edges[i + 1]) -
							 exp(-edges[i])),
					     area));
	ok(worst < 1e-13 && edges[RANDOM_LAYERS] == 0,
	   "layers are of one area to %g", worst);
}

/* The share of intervals above so many means, and their mean beyond it. */
static void check_tail(void)
{
	double means = 5, start, above = 0, sum = 0, odds, z, z_mean;
	uint64_t state[4];

	start = means * 0x1p20;
	odds = exp(-means);
	seed(state, 77);
	for (unsigned i = 0; i < 20 * DRAWS; i++) {
		double beyond = (double)random_interval(state, 20) - start;

		above += beyond >= 0;
		sum += beyond >= 0 ? beyond : 0;
	}
	z = (above - odds * 20 * DRAWS) / sqrt(odds * 20 * DRAWS);
	z_mean = (sum / above / 0x1p20 - 1) * sqrt(above);
	ok(fabs(z) < 4 && fabs(z_mean) < 4,
	   "long intervals are as many and as long as they ought to be "
	   "(z %g, %g)",
	   z, z_mean);
}

static void check_intervals(void)
{
	static const unsigned lgs[] = {1, 2, 3, 6, 9, 12, 19, 22, 40};
	bool means = true, distributions = true, whole = true;
	uint64_t state[4];

	for (unsigned i = 0; i < sizeof(lgs) / sizeof(lgs[0]); i++) {
		means = mean_holds(lgs[i]) && means;
		distributions = distribution_holds(lgs[i]) && distributions;
	}
	ok(means, "the mean interval is that of the rate");
	ok(distributions, "intervals are geometric (chi-square)");
	seed(state, 1);
	for (unsigned i = 0; i < 1000; i++)
		whole = whole && random_interval(state, 0) == 0;
	ok(whole, "at one byte a sample, all is sampled");
	for (unsigned i = 0; i < 100000; i++) {
		int64_t interval = random_interval(state, 63);

		whole = whole && interval >= 0 && interval <= (int64_t)1 << 62;
	}
	ok(whole, "the longest intervals stay in their range");
}

static void check_seeds(void)
{
	uint64_t a[4], b[4];

	random_boot();
	random_seed(a, 1);
	random_seed(b, 2);
	ok(memcmp(a, b, sizeof(a)) != 0, "streams differ");
	random_boot();
	random_seed(b, 1);
	ok(memcmp(a, b, sizeof(a)) != 0, "a new secret makes new streams");
}

int main(void)
{
	plan(11);
	check_functions();
	check_layers();
	check_tail();
	check_intervals();
	check_seeds();
	return done_testing();
}
