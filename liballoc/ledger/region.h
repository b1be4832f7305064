/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger's region, shared by the files of this folder: where it is and
 * how its sections lie. Nobody outside the folder includes this.
 */
#ifndef LIBALLOC_LEDGER_REGION_H
#define LIBALLOC_LEDGER_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "liballoc/ledger/ledger.h"

#define LEDGER_CLASS_CAPACITY 256u
/* The smallest region that holds a row or more of everything. */
#define LEDGER_MIN_BYTES ((size_t)512 << 10)
#define LEDGER_MAX_BYTES ((size_t)64 << 30)
#define LEDGER_THREAD_WORDS (LEDGER_THREAD_STRIDE / sizeof(uint64_t))

/* What only writers want of a thread's row, beside the section. */
struct thread_side {
	uint32_t holds; /* counts that refer to the row */
	uint32_t next;	/* in the list of free rows; 0 ends it */
};

/* Lays the sections out in region_bytes; returns the bytes they take. */
size_t ledger_lay_out(struct ledger_header *header, size_t region_bytes);
/* As many as there are rows in LEDGER_THREADS. */
struct thread_side *ledger_thread_sides(void);
void ledger_threads_boot(void);
void ledger_threads_postfork_child(uint32_t own_row, int os_tid);

/*
 * Before any row is written: nothing has room yet; or, in a region that is
 * writable as a whole, all has.
 */
void ledger_room_boot(bool is_all);
/* Makes a thread's row writable, and its side; false where it cannot be. */
bool ledger_make_thread_room(uint32_t row);

/*
 * The whole row, by any thread; false where it was passing to another thread
 * meanwhile, and the copy is worth nothing.
 */
bool ledger_thread_copy(uint32_t row, uint64_t words[LEDGER_THREAD_WORDS]);

#endif
