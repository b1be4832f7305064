/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the calling thread's stack. Takes no lock, allocates nothing, is
 * async-signal-safe, and stops cleanly where it cannot go on: at the stack's
 * end, at code without unwind tables whose frame pointer does not hold, at
 * garbage.
 *
 *	struct unwind u;
 *
 *	unwind_start(&u, &own);
 *	while (unwind_next(&u))
 *		use(unwind_address(&u));
 */
#ifndef LIBALLOC_PROF_UNWIND_UNWIND_H
#define LIBALLOC_PROF_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/prof/unwind/arch.h"
#include "liballoc/prof/unwind/memo.h"
#include "liballoc/prof/unwind/memory.h"

/*
 * Where the rule of each frame is known, only the stack pointer, the frame
 * pointer and the pc are followed. Where a frame needs another register after
 * all, the walk is done again from its start, with all of them.
 */
struct unwind {
	struct unwind_registers registers;
	struct unwind_registers first; /* where has_first: as at the start */
	uint64_t first_sp, first_fp, first_pc;
	struct unwind_memory memory;
	struct walk_memo *memo; /* the thread's; NULL, as at first: none */
	uint64_t unheard_pc; /* its library's end would go unheard; 0: none */
	unsigned steps;
	unsigned descents; /* to callers whose frames lie lower */
	bool exact;	   /* the pc is of the instruction, not after a call */
	bool has_first;
	bool stale;   /* registers but those three are not the frame's */
	bool precise; /* all registers are followed */
};

/* At the calling function's own frame. own: the thread's stack, or NULL. */
#define unwind_start(unwind, own)                                              \
 do {                                                                          \
  unwind_capture(&(unwind)->registers);                                        \
  unwind_ready(unwind, own);                                                   \
 } while (0)

void unwind_ready(struct unwind *unwind, struct own_stack *own);

/*
 * Is all of the stack, from the frame that registers are of, what it was when
 * the last walk with this memo began? known: of the thread's own stack. Never
 * so on another one.
 */
bool unwind_is_again(const struct unwind_registers *registers,
		     const struct stack_bounds *known,
		     const struct walk_memo *memo);

/* On to the caller; false at the end, and then the state means nothing. */
bool unwind_next(struct unwind *unwind);

/*
 * On by max callers at most: what unwind_address() is at each. Returns how
 * many there were; fewer than max: the end.
 */
unsigned unwind_walk(struct unwind *unwind, uint64_t *addresses, unsigned max);

/*
 * To the frame where the walk is, from its start, following all registers
 * from now on; false where it does not get there.
 */
bool unwind_walk_again(struct unwind *unwind);

/*
 * The frame as a return address: address - 1 lies in the instruction that was
 * being executed, in frames that a signal interrupted too.
 */
static inline uint64_t unwind_address(const struct unwind *unwind)
{
	return unwind->registers.reg[UNWIND_PC] + unwind->exact;
}

#endif
