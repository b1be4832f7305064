/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a log consists of, between log.c, which keeps it, and log_write.c,
 * which writes it.
 */
#ifndef LIBALLOC_PROF_LOG_RECORD_H
#define LIBALLOC_PROF_LOG_RECORD_H

#include <stdint.h>

#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/log.h"

#define LOG_CHUNK_RECORDS 408u /* a chunk has 16 KiB */

struct log_record {
	uint64_t usable_bytes;
	uint64_t allocated_ns, freed_ns;
	uint32_t allocated_by, freed_by; /* which of the threads */
	uint32_t allocated_at, freed_at; /* rows in LEDGER_STACKS, or NONE */
};

struct log_chunk {
	struct log_chunk *next;
	uint32_t count;
	struct log_record records[LOG_CHUNK_RECORDS];
};

struct log_thread {
	struct log_thread *next;
	struct log_thread *chain; /* of its bucket */
	uint64_t uid;
	uint32_t index;
	char name[LEDGER_THREAD_NAME_BYTES];
};

/* In order of time; threads in that of their first record. */
struct log {
	struct log_chunk *chunks, *last_chunk;
	struct log_thread *threads, *last_thread;
	uint32_t thread_count;
	uint64_t bytes;	  /* of metadata */
	uint64_t dropped; /* frees that found no room */
	uint64_t start_ns;
};

/*
 * Writes it to path; asked_for as in writer.h. 0 or an errno. Holding the dump
 * lock, and no other.
 */
int log_write(const struct log *log, const char *path, bool asked_for);

#endif
