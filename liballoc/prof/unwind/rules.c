/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiles rows to rules, and keeps the cache: sets of four words, few at
 * first, more when many rules are pushed out. Owns the cache; never asks
 * where code comes from.
 */
#include "config.h"

#include "liballoc/prof/unwind/rules.h"

uint64_t rule_cache[RULE_WAYS << RULE_LG_SETS_MAX]
	__attribute__((aligned(4096)));
uint64_t rule_cache_mask = (1u << RULE_LG_SETS_MIN) - 1;
static uint64_t age_now;
static uint32_t pushed_out; /* since the cache grew last */

static bool is_kept(const struct cfi_rule *rule)
{
	return rule->kind == CFI_SAME || rule->kind == CFI_UNDEFINED;
}

static bool others_change(const struct cfi_row *row)
{
	for (unsigned i = 0; i < UNWIND_PC; i++)
		if (i != UNWIND_FP && i != UNWIND_SP &&
#if defined(__aarch64__)
		    i != UNWIND_LR &&
#endif
		    !is_kept(&row->rules[i]))
			return true;
	return false;
}

/* The base of the CFA; RULE_NONE where it is another register. */
static uint32_t base_kind(const struct cfi_row *row)
{
	if (row->cfa_register == UNWIND_SP)
		return RULE_SP;
	return row->cfa_register == UNWIND_FP ? RULE_FP : RULE_NONE;
}

/* value is a positive multiple of unit, and below 2^lg_most. */
static bool fits(int64_t value, unsigned unit, unsigned lg_most)
{
	return value > 0 && value % unit == 0 && value < (int64_t)1 << lg_most;
}

static bool offset_fits(int64_t value)
{
	return fits(value, RULE_UNIT, RULE_LG_OFFSET);
}

#if defined(__aarch64__)
static uint32_t compile(const struct fde *fde, const struct cfi_row *row)
{
	const struct cfi_rule *fp = &row->rules[UNWIND_FP];
	const struct cfi_rule *pc = &row->rules[UNWIND_PC];
	uint32_t kind = base_kind(row), saves = fp->kind == CFI_OFFSET;
	int64_t slot = saves ? fp->value : pc->value;

	(void)fde;
	if (row->cfa_expression || kind == RULE_NONE ||
	    pc->kind != CFI_OFFSET || (!saves && !is_kept(fp)) ||
	    (saves && pc->value != fp->value + 8) ||
	    !offset_fits(row->cfa_offset) || !fits(-slot, 8, 13))
		return RULE_NONE;
	return kind | saves << 3 | (uint32_t)(-slot / 8) << RULE_LG_SLOT |
	       (uint32_t)row->cfa_offset;
}
#else
/* breg6 (the frame pointer) + *offset, and then the operation, if any. */
static bool is_at_fp(const uint8_t *block, const uint8_t *end,
		     unsigned operation, int64_t *offset)
{
	struct reader reader = {block, end, false};
	uint64_t bytes = read_uleb(&reader);

	if (bytes > (uint64_t)(reader.end - reader.at))
		return false;
	reader.end = reader.at + bytes;
	if (read_byte(&reader) != 0x70 + UNWIND_FP)
		return false;
	*offset = read_sleb(&reader);
	if (operation && read_byte(&reader) != operation)
		return false;
	return !reader.bad && reader.at == reader.end;
}

/*
 * A function that realigns its stack keeps the CFA itself below its frame
 * pointer, where the caller's frame pointer is.
 */
static uint32_t compile_indirect(const struct fde *fde,
				 const struct cfi_row *row)
{
	const uint8_t *end = fde->instructions.end;
	const struct cfi_rule *fp = &row->rules[UNWIND_FP];
	const unsigned deref = 0x06;
	int64_t offset, place;

	if (fp->kind != CFI_EXPRESSION ||
	    !is_at_fp((const uint8_t *)(uintptr_t)fp->value, end, 0, &place) ||
	    place != 0 || !is_at_fp(row->cfa_expression, end, deref, &offset) ||
	    !offset_fits(-offset))
		return RULE_NONE;
	return RULE_INDIRECT | (uint32_t)-offset;
}

