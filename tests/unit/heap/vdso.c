/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's clock tells what libc's tells: found or not, and for clocks that
 * do not exist.
 */
#include "config.h"

#include <stdint.h>
#include <sys/auxv.h>

#include "tap/tap.h"

#include "liballoc/heap/vdso.h"

static int64_t nanoseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void test_between(clockid_t id, const char *name)
{
	struct timespec before, now = {0}, after;

	clock_gettime(id, &before);
	vdso_clock(id, &now);
	clock_gettime(id, &after);
	ok(nanoseconds(before) <= nanoseconds(now) &&
		   nanoseconds(now) <= nanoseconds(after),
	   "%s lies between libc's before and after", name);
}

static void test_clocks(void)
{
	test_between(CLOCK_MONOTONIC, "the exact clock");
	test_between(CLOCK_MONOTONIC_COARSE, "the coarse clock");
	test_between(CLOCK_REALTIME, "the time of day");
	/* Which the image leaves to a system call. */
	test_between(CLOCK_THREAD_CPUTIME_ID, "the thread's own time");
}

static void test_no_clock(void)
{
	struct timespec now = {.tv_sec = 7};

	vdso_clock(1000, &now);
	is_int(now.tv_sec, 7, "a clock that does not exist tells nothing");
}

int main(void)
{
	plan(10);
	test_clocks();
	ok(vdso_boot() || !getauxval(AT_SYSINFO_EHDR),
	   "the clock is found wherever the kernel has an image");
	test_clocks();
	test_no_clock();
	return 0;
}
