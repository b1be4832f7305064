/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator behind the sampling intervals (xoshiro256**, Blackman and
 * Vigna, "Scrambled linear pseudorandom number generators", 2021), and the
 * few functions of mathematics that sampling wants, since liballoc has no
 * libm. Pure functions but for the seed; nothing here locks or allocates.
 */
#ifndef LIBALLOC_PROF_RANDOM_H
#define LIBALLOC_PROF_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* log2 of the greatest mean interval. */
#define PROF_LG_SAMPLE_MAX 63u

/* The natural logarithm of x, x > 0 and normal; relative error < 1e-15. */
double prof_log(double x);
/* 1 - exp(-y), y >= 0; relative error < 1e-14. */
double prof_one_minus_exp(double y);

/* A fresh secret for this process; in a fork's child again. */
void random_boot(void);
/* Seeds state from the secret and a number that tells threads apart. */
void random_seed(uint64_t state[4], uint64_t stream);
uint64_t random_next(uint64_t state[4]);

/*
 * Bytes that pass before the next sampled byte, where each byte is sampled
 * with probability 1 in 1 << lg_sample: geometric, in [0, 2^62].
 */
int64_t random_interval(uint64_t state[4], unsigned lg_sample);
/* By which it draws: random.c says what they are. */
#define RANDOM_LAYERS 64
extern const double random_edges[RANDOM_LAYERS + 1];

/*
 * The odds that an object of so many usable bytes is sampled. At rate 0,
 * where they are 1, it is readers' 1 - exp(-bytes): what is counted by it
 * comes out whole at readers that undo it, and at those that do not.
 */
double random_odds(double bytes, unsigned lg_sample);

#endif
