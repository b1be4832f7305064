/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which unwinding tables walks have read. They are pages of the program's and
 * its libraries' files, 64 KiB at a touch, and what was found in them is kept
 * as rules: so they are let go now and then, and read anew where need be.
 */
#ifndef LIBALLOC_PROF_UNWIND_TABLE_PAGES_H
#define LIBALLOC_PROF_UNWIND_TABLE_PAGES_H

#include <stdbool.h>
#include <stdint.h>

/* Were any read since they were let go? Relaxed atomic. */
extern bool table_pages_read;

/*
 * The tables that begin at low were read, and nothing of them at high or above;
 * end: of the segment, which is not written to, and whose file is never
 * unloaded. Async-signal-safe.
 */
void table_pages_note(const uint8_t *low, const uint8_t *high,
		      const uint8_t *end);

/* Lets go what was read, unless that was done a moment ago. Keeps errno. */
void table_pages_let_go(void);

/* For housekeeping: the same, and nothing where nothing was read. */
static inline void table_pages_look(void)
{
	if (__atomic_load_n(&table_pages_read, __ATOMIC_RELAXED))
		table_pages_let_go();
}

#endif
