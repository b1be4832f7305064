/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's last walk that was taken down: its frames with the words of the
 * stack that led from each to the next. A later walk that comes to one of these
 * frames goes on as that one did for as long as those words are unchanged; and
 * words can be compared without waiting for one another, as walking from frame
 * to frame must.
 *
 * Most code keeps data in the frame pointer, which is another each time: it
 * counts only where a frame further up is found by it.
 */
#ifndef LIBALLOC_PROF_UNWIND_MEMO_H
#define LIBALLOC_PROF_UNWIND_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#define WALK_MEMO_FRAMES 144u

/* A frame as its callee's rule made it, and the words to tell it by. */
struct memo_frame {
	uint64_t sp, fp;
	uint64_t pc_word;      /* as on the stack: aarch64 may sign it */
	const uint64_t *pc_at; /* where that stands */
	const uint64_t *fp_at; /* where fp does; NULL: it is the callee's */
	bool by_fp;	       /* the callee's frame pointer led to it */
	bool fp_counts;	       /* its own leads on */
};

/* All 0: nothing was taken down. Used by its own thread alone. */
struct walk_memo {
	uint64_t age;	     /* rule_age() then: if it changed, all is void */
	uint64_t high;	     /* of the thread's stack */
	uint64_t sp, fp, pc; /* where the walk began */
	bool fp_counts;	     /* of fp there */
	bool has_fp_words;   /* of some frames fp counts, and was saved */
	uint32_t count;	     /* of frames, leaf first */
	bool complete;	     /* the last is the outermost */
	bool stuck;	     /* it is not, and no walk could bring it there */
	bool worn;	     /* it is of no more use: take the next walk down */
	bool last;	     /* no walk has come since that it is not of */
	struct memo_frame frames[WALK_MEMO_FRAMES];
};

#endif
