/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From frame to frame: by the rules that are known as long as they go, else
 * by interpreting the call frame information, which makes a rule known.
 */
#include "config.h"

#include <string.h>

#include "liballoc/prof/unload.h"

#include "liballoc/prof/unwind/cfi.h"
#include "liballoc/prof/unwind/find.h"
#include "liballoc/prof/unwind/rules.h"
#include "liballoc/prof/unwind/table_pages.h"
#include "liballoc/prof/unwind/unwind.h"

/* A frame pointer further off than this is taken for something else. */
#define MOST_FRAME_BYTES (UINT64_C(1) << 20)
/* So often may a stack go on at a lower place. */
#define MOST_DESCENTS 4u

void unwind_ready(struct unwind *unwind, struct own_stack *own)
{
	const uint64_t *reg = unwind->registers.reg;

	unwind_memory_start(&unwind->memory, reg[UNWIND_SP], own);
	unwind->first_sp = reg[UNWIND_SP];
	unwind->first_fp = reg[UNWIND_FP];
	unwind->first_pc = reg[UNWIND_PC];
	unwind->memo = NULL;
	unwind->unheard_pc = 0;
	unwind->steps = unwind->descents = 0;
	unwind->exact = true;
	unwind->has_first = unwind->stale = unwind->precise = false;
}

static uint64_t lookup_pc(const struct unwind *unwind)
{
	return unwind_address(unwind) - 1;
}

/* What the known rules follow, and where on the stack it stood. */
struct frame {
	uint64_t sp, fp, pc;
	const uint64_t *pc_at, *fp_at; /* fp_at: NULL where fp was kept */
	uint32_t seen;		       /* the rules that led here, or'ed */
};

typedef uint64_t stack_word __attribute__((aligned(1), may_alias));

/* A word that is known to lie on the thread's own stack. */
static inline const uint64_t *place_of(uint64_t address)
{
	return (const uint64_t *)(uintptr_t)address;
}

static inline uint64_t word_at(const uint64_t *place)
{
	return *(const stack_word *)(const void *)place;
}

/*
 * On to the caller by a rule that is not RULE_OUTERMOST. False, and nothing
 * changed, where the frame is not within the thread's own stack.
 */
static inline bool step_by_rule(struct frame *frame, uint32_t rule,
				const struct stack_bounds *stack)
{
	uint64_t base = RULE_KIND(rule) == RULE_SP ? frame->sp : frame->fp;
	uint64_t cfa = base + RULE_OFFSET(rule);
	const uint64_t *fp_at;
	bool saves_fp = RULE_SAVES_FP(rule);

#if defined(__aarch64__)
	if (cfa <= frame->sp || cfa > stack->high ||
	    RULE_SLOT(rule) > cfa - stack->low)
		return false;
	fp_at = place_of(cfa - RULE_SLOT(rule));
	frame->pc_at = fp_at + saves_fp;
	frame->pc = unwind_strip(word_at(frame->pc_at));
#else
	if (RULE_KIND(rule) == RULE_INDIRECT) {
		uint64_t place = frame->fp - RULE_OFFSET(rule);

		if (place < frame->sp || frame->fp < place ||
		    frame->fp > stack->high - 8)
			return false;
		cfa = word_at(place_of(place));
	}
	if (cfa <= frame->sp || cfa > stack->high ||
	    8 + RULE_SLOT(rule) > cfa - stack->low)
		return false;
	fp_at = place_of(cfa - 8 - RULE_SLOT(rule));
	if (RULE_KIND(rule) == RULE_INDIRECT) {
		fp_at = place_of(frame->fp);
		saves_fp = true;
	}
	frame->pc_at = place_of(cfa - 8);
	frame->pc = word_at(frame->pc_at);
#endif
	frame->fp = saves_fp ? word_at(fp_at) : frame->fp;
	frame->fp_at = saves_fp ? fp_at : NULL;
	frame->sp = cfa;
	return true;
}

/* Frames of a walk that may be put before those of a memo that it came to. */
#define FRESH_FRAMES 24u
#define NOWHERE UINT32_MAX

/*
 * What walk_known() goes by, beside the frame: that is apart from it, since
 * each frame waits for what the last one left there.
 */
