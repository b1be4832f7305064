/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From frame to frame: by the rules that are known as long as they go, else
 * by interpreting the call frame information, which makes a rule known.
 */
#include "config.h"

#include "liballoc/prof/unload.h"

#include "liballoc/prof/unwind/cfi.h"
#include "liballoc/prof/unwind/find.h"
#include "liballoc/prof/unwind/rules.h"
#include "liballoc/prof/unwind/unwind.h"

/* A frame pointer further off than this is taken for something else. */
#define MOST_FRAME_BYTES (UINT64_C(1) << 20)

void unwind_ready(struct unwind *unwind, struct stack_bounds *bounds)
{
	const uint64_t *reg = unwind->registers.reg;

	unwind_memory_start(&unwind->memory, reg[UNWIND_SP], bounds);
	unwind->first_sp = reg[UNWIND_SP];
	unwind->first_fp = reg[UNWIND_FP];
	unwind->first_pc = reg[UNWIND_PC];
	unwind->unheard_pc = 0;
	unwind->steps = 0;
	unwind->exact = true;
	unwind->has_first = unwind->stale = unwind->precise = false;
}

static uint64_t lookup_pc(const struct unwind *unwind)
{
	return unwind_address(unwind) - 1;
}

/* What the known rules follow. */
struct frame {
	uint64_t sp, fp, pc;
};

/* Reads a word that lies below limit, and at or above the stack's low end. */
static inline uint64_t word_at(uint64_t address)
{
	uint64_t value;

	memcpy(&value, (const void *)(uintptr_t)address, sizeof(value));
	return value;
}

/*
 * On to the caller by a rule that is not RULE_OUTERMOST. False, and nothing
 * changed, where the frame is not within the thread's own stack.
 */
static inline bool step_by_rule(struct frame *frame, uint32_t rule,
				const struct stack_bounds *stack)
{
	uint64_t base = RULE_KIND(rule) == RULE_SP ? frame->sp : frame->fp;
	uint64_t cfa = base + RULE_OFFSET(rule), fp;

#if !defined(__aarch64__)
	if (RULE_KIND(rule) == RULE_INDIRECT) {
		uint64_t place = frame->fp - RULE_OFFSET(rule);

		if (place < frame->sp || frame->fp < place ||
		    frame->fp > stack->high - 8)
			return false;
		cfa = word_at(place);
	}
#endif
	if (cfa <= frame->sp || cfa > stack->high)
		return false;
#if defined(__aarch64__)
	if (cfa - RULE_SLOT(rule) - stack->low >= cfa - stack->low)
		return false;
	fp = word_at(cfa - RULE_SLOT(rule));
	frame->pc = unwind_strip(
		word_at(cfa - RULE_SLOT(rule) + RULE_SAVES_FP(rule) * 8));
	frame->fp = RULE_SAVES_FP(rule) ? fp : frame->fp;
#else
	if (RULE_KIND(rule) == RULE_INDIRECT)
		fp = word_at(frame->fp);
	else
		fp = word_at(cfa - 8 - RULE_SLOT(rule));
	frame->pc = word_at(cfa - 8);
	frame->fp = RULE_KIND(rule) == RULE_INDIRECT || RULE_SAVES_FP(rule)
			    ? fp
			    : frame->fp;
#endif
	frame->sp = cfa;
	return true;
}

/* As far as rules are known; *ended: that was all of the stack. */
static unsigned walk_known(struct unwind *unwind, uint64_t *addresses,
			   unsigned max, bool *ended)
{
	uint64_t mask = __atomic_load_n(&rule_cache_mask, __ATOMIC_RELAXED);
	uint64_t *reg = unwind->registers.reg;
	struct stack_bounds stack = unwind->memory.stack;
	struct frame frame = {reg[UNWIND_SP], reg[UNWIND_FP], reg[UNWIND_PC]};
	uint64_t key = rule_key(lookup_pc(unwind));
	uint32_t seen = 0;
	unsigned n = 0;

	if (frame.sp < stack.low || frame.sp >= stack.high)
		return 0;
	while (n < max) {
		uint32_t rule = rule_find(key, mask);

		if (rule == RULE_NONE)
			break;
		if (rule == RULE_OUTERMOST) {
			*ended = true;
			break;
		}
		if (!step_by_rule(&frame, rule, &stack))
			break;
		if (frame.pc == 0) {
			*ended = true;
			break;
		}
		seen |= rule;
		addresses[n++] = frame.pc;
		key = frame.pc >> RULE_LG_CODE;
	}
	if (n == 0)
		return 0;
	reg[UNWIND_SP] = frame.sp;
	reg[UNWIND_FP] = frame.fp;
	reg[UNWIND_PC] = frame.pc;
	unwind->exact = false;
	unwind->stale |= (seen & RULE_OTHERS) != 0;
	unwind->steps += n;
	return n;
}