static uint32_t compile(const struct fde *fde, const struct cfi_row *row)
{
	const struct cfi_rule *fp = &row->rules[UNWIND_FP];
	const struct cfi_rule *pc = &row->rules[UNWIND_PC];
	uint32_t kind = base_kind(row), slot = 0;

	if (pc->kind != CFI_OFFSET || pc->value != -8)
		return RULE_NONE;
	if (row->cfa_expression)
		return compile_indirect(fde, row);
	if (fp->kind == CFI_OFFSET && fits(-8 - fp->value, 8, 7))
		slot = (uint32_t)(-8 - fp->value);
	else if (!is_kept(fp))
		return RULE_NONE;
	if (kind == RULE_NONE || !offset_fits(row->cfa_offset) ||
	    slot > row->cfa_offset - 8)
		return RULE_NONE;
	return kind | slot / 8 << RULE_LG_SLOT | (uint32_t)row->cfa_offset;
}
#endif

uint32_t rule_compile(const struct fde *fde, const struct cfi_row *row)
{
	uint32_t rule;

	if (fde->signal_frame || row->rules[UNWIND_SP].kind != CFI_SAME)
		return RULE_NONE;
	if (row->rules[UNWIND_PC].kind == CFI_UNDEFINED)
		return RULE_OUTERMOST;
	rule = compile(fde, row);
	return rule == RULE_NONE || !others_change(row) ? rule
							: rule | RULE_OTHERS;
}

uint64_t rule_age(void)
{
	return __atomic_load_n(&age_now, __ATOMIC_SEQ_CST);
}

static void note_pushed_out(uint64_t mask)
{
	uint64_t most = (UINT64_C(1) << RULE_LG_SETS_MAX) - 1;

	if (__atomic_add_fetch(&pushed_out, 1, __ATOMIC_RELAXED) <= mask)
		return;
	__atomic_store_n(&pushed_out, 0, __ATOMIC_RELAXED);
	if (mask < most)
		__atomic_store_n(&rule_cache_mask, mask * 2 + 1,
				 __ATOMIC_RELAXED);
}

/* An empty place, or the place of one that has to go. */
static uint64_t *choose(uint64_t *set, uint64_t mask)
{
	for (unsigned i = 0; i < RULE_WAYS; i++)
		if (__atomic_load_n(&set[i], __ATOMIC_RELAXED) == 0)
			return &set[i];
	note_pushed_out(mask);
	return &set[__atomic_load_n(&pushed_out, __ATOMIC_RELAXED) % RULE_WAYS];
}

void rule_keep(uint64_t key, uint32_t rule, uint64_t age)
{
	uint64_t mask = __atomic_load_n(&rule_cache_mask, __ATOMIC_RELAXED);
	uint64_t word = rule_tag(key) | rule;
	uint64_t *place;

	if (rule == RULE_NONE || key >> RULE_LG_KEY)
		return;
	place = choose(rule_set(key, mask), mask);
	__atomic_store_n(place, word, __ATOMIC_SEQ_CST);
	/* Either rules_forget() sees the word, or this sees that it ran. */
	if (rule_age() != age)
		__atomic_compare_exchange_n(place, &word, 0, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void rules_forget(uint64_t low, uint64_t high)
{
	/* Tags stand for some addresses each: more goes than has to. */
	uint64_t first = rule_tag(rule_key(low)) >> RULE_BITS;
	uint64_t last = rule_tag(rule_key(high)) >> RULE_BITS;

	__atomic_fetch_add(&age_now, 1, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < RULE_WAYS << RULE_LG_SETS_MAX; i++) {
		uint64_t word =
			__atomic_load_n(&rule_cache[i], __ATOMIC_SEQ_CST);
		uint64_t tag = word >> RULE_BITS;

		if (word != 0 && tag >= first && tag <= last)
			__atomic_store_n(&rule_cache[i], 0, __ATOMIC_RELAXED);
	}
}
