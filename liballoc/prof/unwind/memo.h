/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's last walk that was taken down: its frames with the words of the
 * stack that led from each to the next. A later walk that comes to the same
 * stack pointer, frame pointer and pc goes on as that one did for as long as
 * those words are unchanged; and words can be compared without waiting for one
 * another, as walking from frame to frame must.
 */
#ifndef LIBALLOC_PROF_UNWIND_MEMO_H
#define LIBALLOC_PROF_UNWIND_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#define WALK_MEMO_FRAMES 144u

/* A frame as its callee's rule made it. */
struct memo_frame {
	uint64_t sp, fp;
	uint64_t pc_word;      /* as on the stack: aarch64 may sign it */
	const uint64_t *pc_at; /* where that stands */
	const uint64_t *fp_at; /* where fp stands; fp above: it was kept */
};

/* All 0: nothing was taken down. Used by its own thread alone. */
struct walk_memo {
	uint64_t age;	/* rule_age() then: if it changed, all is void */
	uint64_t high;	/* of the thread's stack */
	uint32_t count; /* of frames, leaf first */
	bool complete;	/* the last is the outermost */
	bool worn;	/* few walks follow it any more: take the next down */
	struct memo_frame frames[WALK_MEMO_FRAMES];
};

#endif
