/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatting and parsing of numbers. Rounds before it chooses the unit, so
 * that 1023.9 KiB reads "1.00 MiB" and never "1024 KiB". Prints nothing.
 */
#include "config.h"

#include "libjeheap/base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int decimals_for_three_digits(double magnitude)
{
	if (magnitude < 9.995)
		return 2;
	return magnitude < 99.95 ? 1 : 0;
}

/* Three digits, and the first of the units whose step is not reached. */
static char *format_scaled(char *buffer, double value, double step,
			   const char *const *units, size_t unit_count)
{
	double magnitude = fabs(value);
	size_t unit = 0;

	if (!isfinite(value))
		return strcpy(buffer, "-");
	while (magnitude >= step - 0.5 && unit + 1 < unit_count) {
		magnitude /= step;
		unit++;
	}
	if (magnitude >= 1e6)
		snprintf(buffer, NUMBER_BYTES, "%s%.3g%s", value < 0 ? "-" : "",
			 magnitude, units[unit]);
	else if (unit == 0)
		snprintf(buffer, NUMBER_BYTES, "%s%.0f%s",
			 value <= -0.5 ? "-" : "", magnitude, units[unit]);
	else
		snprintf(buffer, NUMBER_BYTES, "%s%.*f%s", value < 0 ? "-" : "",
			 decimals_for_three_digits(magnitude), magnitude,
			 units[unit]);
	return buffer;
}

char *format_bytes(char *buffer, double bytes)
{
	static const char *const units[] = {" B",   " KiB", " MiB", " GiB",
					    " TiB", " PiB", " EiB"};

	return format_scaled(buffer, bytes, 1024, units,
			     sizeof(units) / sizeof(*units));
}

char *format_count_short(char *buffer, double count)
{
	static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};

	return format_scaled(buffer, count, 1000, units,
			     sizeof(units) / sizeof(*units));
}

char *format_count(char *buffer, double count)
{
	if (!isfinite(count))
		return strcpy(buffer, "-");
	if (fabs(count) < 0.5)
		count = 0;
	if (fabs(count) < 1e20)
		snprintf(buffer, NUMBER_BYTES, "%.0f", count);
	else
		snprintf(buffer, NUMBER_BYTES, "%.6g", count);
	return buffer;
}

char *format_percent(char *buffer, double part, double whole)
{
	double percent = part == 0 ? 0 : part / whole * 100;
	double magnitude = fabs(percent);

	if (!isfinite(percent))
		return strcpy(buffer, "-");
	if (magnitude == 0)
		return strcpy(buffer, "0%");
	if (magnitude >= 1e6 || magnitude < 1e-6)
		snprintf(buffer, NUMBER_BYTES, "%.1e%%", percent);
	else if (magnitude >= 99.95)
		snprintf(buffer, NUMBER_BYTES, "%.0f%%", percent);
	else if (magnitude >= 0.095)
		snprintf(buffer, NUMBER_BYTES, "%.1f%%", percent);
	else /* the first digit that is not 0 */
		snprintf(buffer, NUMBER_BYTES, "%.*f%%",
			 (int)ceil(-log10(magnitude * 1.05)), percent);
	return buffer;
}

/* Two whole units, "2m 05s"; the larger one is `step` of the smaller. */
static char *format_two_units(char *buffer, uint64_t smaller, unsigned step,
			      const char *large, const char *small)
{
	snprintf(buffer, NUMBER_BYTES, "%llu%s %02u%s",
		 (unsigned long long)(smaller / step), large,
		 (unsigned)(smaller % step), small);
	return buffer;
}

char *format_duration_ns(char *buffer, uint64_t ns)
{
	static const char *const units[] = {" ns", " us", " ms", " s"};
	uint64_t seconds = ns / 1000000000 + (ns % 1000000000 >= 500000000);

	if (seconds < 60)
		return format_scaled(buffer, (double)ns, 1000, units, 4);
	if (seconds < 3600)
		return format_two_units(buffer, seconds, 60, "m", "s");
	if (seconds < 86400)
		return format_two_units(buffer, seconds / 60, 60, "h", "m");
	return format_two_units(buffer, seconds / 3600, 24, "d", "h");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, at least one, from *text on. */
static bool take_digits(const char **text, uint64_t *value)
{
	const char *p = *text;

	for (*value = 0; is_digit(*p); p++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*p - '0'), value))
			return false;
	}
	if (p == *text)
		return false;
	*text = p;
	return true;
}

bool parse_uint(const char *text, uint64_t *value)
{
	uint64_t parsed;

	if (!take_digits(&text, &parsed) || *text)
		return false;
	*value = parsed;
	return true;
}

bool parse_double(const char *text, double *value)
{
	double parsed;
	char *end;

	/* strtod would also take blanks, hexadecimal, "inf" and "nan". */
	if (!*text || text[strspn(text, "0123456789.+-eE")])
		return false;
	parsed = strtod(text, &end);
	if (*end || end == text || !isfinite(parsed))
		return false;
	*value = parsed;
	return true;
}

/* "", "B", "k", "kB", "KiB" ...: the power of 1024; -1 where it is none. */
static int take_unit(const char *text)
{
	static const char letters[] = "kmgtpe";
	const char *letter;
	int power = 0;

	text += strspn(text, " ");
	letter = *text ? strchr(letters, *text | 0x20) : NULL;
	if (letter) {
		power = (int)(letter - letters) + 1;
		text++;
		if (*text == 'i' && (text[1] | 0x20) == 'b')
			text++;
	}
	if ((*text | 0x20) == 'b')
		text++;
	return *text ? -1 : power;
}

bool parse_size(const char *text, uint64_t *bytes)
{
	uint64_t whole;
	double fraction = 0, scale = 1;
	int power;

	if (!take_digits(&text, &whole))
		return false;
	if (*text == '.') {
		if (!is_digit(*++text))
			return false;
		for (; is_digit(*text); text++)
			fraction += (*text - '0') * (scale /= 10);
	}
	power = take_unit(text);
	if (power < 0 ||
	    __builtin_mul_overflow(whole, UINT64_C(1) << 10 * power, &whole))
		return false;
	/* fraction < 1, so that this is at most 2^60. */
	fraction = floor(fraction * (double)(UINT64_C(1) << 10 * power) + 0.5);
	return !__builtin_add_overflow(whole, (uint64_t)fraction, bytes);
}
