/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a profile in jemalloc's format heap_v2, with extension lines that
 * begin with "# "; docs/profiling.md has the format line by line.
 */
#ifndef LIBALLOC_PROF_DUMP_H
#define LIBALLOC_PROF_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is in use, for the report of leaks. */
struct dump_totals {
	uint64_t bytes, objects; /* estimated */
	size_t contexts;	 /* stacks with a sample in use */
};

/*
 * Writes the profile to path; asked_for as in writer.h. at_peak: in use is what
 * was so at the last peak, and what was allocated by then is not known. 0 or an
 * errno. The caller holds the dump lock, and no other.
 */
int dump_write(const char *path, bool asked_for, bool at_peak);
/* The same of what a dump would tell; false: there is no memory. */
bool dump_sum(struct dump_totals *totals);

#endif
