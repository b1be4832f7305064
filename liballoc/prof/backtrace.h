/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The call stack of an allocation, as the program sees it: from the caller of
 * malloc on, without the allocator's own frames.
 */
#ifndef LIBALLOC_PROF_BACKTRACE_H
#define LIBALLOC_PROF_BACKTRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/prof/unwind/arch.h"
#include "liballoc/prof/unwind/memo.h"
#include "liballoc/prof/unwind/memory.h"

#define BACKTRACE_MAX 128u
/* Frames of the allocator itself that a walk may begin with. */
#define BACKTRACE_OWN 16u

/* Once: finds out which code is the allocator's. */
void backtrace_boot(void);

/*
 * Return addresses, leaf first, at most max and BACKTRACE_MAX; how many. from:
 * of a frame that is still there (unwind_capture()); own and memo are the
 * thread's own; memo may be NULL. *truncated: there were more.
 * Async-signal-safe.
 */
unsigned backtrace_from(const struct unwind_registers *from,
			uint64_t frames[BACKTRACE_MAX], unsigned max,
			struct own_stack *own, struct walk_memo *memo,
			bool *truncated);

/*
 * The same from within a hook of the program's: cuts off all up to the last
 * frame of the allocator, the hook's too. Nothing is remembered.
 */
unsigned backtrace_hooked(uint64_t frames[BACKTRACE_MAX], unsigned max);

/* The same for those who hold locks, or report an error: takes none. */
unsigned backtrace_peek(uint64_t frames[BACKTRACE_MAX], unsigned max);

#endif
