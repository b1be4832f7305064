/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers: how they print at the edges of units, and what is taken as one. */
#include "config.h"

#include "libjeheap/base/number.h"

#include <math.h>
#include <stdlib.h>

#include "tap/tap.h"

struct formatted {
	double value;
	const char *text;
};

static const struct formatted byte_counts[] = {
	{0, "0 B"},
	{-0.2, "0 B"},
	{512, "512 B"},
	{1023, "1023 B"},
	{1023.6, "1.00 KiB"},
	{1024, "1.00 KiB"},
	{1536, "1.50 KiB"},
	{-1536, "-1.50 KiB"},
	{10235, "10.0 KiB"},
	{102395, "100 KiB"},
	{1048064, "1.00 MiB"},
	{-24536678.4, "-23.4 MiB"},
	{1.5 * 1024 * 1024 * 1024, "1.50 GiB"},
	{18446744073709551615.0, "16.0 EiB"},
	{1e300, "8.67e+281 EiB"},
	{INFINITY, "-"},
};

static const struct formatted counts[] = {
	{0, "0"},     {-0.4, "0"},     {1234567, "1234567"},
	{-3.5, "-4"}, {1e25, "1e+25"}, {NAN, "-"},
};

static const struct formatted short_counts[] = {
	{950, "950"},
	{999.6, "1.00k"},
	{1234567, "1.23M"},
	{-5e9, "-5.00G"},
};

static const struct formatted percents[] = {
	{0, "0%"},	  {12.345, "12.3%"},  {0.05, "0.05%"},
	{0.1, "0.1%"},	  {0.094, "0.09%"},   {0.0012, "0.001%"},
	{99.94, "99.9%"}, {99.96, "100%"},    {250.4, "250%"},
	{-7, "-7.0%"},	  {1e-9, "1.0e-09%"}, {0.0099, "0.01%"},
};

static void test_format(const struct formatted *rows, size_t count,
			char *format(char *, double), const char *what)
{
	char buffer[NUMBER_BYTES], name[64];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s of %g", what, rows[i].value);
		is_string(format(buffer, rows[i].value), rows[i].text, name);
	}
}

static char *percent_of_100(char *buffer, double part)
{
	return format_percent(buffer, part, 100);
}

static void test_durations(void)
{
	char b[NUMBER_BYTES];

	is_string(format_duration_ns(b, 850), "850 ns", "nanoseconds");
	is_string(format_duration_ns(b, 12340000), "12.3 ms", "milliseconds");
	is_string(format_duration_ns(b, 59499999999), "59.5 s", "seconds");
	is_string(format_duration_ns(b, 59600000000), "1m 00s", "a minute");
	is_string(format_duration_ns(b, 125000000000), "2m 05s", "minutes");
	is_string(format_duration_ns(b, UINT64_C(11520000000000)), "3h 12m",
		  "hours");
	is_string(format_duration_ns(b, UINT64_C(183600000000000)), "2d 03h",
		  "days");
}

struct parsed_size {
	const char *text;
	bool good;
	uint64_t bytes;
};

static const struct parsed_size sizes[] = {
	{"0", true, 0},
	{"512", true, 512},
	{"512B", true, 512},
	{"64k", true, 65536},
	{"64K", true, 65536},
	{"64KB", true, 65536},
	{"64KiB", true, 65536},
	{"1.5MiB", true, 1572864},
	{"2 GB", true, UINT64_C(2) << 30},
	{"0.1", true, 0},
	{"18446744073709551615", true, UINT64_MAX},
	{"18446744073709551616", false, 0},
	{"15E", true, UINT64_C(15) << 60},
	{"16E", false, 0},
	{"15.9999999999999999999E", false, 0},
	{"", false, 0},
	{"-1", false, 0},
	{" 1", false, 0},
	{"1.", false, 0},
	{".5M", false, 0},
	{"1Ki", false, 0},
	{"1 x", false, 0},
	{"1MBs", false, 0},
	{"0x10", false, 0},
};

static void test_sizes(void)
{
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint64_t bytes = 77;
		bool good = parse_size(sizes[i].text, &bytes);

		ok(good == sizes[i].good && (!good || bytes == sizes[i].bytes),
		   "parse_size(\"%s\")", sizes[i].text);
	}
}

static void test_numbers(void)
{
	uint64_t n = 5;
	double d = 5;

	ok(parse_uint("007", &n) && n == 7, "leading zeros");
	ok(parse_uint("18446744073709551615", &n) && n == UINT64_MAX, "most");
	ok(!parse_uint("18446744073709551616", &n) && n == UINT64_MAX,
	   "one more does not fit, and leaves the value alone");
	ok(!parse_uint("", &n) && !parse_uint("1 ", &n) &&
		   !parse_uint("-1", &n) && !parse_uint("1e3", &n),
	   "not whole numbers");
	ok(parse_double("-2.5e-3", &d) && d == -2.5e-3, "a double");
	ok(!parse_double("", &d) && !parse_double("nan", &d) &&
		   !parse_double("inf", &d) && !parse_double("0x1p3", &d) &&
		   !parse_double(" 1", &d) && !parse_double("1e999", &d) &&
		   !parse_double("1-2", &d) && d == -2.5e-3,
	   "not numbers");
}

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

int main(void)
{
	char b[NUMBER_BYTES];

	plan(COUNT(byte_counts) + COUNT(counts) + COUNT(short_counts) +
	     COUNT(percents) + 2 + 7 + COUNT(sizes) + 6);
	test_format(byte_counts, COUNT(byte_counts), format_bytes, "bytes");
	test_format(counts, COUNT(counts), format_count, "count");
	test_format(short_counts, COUNT(short_counts), format_count_short,
		    "short count");
	test_format(percents, COUNT(percents), percent_of_100, "percent");
	is_string(format_percent(b, 0, 0), "0%", "nothing of nothing");
	is_string(format_percent(b, 1, 0), "-", "something of nothing");
	test_durations();
	test_sizes();
	test_numbers();
	return done_testing();
}
