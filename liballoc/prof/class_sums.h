/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampled objects of a size class, added up over the profiler's tables, for
 * mallctl prof.stats.*.
 */
#ifndef LIBALLOC_PROF_CLASS_SUMS_H
#define LIBALLOC_PROF_CLASS_SUMS_H

#include <stdint.h>

/* As jemalloc's prof_stats_t. */
struct class_sums {
	uint64_t requested_bytes;
	uint64_t count;
};

/* Of those in use, and of all since the start or the last reset. */
struct class_sums class_sums_live(unsigned size_class);
struct class_sums class_sums_all(unsigned size_class);

#endif
