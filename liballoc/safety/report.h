/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells of a program's error in its use of memory: what, where, whose object,
 * and the call stacks that are known; then ends the process. Takes no lock and
 * allocates nothing, so it may be called with any lock held, and from signal
 * handlers. Goes to standard error alone.
 */
#ifndef LIBALLOC_SAFETY_REPORT_H
#define LIBALLOC_SAFETY_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "liballoc/ctl/print.h"

#define REPORT_FRAMES 64u

/*
 * "liballoc: WHAT ADDRESS", what the heap knows of the address, the stack of
 * its allocation where it is a sample, the caller's stack; then abort().
 */
_Noreturn void report_error(const char *what, const void *address);

/* The pieces: a report is a print to standard error. */
void report_start(struct print *out, const char *what, uintptr_t address);
/* title and a line for each frame: its number, address, file and offset. */
void report_stack(struct print *out, const char *title, const uint64_t *frames,
		  unsigned count);

/*
 * Only one thread reports; others that come here wait for the process to end.
 * A thread that fails while it reports aborts.
 */
void report_claim(void);

#endif
