/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TAP for unit tests: the plan first, so that a crash is seen as missing
 * tests. Allocates nothing, so that tests of the allocator can use it.
 *
 *	int main(void)
 *	{
 *		plan(2);
 *		ok(1 + 1 == 2, "addition of %d", 1);
 *		is_uint(f(), 7, "f counts to seven");
 *		return done_testing();
 *	}
 */
#ifndef TESTS_TAP_TAP_H
#define TESTS_TAP_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned tap_planned, tap_run, tap_failed;

static inline void tap_line(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

__attribute__((format(printf, 1, 0))) static inline void
tap_write(const char *format, va_list args)
{
	char line[1024];
	int n = vsnprintf(line, sizeof(line), format, args);

	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	if (n > 0 && write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(99);
}

static inline void tap_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_write(format, args);
	va_end(args);
}

/* Announces how many tests follow. */
static inline void plan(unsigned count)
{
	tap_planned = count;
	tap_line("1..%u\n", count);
}

/* Announces that the whole program is skipped, and why; return its value. */
static inline int skip_all(const char *why)
{
	tap_line("1..0 # SKIP %s\n", why);
	return 0;
}

/* One test: passes where good is true. Returns good. */
__attribute__((format(printf, 2, 3))) static inline bool
ok(bool good, const char *format, ...)
{
	va_list args;

	tap_run++;
	tap_failed += !good;
	tap_line("%s %u - ", good ? "ok" : "not ok", tap_run);
	va_start(args, format);
	tap_write(format, args);
	va_end(args);
	tap_line("\n");
	return good;
}

/* One test that this machine cannot run. */
static inline void skip(const char *what, const char *why)
{
	tap_run++;
	tap_line("ok %u - %s # SKIP %s\n", tap_run, what, why);
}

static inline bool is_uint(uint64_t got, uint64_t want, const char *what)
{
	bool good = ok(got == want, "%s", what);

	if (!good)
		tap_line("# got %" PRIu64 ", want %" PRIu64 "\n", got, want);
	return good;
}

static inline bool is_int(int64_t got, int64_t want, const char *what)
{
	bool good = ok(got == want, "%s", what);

	if (!good)
		tap_line("# got %" PRId64 ", want %" PRId64 "\n", got, want);
	return good;
}

static inline bool is_string(const char *got, const char *want,
			     const char *what)
{
	bool same = got && want ? strcmp(got, want) == 0 : got == want;
	bool good = ok(same, "%s", what);

	if (!good)
		tap_line("# got \"%s\", want \"%s\"\n", got ? got : "(null)",
			 want ? want : "(null)");
	return good;
}

/* Passes where got lies within slack of want. */
static inline bool is_near(double got, double want, double slack,
			   const char *what)
{
	bool good = ok(got >= want - slack && got <= want + slack, "%s", what);

	if (!good)
		tap_line("# got %g, want %g +- %g\n", got, want, slack);
	return good;
}

/* The exit status for main: 0 where all planned tests ran and passed. */
static inline int done_testing(void)
{
	if (tap_run != tap_planned)
		tap_line("# planned %u tests, ran %u\n", tap_planned, tap_run);
	return tap_failed || tap_run != tap_planned;
}

#endif
