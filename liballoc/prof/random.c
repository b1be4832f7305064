/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random intervals. Owns the process's secret; keeps no other state.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/vdso.h"
#include "liballoc/prof/random.h"

#define LN2 0.693147180559945309417232121458

static uint64_t secret[4];

double prof_log(double x)
{
	uint64_t bits;
	double s, z, z2, z4, low, high;
	int exponent;

	memcpy(&bits, &x, sizeof(bits));
	exponent = (int)(bits >> 52) - 1023;
	bits = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1023 << 52;
	memcpy(&x, &bits, sizeof(x));
	if (x > 1.41421356237309504880) {
		x /= 2;
		exponent++;
	}
	/*
	 * log x = 2 atanh s = 2 (s + s (z/3 + z^2/5 + ...)), z = s^2, and
	 * |s| < 0.1716: 11 terms reach 1e-17. In pairs, which do not wait for
	 * each other as Horner's terms do.
	 */
	s = (x - 1) / (x + 1);
	z = s * s;
	z2 = z * z;
	z4 = z2 * z2;
	low = (1.0 / 3 + z * (1.0 / 5)) + z2 * (1.0 / 7 + z * (1.0 / 9));
	high = (1.0 / 11 + z * (1.0 / 13)) + z2 * (1.0 / 15 + z * (1.0 / 17)) +
	       z4 * ((1.0 / 19 + z * (1.0 / 21)) + z2 * (1.0 / 23));
	return exponent * LN2 + 2 * (s + s * z * (low + z4 * high));
}

/* exp(-y), y in [0, 700]. */
static double exp_minus(double y)
{
	int halvings = (int)(y / LN2 + 0.5);
	double r = halvings * LN2 - y, sum = 1, scale;
	uint64_t bits = (uint64_t)(1023 - halvings) << 52;

	for (int k = 17; k >= 1; k--)
		sum = 1 + sum * r / k;
	memcpy(&scale, &bits, sizeof(scale));
	return sum * scale;
}

double prof_one_minus_exp(double y)
{
	double sum = 1;

	if (y > 700)
		return 1;
	if (y > 0.5)
		return 1 - exp_minus(y);
	/* y (1 - y/2 (1 - y/3 (1 - ...))): no cancellation near 0. */
	for (int k = 16; k >= 2; k--)
		sum = 1 - y / k * sum;
	return y * sum;
}

/* log(1 - 2^-lg), lg >= 1. */
static double log_of_miss(unsigned lg)
{
	double p = 1.0 / (double)((uint64_t)1 << lg), power = p, sum = 0;

	if (lg <= 4)
		return prof_log(1 - p);
	for (int k = 1; k <= 13; k++) {
		sum -= power / k;
		power *= p;
	}
	return sum;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

__attribute__((cold)) void random_boot(void)
{
	const void *kernel_seed = (const void *)getauxval(AT_RANDOM);
	struct timespec now = {0};
	int kept_errno = errno;

	if (opt.prof_seed) {
		for (unsigned i = 0; i < 4; i++)
			secret[i] = mix(opt.prof_seed * 4 + i);
		return;
	}
	/* Never blocks: early in the machine's boot the rest has to do. */
	if (syscall(SYS_getrandom, secret, sizeof(secret), 1) !=
		    (long)sizeof(secret) &&
	    kernel_seed)
		memcpy(secret, kernel_seed, 16);
	vdso_clock(CLOCK_MONOTONIC, &now);
	secret[2] ^= mix((uint64_t)now.tv_nsec);
	secret[3] ^= mix((uint64_t)getpid());
	errno = kept_errno;
}

void random_seed(uint64_t state[4], uint64_t stream)
{
	for (unsigned i = 0; i < 4; i++)
		state[i] = mix(secret[i] ^
			       mix(stream * 4 + i + 0x9e3779b97f4a7c15));
	if (!(state[0] | state[1] | state[2] | state[3]))
		state[0] = 1;
}

static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t random_next(uint64_t state[4])
{
	uint64_t result = rotate(state[1] * 5, 7) * 9;
	uint64_t t = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotate(state[3], 45);
	return result;
}

/* The same, kept; of many writers each writes the same. */
static double kept_log_of_miss(unsigned lg)
{
	static uint64_t kept[PROF_LG_SAMPLE_MAX + 1];
	uint64_t bits = __atomic_load_n(&kept[lg], __ATOMIC_RELAXED);
	double value;

	if (bits == 0) {
		value = log_of_miss(lg);
		memcpy(&bits, &value, sizeof(bits));
		__atomic_store_n(&kept[lg], bits, __ATOMIC_RELAXED);
	}
	memcpy(&value, &bits, sizeof(value));
	return value;
}

int64_t random_interval(uint64_t state[4], unsigned lg_sample)
{
	static const double most = (double)((uint64_t)1 << 62);
	double u, interval;

	if (lg_sample == 0)
		return 0;
	if (lg_sample > PROF_LG_SAMPLE_MAX)
		lg_sample = PROF_LG_SAMPLE_MAX;
	/* In (0, 1), symmetric, so that the logarithm is finite. */
	u = ((double)(random_next(state) >> 11) + 0.5) * 0x1p-53;
	interval = prof_log(u) / kept_log_of_miss(lg_sample);
	return interval < most ? (int64_t)interval : (int64_t)1 << 62;
}

double random_odds(double bytes, unsigned lg_sample)
{
	if (lg_sample == 0)
		return prof_one_minus_exp(bytes);
	if (lg_sample > PROF_LG_SAMPLE_MAX)
		lg_sample = PROF_LG_SAMPLE_MAX;
	return prof_one_minus_exp(-bytes * kept_log_of_miss(lg_sample));
}