struct walk {
	struct stack_bounds stack;
	struct walk_memo *memo;	 /* to follow; NULL: none */
	struct memo_frame *down; /* to take frames down; NULL: none */
	unsigned down_count, down_room;
	bool down_ended;
	unsigned next;	 /* of memo: the first frame not below */
	unsigned joined; /* the memo's frame that led to its end, or NOWHERE */
	unsigned followed;
	bool ended;
};

/* It must be of this stack, and of code that is still there. */
static bool holds(const struct walk_memo *memo, uint64_t age, uint64_t high)
{
	return memo->age == age && memo->high == high && !memo->worn;
}

static void begin_memo(struct walk_memo *memo, const struct unwind *unwind,
		       uint64_t age)
{
	memo->age = age;
	memo->high = unwind->memory.stack.high;
	memo->count = 0;
	memo->complete = memo->stuck = memo->worn = false;
}

/* fresh: room to take the frames down that come before the memo's. */
static struct walk begin_walk(const struct unwind *unwind,
			      struct memo_frame fresh[FRESH_FRAMES])
{
	struct walk_memo *memo = unwind->memo;
	uint64_t age = rule_age();
	struct walk walk = {
		.stack = unwind->memory.stack,
		.joined = NOWHERE,
	};

	if (!memo)
		return walk;
	memo->last = false;
	/* What stands on another stack may be gone when it is compared. */
	if (!unwind->memory.own)
		return walk;
	if (holds(memo, age, walk.stack.high)) {
		walk.memo = memo;
		walk.down = fresh;
		walk.down_room = FRESH_FRAMES;
	} else if (unwind->steps == 0) {
		begin_memo(memo, unwind, age);
		walk.down = memo->frames;
		walk.down_room = WALK_MEMO_FRAMES;
	}
	return walk;
}

static inline bool has_room(struct walk *walk)
{
	walk->down_ended = walk->down_count == walk->down_room;
	return !walk->down_ended;
}

/* Takes down the frame that rule led to. */
static inline void take_down(struct walk *walk, const struct frame *frame,
			     uint32_t rule)
{
	/* What an indirect CFA was read from would have to be kept as well. */
	if (RULE_KIND(rule) == RULE_INDIRECT) {
		walk->down_ended = true;
		return;
	}
	if (!has_room(walk))
		return;
	walk->down[walk->down_count++] = (struct memo_frame){
		.sp = frame->sp,
		.fp = frame->fp,
		.pc_word = word_at(frame->pc_at),
		.pc_at = frame->pc_at,
		.fp_at = frame->fp_at,
		.by_fp = RULE_KIND(rule) == RULE_FP,
	};
}

/*
 * Says of the memo's first frames, up to one whose fp_counts is known, whether
 * their frame pointers count, and whether that does which the walk began with.
 */
static void trace_fp(struct walk_memo *memo, unsigned count)
{
	struct memo_frame *at = memo->frames + count;
	bool counts = at[-1].fp_counts;

	while (at-- > memo->frames) {
		at->fp_counts = counts;
		memo->has_fp_words |= counts && at->fp_at;
		counts = at->by_fp || (!at->fp_at && counts);
	}
	memo->fp_counts = counts;
}

static inline uint64_t pc_change(const struct memo_frame *at)
{
	return word_at(at->pc_at) ^ at->pc_word;
}

static inline bool has_other_pc(const struct memo_frame *frame)
{
	return pc_change(frame) != 0;
}

static inline bool has_other_fp(const struct memo_frame *frame)
{
	return frame->fp_counts && frame->fp_at &&
	       word_at(frame->fp_at) != frame->fp;
}

/* The same frame, as far as what leads on from it goes? */
static inline bool is_at(const struct frame *frame, const struct memo_frame *at)
{
	return at->sp == frame->sp && unwind_strip(at->pc_word) == frame->pc &&
	       (!at->fp_counts || at->fp == frame->fp);
}

/*
 * The memo led from its frame at first to that at last, but no further: what
 * it has of them is taken down with the others.
 */
static __attribute__((noinline)) void leave_memo(struct walk *walk,
						 unsigned first, unsigned last)
{
	uint64_t fp = walk->down[walk->down_count - 1].fp;

	walk->joined = NOWHERE;
	while (++first <= last && has_room(walk)) {
		struct memo_frame *to = &walk->down[walk->down_count++];

		*to = walk->memo->frames[first];
		/* Where it does not count it may have been another one. */
		fp = to->fp_at ? word_at(to->fp_at) : fp;
		to->fp = fp;
	}
}

