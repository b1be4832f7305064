/* SPDX-License-Identifier: BSD-2-Clause */
/* The near clock beside the clock, before and after its rate is known. */
#include "config.h"

#include "liballoc/heap/os.h"
#include "liballoc/prof/near_clock.h"
#include "tap/tap.h"

/* Long enough for any counter's rate to be measured. */
#define READINGS_NS UINT64_C(1500000000)
#define PAUSES 64u

/* At least as long, by the clock. */
static void pass(uint64_t ns)
{
	uint64_t start = os_clock_ns();

	while (os_clock_ns() - start < ns)
		;
}

/* How far it is from a clock that is read before and after it. */
static uint64_t error_ns(struct near_clock *clock)
{
	uint64_t before = os_clock_ns(), near = near_clock_ns(clock);
	uint64_t after = os_clock_ns();

	if (near < before)
		return before - near;
	return near > after ? near - after : 0;
}

static void check_errors(void)
{
	uint64_t start = os_clock_ns(), worst = 0, error;
	struct near_clock clock = {0};
	unsigned i = 0;

	while (os_clock_ns() - start < READINGS_NS) {
		error = error_ns(&clock);
		worst = error > worst ? error : worst;
		pass(i++ % PAUSES * 100);
	}
	ok(worst <= NEAR_CLOCK_NS, "it is off by no more than %llu ns",
	   (unsigned long long)worst);
}

/* A reading that is not near makes a new one. */
static void check_pauses(void)
{
	struct near_clock clock = {0};
	uint64_t last = near_clock_ns(&clock), passed;
	bool good = true;

	for (unsigned i = 0; i < 1000; i++) {
		pass(2 * NEAR_CLOCK_NS);
		passed = near_clock_ns(&clock) - last;
		last += passed;
		good = good && passed >= NEAR_CLOCK_NS && clock.ns == last;
	}
	ok(good, "what is not near is read");
}

int main(void)
{
	plan(2);
	check_errors();
	check_pauses();
	return done_testing();
}
