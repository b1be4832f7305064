/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks by frame pointers alone, for programs that keep them throughout: a
 * frame costs two loads, and no table is looked at.
 */
#ifndef LIBALLOC_PROF_UNWIND_FRAMED_H
#define LIBALLOC_PROF_UNWIND_FRAMED_H

#include "liballoc/prof/unwind/unwind.h"

/*
 * From the frame that unwind is at on by max callers at most: their return
 * addresses. Returns how many there were; ends where the frame pointer does
 * not lead further up the thread's stack, as below the function that a program
 * or a thread begins with. On another stack it walks by the tables.
 */
unsigned unwind_walk_framed(struct unwind *unwind, uint64_t *addresses,
			    unsigned max);

#endif
