/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time by the processor's counter. Owns its rate, which is measured once,
 * between two readings that nothing came between; never waits for anything.
 */
#include "config.h"

#include "liballoc/prof/near_clock.h"

#include "liballoc/heap/os.h"

#define LG_UNIT 32 /* rates are in 2^-32 ns a tick */
/* Other rates are none that a counter has. */
#define LEAST_RATE ((UINT64_C(1) << LG_UNIT) / 8)
#define MOST_RATE (UINT64_C(100) << LG_UNIT)
/* So many ticks make a rate.. */
#define RATE_TICKS (UINT64_C(1) << 23)
/* .. within so long: the counter may go on while the clock stands still. */
#define RATE_NS UINT64_C(1000000000)
/* Both are read within so many, or something came between. */
#define READING_TICKS (RATE_TICKS / 4096)

/* The rate is there where the other is not 0. */
static uint64_t rate, near_ticks;

static uint64_t counter(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
	return 0;
#endif
}

/* Of many threads each sets nearly the same, one of both or both. */
static void set_rate(uint64_t measured)
{
	if (measured < LEAST_RATE || measured > MOST_RATE)
		return;
	__atomic_store_n(&rate, measured, __ATOMIC_RELAXED);
	__atomic_store_n(&near_ticks,
			 ((uint64_t)NEAR_CLOCK_NS << LG_UNIT) / measured,
			 __ATOMIC_RELEASE);
}

/* The clock was read as ns just after the counter as ticks. */
static void measure(struct near_clock *clock, uint64_t ticks, uint64_t ns)
{
	if (counter() - ticks > READING_TICKS)
		return;
	if (clock->first_ns && ns - clock->first_ns <= RATE_NS) {
		if (ticks - clock->first_ticks < RATE_TICKS)
			return;
		set_rate(((ns - clock->first_ns) << LG_UNIT) /
			 (ticks - clock->first_ticks));
	}
	clock->first_ticks = ticks;
	clock->first_ns = ns;
}

uint64_t near_clock_ns(struct near_clock *clock)
{
	uint64_t near = __atomic_load_n(&near_ticks, __ATOMIC_ACQUIRE);
	uint64_t ticks = counter(), passed = ticks - clock->ticks;

	if (passed < near)
		return clock->ns +
		       (passed * __atomic_load_n(&rate, __ATOMIC_RELAXED) >>
			LG_UNIT);
	clock->ns = os_clock_ns();
	clock->ticks = ticks;
	if (!near)
		measure(clock, ticks, clock->ns);
	return clock->ns;
}
