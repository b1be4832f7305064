/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics of a sampled heap profile. An object of usable size s is
 * sampled with probability p = 1 - exp(-s/R), R the mean bytes between
 * samples. Horvitz and Thompson's estimator counts a sampled object as 1/p
 * objects and s/p bytes; the variance estimates below are unbiased.
 */
#ifndef LIBJEHEAP_PROFILE_ESTIMATE_H
#define LIBJEHEAP_PROFILE_ESTIMATE_H

#include "libjeheap/profile/profile.h"

struct estimate {
	struct value objects, bytes;
};

/* n sampled objects of total usable size `bytes`, hence of mean bytes / n. */
struct estimate estimate_from_samples(double n, double bytes, double period);
/*
 * The same of objects whose sizes vary: variation is their variance by the
 * square of their mean, in [0, 1/64].
 */
struct estimate estimate_from_sizes(double n, double bytes, double variation,
				    double period);
/* sqrt(variance) */
double standard_error(struct value v);

/* Garwood's exact 95 % limits for n Poisson samples, as multiples of one. */
double poisson_lower_95(double n);
double poisson_upper_95(double n);
/* P(|Z| >= |z|) for a standard normal Z. */
double normal_two_sided_p(double z);
/*
 * The two-sided exact p-value of n2 samples of n1 + n2, where each belongs to
 * the second with probability q.
 */
double binomial_two_sided_p(double n1, double n2, double q);
/*
 * Benjamini and Hochberg: turns p-values into adjusted ones (q-values), in
 * place; reject where q <= the false discovery rate.
 */
void benjamini_hochberg(double *p, size_t count);

#endif