/*
 * Where the frame is one of the memo's, on along it for as long as the stack
 * has not changed, by max frames at most; how far.
 */
static inline unsigned follow(struct walk *walk, struct frame *frame,
			      uint64_t *addresses, unsigned max)
{
	const struct walk_memo *memo = walk->memo;
	const struct memo_frame *end = memo->frames + memo->count;
	const struct memo_frame *at = memo->frames + walk->next;
	const uint64_t *fp_at = NULL;
	unsigned n = 0;

	while (at < end && at->sp < frame->sp)
		at++;
	walk->next = (unsigned)(at - memo->frames);
	if (at == end || !is_at(frame, at))
		return 0;
	walk->joined = walk->next;
	while (n < max && at + 1 < end && !has_other_pc(at + 1) &&
	       !has_other_fp(at + 1)) {
		at++;
		addresses[n++] = unwind_strip(at->pc_word);
		fp_at = at->fp_at ? at->fp_at : fp_at;
	}
	frame->sp = at->sp;
	frame->fp = fp_at ? word_at(fp_at) : frame->fp;
	frame->pc = unwind_strip(at->pc_word);
	walk->next = (unsigned)(at - memo->frames) + 1;
	walk->ended = at + 1 == end && memo->complete;
	walk->followed += n;
	if (!walk->ended && !walk->down_ended)
		leave_memo(walk, walk->joined, walk->next - 1);
	return n;
}

/* By a rule; false where there is none that applies, or no caller. */
static inline bool step_known(struct walk *walk, struct frame *frame,
			      uint64_t key, uint64_t mask)
{
	uint32_t rule = rule_find(key, mask);

	if (rule == RULE_NONE)
		return false;
	if (rule == RULE_OUTERMOST) {
		walk->ended = true;
		return false;
	}
	if (!step_by_rule(frame, rule, &walk->stack))
		return false;
	frame->seen |= rule;
	if (__builtin_expect(frame->pc == 0, 0)) {
		walk->ended = true;
		return false;
	}
	if (walk->down && !walk->down_ended)
		take_down(walk, frame, rule);
	return true;
}

/*
 * Puts what was taken down in place of the memo's frames up to where it came
 * to them. False where that did not lead to the end, or there is no room.
 */
static bool splice(struct walk *walk)
{
	struct walk_memo *memo = walk->memo;
	unsigned fresh = walk->down_count, from = walk->joined + 1;
	unsigned kept = memo->count - from;

	if (walk->down_ended || walk->joined == NOWHERE ||
	    fresh + kept > WALK_MEMO_FRAMES)
		return false;
	walk->down[fresh - 1].fp_counts = memo->frames[walk->joined].fp_counts;
	if (fresh != from)
		memmove(memo->frames + fresh, memo->frames + from,
			kept * sizeof(memo->frames[0]));
	memcpy(memo->frames, walk->down, fresh * sizeof(memo->frames[0]));
	memo->count = fresh + kept;
	trace_fp(memo, fresh);
	return true;
}

/* What was taken down is the memo now. */
static void finish_memo(struct walk_memo *memo, const struct walk *walk,
			uint64_t last_pc)
{
	struct memo_frame *end = memo->frames + walk->down_count;

	memo->count = walk->down_count;
	/* The word that is 0 at the end of some stacks is not kept. */
	memo->complete = memo->last = walk->ended && last_pc != 0 &&
				      walk->down_count && !walk->down_ended;
	memo->stuck = !memo->complete && (walk->ended || walk->down_ended);
	if (!memo->count)
		return;
	end[-1].fp_counts = !memo->complete;
	memo->has_fp_words = false;
	trace_fp(memo, memo->count);
}

/*
 * A walk that kept to the memo as far as that goes, and came to the end of the
 * stack beyond it, by rules that became known since: taken down, the next one
 * is complete.
 */
static bool can_be_completed(const struct walk *walk)
{
	const struct walk_memo *memo = walk->memo;

	return walk->ended && !memo->complete && !memo->stuck;
}

/*
 * After a walk of n frames, of which the first was where it began; last_pc: 0
 * where that is how the stack ended.
 */
