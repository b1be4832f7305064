/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers as people read and write them: IEC sizes, percentages, durations.
 */
#ifndef LIBJEHEAP_BASE_NUMBER_H
#define LIBJEHEAP_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/str.h"

#define NUMBER_BYTES 32

/*
 * Formats into buffer (at least NUMBER_BYTES) and returns it.
 * bytes: "0 B", "512 B", "1.50 KiB", "-23.4 MiB": three digits or so.
 * count: "1234567"; with short_count "1.23M".
 * percent: "12.3%", "<0.1%" never: "0.05%"; of 0 in 0: "0%".
 */
char *format_bytes(char *buffer, double bytes);
char *format_count(char *buffer, double count);
char *format_percent(char *buffer, double part, double whole);
char *format_duration_ns(char *buffer, uint64_t ns);

/* "512", "64k", "1.5MiB", "2 GB" (KB = KiB = 1024): false where it is none. */
bool parse_size(const char *text, uint64_t *bytes);
bool parse_double(const char *text, double *value);
bool parse_uint(const char *text, uint64_t *value);

#endif
