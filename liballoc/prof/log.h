/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of sampled objects that were freed (opt.prof_log, prof.log_start,
 * prof.log_stop): who allocated and freed each, where and when, in jemalloc's
 * JSON with the mappings added. Kept in metadata memory, no more than
 * opt.prof_ledger_bytes; what comes beyond is counted, not kept. Stacks are
 * rows of the ledger, so prof.reset forgets what was logged so far.
 */
#ifndef LIBALLOC_PROF_LOG_H
#define LIBALLOC_PROF_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/heap/lock.h"
#include "liballoc/heap/os.h"

/* A free, as the tables know it: threads and stacks are rows of the ledger. */
struct logged {
	uint64_t usable_bytes;
	uint64_t allocated_ns, freed_ns; /* CLOCK_MONOTONIC */
	uint32_t allocated_by, freed_by;
	uint32_t allocated_at, freed_at; /* TABLES_NONE: not known */
};

/* Starts one where opt.prof_log is set. */
void log_boot(void);
/*
 * path: NULL for the next name by the prefix; copied. 0 or an errno: there is
 * a log under way, or no name for it. No lock held.
 */
int log_start(const char *path);
/* Writes what was logged. 0 or an errno: no log is under way, or the file's. */
int log_stop(void);
/* At exit: the same, where one is under way. */
void log_exit(void);

/* For those who would else take a stack for nothing. */
extern bool log_on HEAP_HIDDEN;
static inline bool log_is_on(void)
{
	return __atomic_load_n(&log_on, __ATOMIC_RELAXED);
}
/* Holding the shard of the object. */
void log_add(const struct logged *free);
/* All samples are forgotten. */
void log_reset(void);

void log_prefork(void);
void log_postfork_parent(void);
/* The child has a log of its own, where opt.prof_log is set, and else none. */
void log_postfork_child(void);

#endif
