/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From frame to frame. Rules are looked up afresh for each frame, between
 * find_fde() and cfi_apply(): a cache of compiled rules goes there.
 */
#include "config.h"

#include "liballoc/prof/unwind/cfi.h"
#include "liballoc/prof/unwind/find.h"
#include "liballoc/prof/unwind/unwind.h"

/* A frame pointer further off than this is taken for something else. */
#define MOST_FRAME_BYTES (UINT64_C(1) << 20)

void unwind_ready(struct unwind *unwind, struct stack_bounds *bounds)
{
	unwind_memory_start(&unwind->memory, unwind->registers.reg[UNWIND_SP],
			    bounds);
	unwind->exact = true;
}

static uint64_t lookup_pc(const struct unwind *unwind)
{
	return unwind_address(unwind) - 1;
}

/* By call frame information; false where there is none that holds. */
static bool step_by_cfi(struct unwind *unwind, const struct fde *fde,
			uint64_t pc)
{
	uint64_t sp = unwind->registers.reg[UNWIND_SP], cfa;
	struct cfi_row row;

	if (!cfi_row_at(fde, pc, &row))
		return false;
	/* A call overwrites the link register, so who called has saved it. */
	if (!unwind->exact && row.rules[UNWIND_PC].kind == CFI_SAME)
		return false;
	if (!cfi_apply(fde, &row, &unwind->memory, &unwind->registers, &cfa))
		return false;
	/*
	 * Stacks grow down, so callers' frames lie higher; only a signal may
	 * have come on another stack, and a leaf may have no frame.
	 */
	if (!fde->signal_frame && (cfa < sp || (cfa == sp && !unwind->exact)))
		return false;
	unwind->exact = fde->signal_frame;
	return true;
}

#if defined(__aarch64__)
/* mov x8, #139 (rt_sigreturn); svc #0 */
static const uint32_t sigreturn_code[] = {0xd2801168, 0xd4000001};

/*
 * The kernel's trampoline has no CFI there. It leaves struct rt_sigframe at
 * sp: 128 bytes of siginfo, then ucontext, whose sigcontext is at 176.
 */
static bool step_by_sigframe(struct unwind *unwind)
{
	uint64_t pc = unwind->registers.reg[UNWIND_PC];
	uint64_t context = unwind->registers.reg[UNWIND_SP] + 128 + 176 + 8;
	uint32_t code[2];

	if (!unwind_read(&unwind->memory, pc, code, sizeof(code)) ||
	    code[0] != sigreturn_code[0] || code[1] != sigreturn_code[1])
		return false;
	/* x0 to x30, sp and pc lie as our registers do. */
	for (unsigned i = 0; i < UNWIND_REGISTERS; i++)
		if (!unwind_read(&unwind->memory, context + 8 * i,
				 &unwind->registers.reg[i], 8))
			return false;
	unwind->exact = true;
	return true;
}
#else
static bool step_by_sigframe(struct unwind *unwind)
{
	(void)unwind;
	return false;
}
#endif

/*
 * By the frame pointer, for code without tables. It is believed only where
 * it leads to a frame above, whose caller is code that has tables.
 */
static bool step_by_frame_pointer(struct unwind *unwind)
{
	uint64_t *reg = unwind->registers.reg;
	uint64_t fp = reg[UNWIND_FP], saved[2];
	struct fde fde;

	if (fp < reg[UNWIND_SP] || fp % 8 != 0 ||
	    fp - reg[UNWIND_SP] > MOST_FRAME_BYTES ||
	    !unwind_read(&unwind->memory, fp, &saved[0], 8) ||
	    !unwind_read(&unwind->memory, fp + 8, &saved[1], 8))
		return false;
	saved[1] = unwind_strip(saved[1]);
	if (!find_fde(saved[1] - 1, &fde))
		return false;
	reg[UNWIND_FP] = saved[0];
	reg[UNWIND_SP] = fp + 16;
	reg[UNWIND_PC] = saved[1];
	unwind->exact = false;
	return true;
}

bool unwind_next(struct unwind *unwind)
{
	uint64_t pc = lookup_pc(unwind);
	struct fde fde;
	bool stepped;

	if (find_fde(pc, &fde))
		stepped = step_by_cfi(unwind, &fde, pc);
	else
		stepped = step_by_sigframe(unwind) ||
			  step_by_frame_pointer(unwind);
	return stepped && unwind->registers.reg[UNWIND_PC] != 0;
}
