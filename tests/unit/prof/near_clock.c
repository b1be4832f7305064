/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The near clock beside the clock, before and after its rate is known, and for
 * which samples it is used.
 */
#include "config.h"

#include <stdlib.h>

#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/prof/near_clock.h"
#include "tap/tap.h"

/* Long enough for any counter's rate to be measured. */
#define READINGS_NS UINT64_C(1500000000)
#define PAUSES 64u
/* Of which some are samples: all of them together are 100 MB, and 64 MiB. */
#define SMALL_OBJECTS 100000u
#define LARGE_OBJECTS 64u

const char *malloc_conf = "lg_prof_sample:19";

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

/* Whose samples are seldom reads the clock itself, which leaves no reading. */
static void check_use(void)
{
	const struct near_clock *clock = &thread_get()->prof.clock;

	for (unsigned i = 0; i < SMALL_OBJECTS; i++)
		free(malloc(1000));
	is_uint(clock->ns, 0, "not for small objects at 2^19");
	for (unsigned i = 0; i < LARGE_OBJECTS; i++)
		free(malloc((size_t)1 << 20));
	ok(clock->ns != 0, "but for those that most are sampled of");
}

int main(void)
{
	plan(4);
	check_errors();
	check_pauses();
	check_use();
	return done_testing();
}
