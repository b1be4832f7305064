/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics, against published values and against simulation with fixed
 * seeds.
 */
#include "config.h"

#include "libjeheap/profile/estimate.h"

#include <math.h>

#include "tap/tap.h"

static void test_estimator(void)
{
	struct estimate e = estimate_from_samples(3, 3 * 64, 512);
	double p = 1 - exp(-64.0 / 512);

	is_near(e.objects.total, 3 / p, 1e-9, "objects are n / p");
	is_near(e.bytes.total, 192 / p, 1e-9, "bytes are n s / p");
	is_near(e.objects.variance, 3 * (1 - p) / (p * p), 1e-9,
		"the variance of objects is n (1-p) / p^2");
	is_near(e.bytes.variance, 3 * 64 * 64 * (1 - p) / (p * p), 1e-6,
		"the variance of bytes is n s^2 (1-p) / p^2");
	e = estimate_from_samples(5, 5e9, 512);
	is_near(e.bytes.total, 5e9, 1, "huge objects are counted exactly");
	is_near(e.bytes.variance, 0, 1e-9, "and without error");
	e = estimate_from_samples(7, 700, 1);
	ok(e.bytes.total == 700 && e.bytes.variance == 0,
	   "a period of 1 is exact");
	e = estimate_from_samples(0, 0, 512);
	ok(e.objects.total == 0 && e.objects.variance == 0, "nothing is 0");
	e = estimate_from_samples(4, 0, 512);
	ok(e.objects.total == 4 && e.bytes.total == 0,
	   "a size of 0 divides by nothing");
	e = estimate_from_samples(-3, -192, 512);
	ok(e.objects.total < 0 && e.objects.variance > 0,
	   "a difference's base part is negative, its variance is not");
}

/* Of sizes in one large class: within what the header of estimate.c says. */
static bool is_sum(double few, double small, double many, double large,
		   double period)
{
	struct estimate a = estimate_from_samples(few, few * small, period);
	struct estimate b = estimate_from_samples(many, many * large, period);
	double n = few + many, mean = (few * small + many * large) / n;
	double apart = (large - small) / mean;
	struct estimate e = estimate_from_sizes(
		n, n * mean, few * many / n / n * apart * apart, period);

	return fabs(e.objects.total / (a.objects.total + b.objects.total) - 1) <
		       0.0015 &&
	       fabs(e.bytes.total / (a.bytes.total + b.bytes.total) - 1) <
		       0.0001 &&
	       fabs(e.objects.variance /
			    (a.objects.variance + b.objects.variance) -
		    1) < 0.005 &&
	       fabs(e.bytes.variance / (a.bytes.variance + b.bytes.variance) -
		    1) < 0.001;
}

static void test_sizes(void)
{
	struct estimate e = estimate_from_sizes(4, 400, 0, 512);
	struct estimate one = estimate_from_samples(4, 400, 512);

	ok(memcmp(&e, &one, sizeof(e)) == 0, "one size is as it was");
	ok(is_sum(10, 16640, 10, 20480, 1 << 22) &&
		   is_sum(10, 16640, 10, 20480, 1 << 14) &&
		   is_sum(10, 16640, 10, 20480, 1 << 12),
	   "two sizes of one class, at any rate");
	ok(is_sum(2, 16640, 30, 20480, 1 << 22) &&
		   is_sum(30, 16640, 2, 20480, 1 << 22) &&
		   is_sum(30, 16640, 2, 20480, 1 << 14),
	   "few of one, and many of the other");
	e = estimate_from_sizes(0, 0, 0.01, 512);
	ok(e.objects.total == 0 && e.bytes.total == 0, "and nothing is 0");
}