/* Needs no register but those that known rules follow? */
static bool is_simple(const struct cfi_row *row)
{
	return !row->cfa_expression &&
	       (row->cfa_register == UNWIND_SP ||
		row->cfa_register == UNWIND_FP) &&
	       row->rules[UNWIND_PC].kind <= CFI_OFFSET &&
	       row->rules[UNWIND_FP].kind <= CFI_OFFSET;
}

/* By call frame information; false where there is none that holds. */
static bool step_by_cfi(struct unwind *unwind, const struct fde *fde,
			const struct cfi_row *row)
{
	uint64_t sp = unwind->registers.reg[UNWIND_SP], cfa;

	/* A call overwrites the link register, so who called has saved it. */
	if (!unwind->exact && row->rules[UNWIND_PC].kind == CFI_SAME)
		return false;
	if (!cfi_apply(fde, row, &unwind->memory, &unwind->registers, &cfa))
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

/* The rule of pc is from here on known, if it can be. */
static void learn(struct unwind *unwind, uint64_t pc, uint64_t age,
		  const struct fde *fde, const struct cfi_row *row)
{
	if (unload_is_heard(fde->image.map))
		rule_keep(rule_key(pc), rule_compile(fde, row), age);
	else
		unwind->unheard_pc = pc;
}

static void keep_first(struct unwind *unwind)
{
	uint64_t *reg = unwind->first.reg;

	if (unwind->has_first)
		return;
	/* Nothing but these has changed by known rules. */
	unwind->first = unwind->registers;
	reg[UNWIND_SP] = unwind->first_sp;
	reg[UNWIND_FP] = unwind->first_fp;
	reg[UNWIND_PC] = unwind->first_pc;
	unwind->has_first = true;
}

/* *lost: the frame needs a register that was not followed. */
static bool step_by_tables(struct unwind *unwind, bool *lost)
{
	uint64_t pc = lookup_pc(unwind), age = rule_age();
	struct cfi_row row;
	struct fde fde;
	bool stepped;

	if (find_fde(pc, &fde)) {
		if (!cfi_row_at(&fde, pc, &row))
			return false;
		*lost = unwind->stale && !is_simple(&row);
		if (*lost)
			return false;
		learn(unwind, pc, age, &fde, &row);
		stepped = step_by_cfi(unwind, &fde, &row);
	} else {
		stepped = step_by_sigframe(unwind) ||
			  step_by_frame_pointer(unwind);
	}
	unwind->steps++;
	return stepped && unwind->registers.reg[UNWIND_PC] != 0;
}

bool unwind_walk_again(struct unwind *unwind)
{
	unsigned steps = unwind->steps;
	bool lost = false;

	keep_first(unwind);
	unwind->registers = unwind->first;
	unwind->exact = unwind->precise = true;
	unwind->stale = false;
	for (unwind->steps = 0; unwind->steps < steps;)
		if (!step_by_tables(unwind, &lost))
			return false;
	return true;
}

static bool step(struct unwind *unwind)
{
	bool lost = false;

	keep_first(unwind);
	if (step_by_tables(unwind, &lost))
		return true;
	return lost && unwind_walk_again(unwind) &&
	       step_by_tables(unwind, &lost);
}

unsigned unwind_walk(struct unwind *unwind, uint64_t *addresses, unsigned max)
{
	bool ended = false;
	unsigned n = 0;

	for (;;) {
		if (!unwind->precise)
			n += walk_known(unwind, addresses + n, max - n, &ended);
		if (n == max || ended || !step(unwind))
			return n;
		addresses[n++] = unwind_address(unwind);
	}
}

bool unwind_next(struct unwind *unwind)
{
	uint64_t address;

	return unwind_walk(unwind, &address, 1) == 1;
}
