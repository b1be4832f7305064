/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the stress programs share: how much to do, and random numbers that are
 * the same each time. STRESS_SCALE (default 1) multiplies the work; make
 * check-stress sets it.
 */
#ifndef TESTS_STRESS_STRESS_H
#define TESTS_STRESS_STRESS_H

#include <stdint.h>
#include <stdlib.h>

static inline unsigned stress_scale(void)
{
	const char *text = getenv("STRESS_SCALE");
	int scale = text ? atoi(text) : 1;

	return scale > 0 ? (unsigned)scale : 1;
}

/* The next of a sequence that seed began; seed is updated. */
static inline uint64_t stress_random(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

#endif