static double uniform(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

/*
 * Runs of many objects of one size: the mean estimate is the truth, and the
 * mean variance estimate is the estimates' own variance.
 */
static void simulate(double size, double period, uint64_t seed)
{
	enum { OBJECTS = 400, RUNS = 4000 };
	double p = 1 - exp(-size / period), sum = 0, squares = 0, variance = 0;
	double mean, spread, truth = OBJECTS * size, wanted;
	struct estimate e;
	int run, i, n;

	for (run = 0; run < RUNS; run++) {
		for (n = i = 0; i < OBJECTS; i++)
			n += uniform(&seed) < p;
		e = estimate_from_samples(n, n * size, period);
		sum += e.bytes.total;
		squares += e.bytes.total * e.bytes.total;
		variance += e.bytes.variance / RUNS;
	}
	mean = sum / RUNS;
	spread = squares / RUNS - mean * mean;
	wanted = OBJECTS * size * size * (1 - p) / p;
	ok(fabs(mean - truth) < 4 * sqrt(wanted / RUNS),
	   "size %g at period %g: the estimate is unbiased", size, period);
	ok(fabs(variance / wanted - 1) < 0.05 &&
		   fabs(spread / wanted - 1) < 0.1,
	   "and its variance too");
}

static void test_garwood(void)
{
	is_near(poisson_lower_95(0), 0, 0, "0 samples: lower limit");
	is_near(poisson_upper_95(0), 3.6889, 1e-4, "upper limit");
	is_near(poisson_lower_95(1), 0.0253, 1e-4, "1 sample: lower limit");
	is_near(poisson_upper_95(1), 5.5716, 1e-4, "upper limit");
	is_near(poisson_lower_95(10), 4.7954, 1e-4, "10 samples: lower limit");
	is_near(poisson_upper_95(10), 18.3904, 1e-4, "upper limit");
	is_near(poisson_lower_95(100), 81.3640, 1e-3, "100: lower limit");
	is_near(poisson_upper_95(100), 121.6273, 1e-3, "upper limit");
	is_near(poisson_upper_95(99999.5) / poisson_upper_95(99998.5), 1, 2e-5,
		"the approximation for many joins the exact values");
	is_near(poisson_lower_95(1e9), 1e9 - 1.959964 * sqrt(1e9), 5,
		"a thousand million samples");
}

static void test_tests(void)
{
	is_near(normal_two_sided_p(0), 1, 0, "z = 0");
	is_near(normal_two_sided_p(-1.959963984540054), 0.05, 1e-12,
		"z = -1.96");
	is_near(normal_two_sided_p(8) / 1.2441921148543639e-15, 1, 1e-9,
		"z = 8 keeps its digits");
	is_near(binomial_two_sided_p(0, 6, 0.5), 0.03125, 1e-12,
		"six new samples are significant");
	is_near(binomial_two_sided_p(0, 5, 0.5), 0.0625, 1e-12, "five are not");
	is_near(binomial_two_sided_p(243, 682, 0.75), 0.3824915595748515, 1e-9,
		"682 of 925 at 3/4");
	is_near(binomial_two_sided_p(12, 3, 0.1), 0.1840610691063911, 1e-9,
		"3 of 15 at 1/10");
	is_near(binomial_two_sided_p(39, 1, 0.2), 0.0024531698153493577, 1e-9,
		"1 of 40 at 1/5");
	is_near(binomial_two_sided_p(13, 0, 0.3), 0.013719871184199987, 1e-9,
		"0 of 13 at 3/10");
	is_near(binomial_two_sided_p(400, 500, 0.5), 0.0009564441369189462,
		1e-9, "500 of 900 at 1/2");
	is_near(binomial_two_sided_p(5, 5, 0.5), 1, 0, "as many before");
	is_near(binomial_two_sided_p(0, 0, 0.5), 1, 0, "none at all");
	ok(binomial_two_sided_p(500000, 503000, 0.5) < 0.01 &&
		   binomial_two_sided_p(500000, 501000, 0.5) > 0.3,
	   "a million samples");
}

static void test_false_discovery(void)
{
	double p[] = {0.01, 0.04, 0.03, 0.005}, many[1000];
	uint64_t seed = 20;
	int i, found = 0;

	benjamini_hochberg(p, 4);
	is_near(p[0], 0.02, 1e-12, "0.01 becomes 0.02");
	is_near(p[1], 0.04, 1e-12, "0.04 stays");
	is_near(p[2], 0.04, 1e-12, "0.03 becomes 0.04");
	is_near(p[3], 0.02, 1e-12, "0.005 becomes 0.02");
	benjamini_hochberg(NULL, 0);
	for (i = 0; i < 1000; i++)
		many[i] = uniform(&seed);
	benjamini_hochberg(many, 1000);
	for (i = 0; i < 1000; i++)
		found += many[i] <= 0.05;
	is_int(found, 0, "noise alone is no discovery");
}

int main(void)
{
	plan(50);
	test_estimator();
	test_sizes();
	simulate(16, 4096, 1);
	simulate(4096, 4096, 2);
	simulate(20000, 4096, 3);
	simulate(100, 1000, 4);
	test_garwood();
	test_tests();
	test_false_discovery();
	return done_testing();
}