static void keep_memo(struct walk *walk, const struct unwind *unwind,
		      unsigned n, uint64_t last_pc)
{
	struct walk_memo *memo = unwind->memo;

	if (walk->memo) {
		memo->last = splice(walk);
		memo->worn = !memo->last &&
			     (memo->complete || can_be_completed(walk) ||
			      walk->followed < n / 2);
	} else {
		finish_memo(memo, walk, last_pc);
	}
	memo->sp = unwind->first_sp;
	memo->fp = unwind->first_fp;
	memo->pc = unwind->first_pc;
}

/* As far as rules are known; *ended: that was all of the stack. */
static unsigned walk_known(struct unwind *unwind, uint64_t *addresses,
			   unsigned max, bool *ended)
{
	uint64_t mask = __atomic_load_n(&rule_cache_mask, __ATOMIC_RELAXED);
	uint64_t key = rule_key(lookup_pc(unwind));
	uint64_t *reg = unwind->registers.reg;
	struct memo_frame fresh[FRESH_FRAMES];
	struct walk walk = begin_walk(unwind, fresh);
	struct frame frame = {.sp = reg[UNWIND_SP],
			      .fp = reg[UNWIND_FP],
			      .pc = reg[UNWIND_PC]};
	unsigned n = 0;

	if (frame.sp < walk.stack.low || frame.sp >= walk.stack.high)
		return 0;
	while (n < max && step_known(&walk, &frame, key, mask)) {
		addresses[n++] = frame.pc;
		if (walk.memo)
			n += follow(&walk, &frame, addresses + n, max - n);
		if (walk.ended)
			break;
		key = frame.pc >> RULE_LG_CODE;
	}
	*ended = walk.ended;
	if (unwind->memo && unwind->memory.own && unwind->steps == 0)
		keep_memo(&walk, unwind, n, frame.pc);
	if (n == 0)
		return 0;
	reg[UNWIND_SP] = frame.sp;
	reg[UNWIND_FP] = frame.fp;
	reg[UNWIND_PC] = frame.pc;
	unwind->exact = false;
	unwind->stale |= walk.followed || (frame.seen & RULE_OTHERS);
	unwind->steps += n;
	return n;
}

/* Compared all at once: no word waits for another, nor for a jump. */
static inline bool any_other_pc(const struct memo_frame *at, unsigned count)
{
	uint64_t changed = 0;

	for (; count >= 4; count -= 4, at += 4)
		changed |= pc_change(at) | pc_change(at + 1) |
			   pc_change(at + 2) | pc_change(at + 3);
	for (; count; count--, at++)
		changed |= pc_change(at);
	return changed != 0;
}

bool unwind_is_again(const struct unwind_registers *registers,
		     const struct stack_bounds *known,
		     const struct walk_memo *memo)
{
	const uint64_t *reg = registers->reg;
	const struct memo_frame *at = memo->frames, *end = at + memo->count;

	if (!memo->last || reg[UNWIND_SP] != memo->sp ||
	    reg[UNWIND_PC] != memo->pc ||
	    (memo->fp_counts && reg[UNWIND_FP] != memo->fp) ||
	    reg[UNWIND_SP] < known->low ||
	    !holds(memo, rule_age(), known->high))
		return false;
	if (any_other_pc(at, memo->count))
		return false;
	if (memo->has_fp_words)
		for (; at < end; at++)
			if (has_other_fp(at))
				return false;
	return true;
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

/*
 * Stacks grow down, so callers' frames lie higher, and a leaf may have no
 * frame. Only a signal may have come on another stack; or a function that went
 * on to another one, and keeps where it was in a register.
 */
static bool leads_up(struct unwind *unwind, const struct cfi_row *row,
		     uint64_t sp, uint64_t cfa)
{
	if (cfa > sp || (cfa == sp && unwind->exact))
		return true;
	return cfa < sp && !row->cfa_expression &&
	       row->cfa_register != UNWIND_SP &&
	       unwind->descents++ < MOST_DESCENTS;
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
	if (!fde->signal_frame && !leads_up(unwind, row, sp, cfa))
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
	if (fde->tables && unload_never_comes(fde->image.map))
		table_pages_note(fde->tables, fde->instructions.end,
				 fde->segment_end);
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
	unwind->descents = 0;
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
