/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How jestat shows readings: rows as vmstat has them, tables of size classes
 * and arenas, JSON Lines, CSV. Writes to stdout; its caller flushes.
 */
#ifndef JESTAT_PRINT_H
#define JESTAT_PRINT_H

#include "jestat/reading.h"

struct print_options {
	/* Tables rather than rows; several: one after the other. */
	bool bins, arenas, histograms;
	bool json, csv;
	bool bytes;	/* plain bytes rather than IEC units */
	bool timestamp; /* a column for the time of day */
};

/* Prints one reading, after a header where `number`, from 0, calls for one. */
void print_reading(const struct reading *now, const struct reading *before,
		   const struct print_options *options, uint64_t number);

void print_json_reading(const struct reading *now, const struct reading *before,
			const struct print_options *options);
void print_bins(const struct reading *now, const struct reading *before,
		const struct print_options *options);
void print_arenas(const struct reading *now,
		  const struct print_options *options);
void print_histograms(const struct reading *now,
		      const struct print_options *options);
/* Bytes as the options want them; into buffer, which is returned. */
char *print_size(char *buffer, const struct print_options *options,
		 double bytes);
/* "2026-01-31T12:00:00.123Z"; at least 32 bytes. */
char *format_utc(char *buffer, uint64_t time_ns);

#endif
