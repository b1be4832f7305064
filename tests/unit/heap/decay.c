/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decay curve on a clock of our own: all may stay at first, half at half
 * the time, nothing after the whole; never and at once.
 */
#include "config.h"

#include "tap/tap.h"

#include "liballoc/heap/decay.h"

#define MS UINT64_C(1000000)

static struct decay decay;

/* The share of 1 GB, freed at time 0, that may stay after ms, step by step. */
static double share_after(uint64_t ms)
{
	size_t left = 1000000000, limit;
	uint64_t now;

	decay_set(&decay, 10000, 0);
	for (now = 50; now <= ms; now += 50) {
		limit = decay_limit(&decay, now * MS, left);
		if (limit < left)
			left = limit;
	}
	return (double)left / 1e9;
}

static void test_curve(void)
{
	double last = 1;
	bool falls = true;
	uint64_t ms;

	is_near(share_after(0), 1, 0, "all stays at first");
	is_near(share_after(500), 0.9988, 0.002, "nearly all after a 20th");
	is_near(share_after(5000), 0.5, 0.02, "half at half the time");
	is_near(share_after(9000), 0.00856, 0.004, "little after nine tenths");
	is_near(share_after(10050), 0, 0, "nothing after the whole");
	for (ms = 250; ms <= 10000; ms += 250) {
		double now = share_after(ms);

		falls = falls && now <= last;
		last = now;
	}
	ok(falls, "the curve never rises");
}

static void test_jump(void)
{
	decay_set(&decay, 10000, 0);
	ok(decay_limit(&decay, 60 * MS, 1 << 20) >= 1040000,
	   "freed a moment ago: all stays");
	is_uint(decay_limit(&decay, 20000 * MS, 1 << 20), 0,
		"a long sleep later nothing may stay");
}

static void test_special(void)
{
	ok(decay_set(&decay, -1, 0), "-1 is a decay time");
	is_uint(decay_limit(&decay, UINT64_MAX / 2, 1), SIZE_MAX, "never");
	ok(decay_set(&decay, 0, 0), "so is 0");
	is_uint(decay_limit(&decay, 1, 1), 0, "at once");
	ok(!decay_set(&decay, -2, 0), "-2 is none");
	ok(!decay_set(&decay, INT64_MAX, 0), "nor is what overflows");
	ok(decay_set(&decay, 1, 0), "one millisecond");
	is_uint(decay_limit(&decay, 2 * MS, 100), 0, "is soon over");
}

int main(void)
{
	plan(16);
	test_curve();
	test_jump();
	test_special();
	return done_testing();
}
