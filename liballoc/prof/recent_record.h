/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record of a recent allocation, between recent.c, which keeps them, and
 * recent_dump.c, which writes them.
 */
#ifndef LIBALLOC_PROF_RECENT_RECORD_H
#define LIBALLOC_PROF_RECENT_RECORD_H

#include <stddef.h>

#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/recent.h"

struct recent_thread {
	uint64_t uid;
	char name[LEDGER_THREAD_NAME_BYTES]; /* empty: not named */
};

struct recent_record {
	struct recent_record *newer;
	struct recent_record *chain; /* of its bucket, while it is in use */
	uint64_t address;
	uint64_t requested_bytes;
	uint64_t usable_bytes;
	uint64_t allocated_ns; /* CLOCK_MONOTONIC */
	uint64_t freed_ns;
	struct recent_thread allocated_by;
	struct recent_thread freed_by;
	uint32_t allocated_at; /* row in LEDGER_STACKS */
	uint32_t freed_at;     /* the same, or TABLES_NONE: not known */
	bool released;	       /* freed, or no longer watched */
};

/* How many there are at the moment. */
size_t recent_count(void);
/* Copies at most room records, by age; how many. max: what is in force. */
size_t recent_copy(struct recent_record *to, size_t room, ssize_t *max);

#endif
