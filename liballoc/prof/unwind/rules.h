/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call frame information compiled: what most rows say fits in 24 bits, and is
 * kept by code address in a cache of fixed size. An entry is one word,
 * tag and rule, so it is read and written whole: no lock, and nothing to tear.
 * The tag and the entry's place give the address back, so a rule is never
 * taken for another's. Async-signal-safe; memory is touched only as used.
 *
 * Rows that do not fit (signal frames, PLT stubs, CFAs from registers that are
 * rarely one) have no rule: the interpreter does them each time.
 */
#ifndef LIBALLOC_PROF_UNWIND_RULES_H
#define LIBALLOC_PROF_UNWIND_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/prof/unwind/cfi.h"

#if defined(__aarch64__)
# define RULE_BITS 25u
# define RULE_LG_CODE 2u /* instructions are words */
#else
# define RULE_BITS 24u
# define RULE_LG_CODE 0u
#endif
#define RULE_LG_SETS_MIN 7u
#define RULE_LG_SETS_MAX 11u
#define RULE_WAYS 4u
#define RULE_LG_KEY (64u - RULE_BITS + RULE_LG_SETS_MIN)

enum rule_kind {
	RULE_NONE,     /* not known */
	RULE_SP,       /* CFA = stack pointer + offset */
	RULE_FP,       /* CFA = frame pointer + offset */
	RULE_INDIRECT, /* x86-64: CFA = *(frame pointer - offset); with
			  offset 0 the outermost frame, as elsewhere */
};

/*
 * A rule: bits 0-1 the kind; bit 2: callee-saved registers beside the frame
 * pointer change; then what makes the walk's longest chain of instructions, so
 * that it takes one of them: the offset in its place, multiples of 8 below
 * 2^20 on x86-64, of 16 below 2^15 on aarch64. Then on x86-64 4 bits: the frame
 * pointer is saved at CFA - 8 - 8 * n, 0: kept; the return address is at CFA -
 * 8. On aarch64 10 bits: at CFA - 8 * n is the return address, or, with bit 3,
 * the frame pointer, and the return address above.
 */
#define RULE_KIND(rule) ((enum rule_kind)((rule)&3u))
#define RULE_OTHERS 4u
#if defined(__aarch64__)
# define RULE_LG_OFFSET 15u
# define RULE_UNIT 16u
# define RULE_OFFSET(rule) ((uint64_t)((rule)&0x7ff0u))
# define RULE_SAVES_FP(rule) ((rule) >> 3 & 1u)
# define RULE_LG_SLOT 15u
# define RULE_SLOT(rule) ((uint64_t)((rule) >> 12 & 0x1ff8u))
#else
# define RULE_LG_OFFSET 20u
# define RULE_UNIT 8u
# define RULE_OFFSET(rule) ((uint64_t)((rule)&0xffff8u))
# define RULE_SAVES_FP(rule) ((rule) >> 20 & 0xfu)
# define RULE_LG_SLOT 20u
# define RULE_SLOT(rule) ((uint64_t)((rule) >> 17 & 0x78u))
#endif
#define RULE_OUTERMOST ((uint32_t)RULE_INDIRECT)

/* The rule that does what the row does; RULE_NONE where there is none. */
uint32_t rule_compile(const struct fde *fde, const struct cfi_row *row);

extern uint64_t rule_cache[(RULE_WAYS << RULE_LG_SETS_MAX)];
extern uint64_t rule_cache_mask; /* sets in use - 1 */

/*
 * What the rule of the instruction at pc is kept under: on where it ends, in
 * units of code; so a return address is its call's.
 */
static inline uint64_t rule_key(uint64_t pc)
{
	return (pc >> RULE_LG_CODE) + 1;
}

static inline uint64_t *rule_set(uint64_t key, uint64_t mask)
{
	/* Times four words, done before the mask, whose result all wait for. */
	uint64_t offset = (key << 5 ^ key >> 6) & mask << 5;

	return (uint64_t *)(void *)((uint8_t *)rule_cache + offset);
}

/* The tag, where a word has it. */
static inline uint64_t rule_tag(uint64_t key)
{
	return key >> RULE_LG_SETS_MIN << RULE_BITS;
}

/* The rule kept under key, or RULE_NONE. */
static inline uint32_t rule_find(uint64_t key, uint64_t mask)
{
	const uint64_t *set = rule_set(key, mask);
	uint64_t tag = rule_tag(key);

	if (key >> RULE_LG_KEY)
		return RULE_NONE;
		/* Unrolled, none of them waits for where the one before was. */
#pragma GCC unroll 4
	for (unsigned i = 0; i < RULE_WAYS; i++) {
		uint64_t word = __atomic_load_n(&set[i], __ATOMIC_RELAXED);

		if ((word ^ tag) >> RULE_BITS == 0)
			return (uint32_t)word & ((1u << RULE_BITS) - 1);
	}
	return RULE_NONE;
}

/*
 * Rules may only be kept of code that does not go away unnoticed. age: of
 * rule_age() before the code was looked at; if some code went away since, the
 * rule is not kept.
 */
uint64_t rule_age(void);
void rule_keep(uint64_t key, uint32_t rule, uint64_t age);
/* The code in [low, high) goes away: no rule of it is found any more. */
void rules_forget(uint64_t low, uint64_t high);

#endif
