/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Estimates from samples, and the distributions that judge them. Arithmetic
 * only: knows nothing of profiles but struct value.
 */
#include "config.h"

#include "libjeheap/profile/estimate.h"

#include <math.h>
#include <stdlib.h>

struct estimate estimate_from_samples(double n, double bytes, double period)
{
	struct estimate e = {{n, 0}, {bytes, 0}};
	double u, p, half_ratio;

	/* A period of one byte samples all; a size of 0 is never sampled. */
	if (period <= 1 || n == 0 || bytes / n <= 0)
		return e;
	u = bytes / n / period;
	p = -expm1(-u);
	half_ratio = 1 / (2 * sinh(u / 2));
	e.objects.total = n / p;
	e.bytes.total = bytes / p;
	e.objects.variance = fabs(n) * half_ratio * half_ratio;
	half_ratio *= u * period;
	e.bytes.variance = fabs(n) * half_ratio * half_ratio;
	return e;
}

static void add_value(struct value *to, struct value more)
{
	to->total += more.total;
	to->variance += more.variance;
}

/*
 * The sum of a smooth function over the objects depends on their number, mean
 * and variance, and but for a thousandth or so on nothing else, since the
 * sizes are close together. So it is that of as many objects of the mean size
 * and of sizes an eighth above and below it, in such shares that mean and
 * variance are the same.
 */
struct estimate estimate_from_sizes(double n, double bytes, double variation,
				    double period)
{
	double apart = n * variation * 8 * 8 / 2, mean = bytes / n;
	struct estimate sum, part;
	int side;

	if (!(variation > 0) || n == 0)
		return estimate_from_samples(n, bytes, period);
	sum = estimate_from_samples(n - 2 * apart, (n - 2 * apart) * mean,
				    period);
	for (side = -1; side <= 1; side += 2) {
		part = estimate_from_samples(
			apart, apart * mean * (8 + side) / 8, period);
		add_value(&sum.objects, part.objects);
		add_value(&sum.bytes, part.bytes);
	}
	return sum;
}

double standard_error(struct value v)
{
	return v.variance > 0 ? sqrt(v.variance) : 0;
}

/*
 * The regularised lower incomplete gamma function P(a, x): by its power series
 * below the mean, by the continued fraction of its complement (evaluated by
 * Lentz's method) above it. Abramowitz and Stegun, 6.5.29 and 6.5.31.
 */
static double gamma_series(double a, double x)
{
	double term = 1 / a, sum = term, k;

	for (k = 1; k < 100000 && term > sum * 1e-17; k++) {
		term *= x / (a + k);
		sum += term;
	}
	return sum;
}

static double gamma_fraction(double a, double x)
{
	const double tiny = 1e-300;
	double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d, k, an, delta;

	for (k = 1; k < 100000; k++) {
		an = -k * (k - a);
		b += 2;
		d = an * d + b;
		c = b + an / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		delta = d * c;
		h *= delta;
		if (fabs(delta - 1) < 1e-15)
			break;
	}
	return h;
}

static double gamma_p(double a, double x)
{
	double scale;

	if (x <= 0)
		return 0;
	scale = exp(a * log(x) - x - lgamma(a));
	if (x < a + 1)
		return scale * gamma_series(a, x);
	return 1 - scale * gamma_fraction(a, x);
}

/* x with P(a, x) = p, by bisection: a monotone function on a known bracket. */
static double gamma_quantile(double a, double p)
{
	double low = 0, high = a + 10 * sqrt(a) + 20, middle;
	int i;

	for (i = 0; i < 200 && high - low > 1e-13 * high; i++) {
		middle = (low + high) / 2;
		if (gamma_p(a, middle) < p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

/*
 * Half a chi-squared quantile of 2n degrees of freedom is a gamma quantile of
 * shape n. Above this count the cube-root approximation (Wilson and Hilferty)
 * is exact to eight digits, and cheap.
 */
#define GAMMA_EXACT_BELOW 100000.0
#define Z_975 1.959963984540054

static double limit_95(double shape, double z)
{
	double cube_root = 1 - 1 / (9 * shape) + z / (3 * sqrt(shape));

	if (shape >= GAMMA_EXACT_BELOW)
		return shape * cube_root * cube_root * cube_root;
	return gamma_quantile(shape, z < 0 ? 0.025 : 0.975);
}

double poisson_lower_95(double n)
{
	return n > 0 ? limit_95(n, -Z_975) : 0;
}

double poisson_upper_95(double n)
{
	return limit_95((n > 0 ? n : 0) + 1, Z_975);
}

double normal_two_sided_p(double z)
{
	return erfc(fabs(z) * M_SQRT1_2);
}

static double log_binomial(double n, double k, double q)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(q) +
	       (n - k) * log1p(-q);
}

/*
 * P(K = k) + P(K = k + step) + ..., away from the mode, where the terms fall
 * at least geometrically; relative to P(K = k) and stopped when they vanish.
 */
static double tail(double n, double k, double q, int step)
{
	double odds = q / (1 - q), term = 1, sum = 0, at = k;

	while (at >= 0 && at <= n && term > sum * 1e-17) {
		sum += term;
		term *= step > 0 ? (n - at) / (at + 1) * odds
				 : at / (n - at + 1) / odds;
		at += step;
	}
	return sum * exp(log_binomial(n, k, q));
}

/*
 * The nearest outcome on the other side of the mode that is no more likely
 * than k, found by bisection on the log-probability, which falls from the
 * mode outwards. -1 or n + 1 where there is none.
 */
static double opposite(double n, double k, double q, double mode)
{
	/* Equal probabilities must count as equal despite rounding. */
	double bound = log_binomial(n, k, q) + 1e-7;
	double near = mode, far = k < mode ? n + 1 : -1, middle;

	while (fabs(far - near) > 1) {
		middle = trunc((near + far) / 2);
		if (log_binomial(n, middle, q) > bound)
			near = middle;
		else
			far = middle;
	}
	return far;
}

double binomial_two_sided_p(double n1, double n2, double q)
{
	double n, k, mode, p;

	n1 = n1 > 0 ? round(n1) : 0;
	k = n2 > 0 ? round(n2) : 0;
	n = n1 + k;
	if (n == 0)
		return 1;
	if (q <= 0 || q >= 1)
		return (q <= 0 ? k : n1) > 0 ? 0 : 1;
	mode = floor((n + 1) * q);
	mode = mode > n ? n : mode;
	if (log_binomial(n, k, q) + 1e-7 >= log_binomial(n, mode, q))
		return 1;
	if (k < mode)
		p = tail(n, k, q, -1) + tail(n, opposite(n, k, q, mode), q, 1);
	else
		p = tail(n, k, q, 1) + tail(n, opposite(n, k, q, mode), q, -1);
	return p < 1 ? p : 1;
}

static int by_value(const void *a, const void *b)
{
	double x = **(double *const *)a, y = **(double *const *)b;

	return (x > y) - (x < y);
}

void benjamini_hochberg(double *p, size_t count)
{
	double least = 1, adjusted;
	double **sorted;
	size_t i;

	if (count == 0)
		return;
	sorted = calloc(count, sizeof(*sorted));
	if (!sorted)
		out_of_memory();
	for (i = 0; i < count; i++)
		sorted[i] = &p[i];
	qsort(sorted, count, sizeof(*sorted), by_value);
	for (i = count; i-- > 0;) {
		adjusted = *sorted[i] * (double)count / (double)(i + 1);
		least = adjusted < least ? adjusted : least;
		*sorted[i] = least;
	}
	free(sorted);
}
