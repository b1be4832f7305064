/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers as people read and write them: IEC sizes, percentages, durations.
 * Independent of the locale as long as LC_NUMERIC is left alone.
 */
#ifndef LIBJEHEAP_BASE_NUMBER_H
#define LIBJEHEAP_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/str.h"

#define NUMBER_BYTES 32

/*
 * Each formats into buffer (at least NUMBER_BYTES) and returns it; not finite
 * gives "-".
 * bytes: "0 B", "512 B", "1.50 KiB", "-23.4 MiB": three digits or so.
 * count: "1234567", rounded; short: "950", "1.23M".
 * percent: "12.3%"; "<0.1%" never: "0.05%"; of 0 in 0: "0%"; of anything else
 * in 0: "-".
 * duration: "850 ns", "12.3 ms", "4.56 s", "2m 05s", "3h 12m", "2d 03h".
 */
char *format_bytes(char *buffer, double bytes);
char *format_count(char *buffer, double count);
char *format_count_short(char *buffer, double count);
char *format_percent(char *buffer, double part, double whole);
char *format_duration_ns(char *buffer, uint64_t ns);

/*
 * Each takes the whole text, and is false where it is no such number or does
 * not fit. size: "512", "64k", "1.5MiB", "2 GB" (KB = KiB = 1024); double: a
 * finite decimal number; uint: decimal digits.
 */
bool parse_size(const char *text, uint64_t *bytes);
bool parse_double(const char *text, double *value);
bool parse_uint(const char *text, uint64_t *value);

#endif
