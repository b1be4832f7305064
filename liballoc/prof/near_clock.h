/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CLOCK_MONOTONIC for those who read it again and again: within a few
 * microseconds of a reading the processor's counter tells the time, in less
 * than half of what the clock takes. That is off by nanoseconds, and by no more
 * than NEAR_CLOCK_NS where the counters of two CPUs differ; so of two times the
 * later may be the smaller. Takes no lock.
 */
#ifndef LIBALLOC_PROF_NEAR_CLOCK_H
#define LIBALLOC_PROF_NEAR_CLOCK_H

#include <stdint.h>

#define NEAR_CLOCK_NS 4096u

/* What one thread has read; all 0: nothing yet. */
struct near_clock {
	uint64_t ticks, ns; /* the counter, and the clock just after */
	uint64_t first_ticks, first_ns; /* where it began to measure the rate */
};

uint64_t near_clock_ns(struct near_clock *clock);

#endif
