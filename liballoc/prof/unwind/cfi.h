/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter of call frame information (DWARF 5 section 6.4): which rules
 * hold at a code address, and how they make the caller's registers. Depends
 * on nothing but its arguments, so that rules can be kept for a pc.
 */
#ifndef LIBALLOC_PROF_UNWIND_CFI_H
#define LIBALLOC_PROF_UNWIND_CFI_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/prof/unwind/arch.h"
#include "liballoc/prof/unwind/find.h"
#include "liballoc/prof/unwind/memory.h"

enum cfi_rule_kind {
	CFI_SAME, /* also where nothing is said */
	CFI_UNDEFINED,
	CFI_OFFSET,	/* saved at CFA + value */
	CFI_VAL_OFFSET, /* is CFA + value */
	CFI_REGISTER,	/* is in register `value` */
	CFI_EXPRESSION, /* saved where the expression says */
	CFI_VAL_EXPRESSION,
};

/* value: an offset, a register, or the address of an expression's block. */
struct cfi_rule {
	uint8_t kind;
	int64_t value;
};

/* The rules at one code address. The return column's is at UNWIND_PC. */
struct cfi_row {
	struct cfi_rule rules[UNWIND_REGISTERS];
	const uint8_t *cfa_expression; /* NULL: register and offset */
	uint64_t cfa_register;
	int64_t cfa_offset;
	bool signed_return; /* aarch64: pointer authentication */
};

/* The rules of fde at pc; false where it is garbled or beyond what we do. */
bool cfi_row_at(const struct fde *fde, uint64_t pc, struct cfi_row *row);

/*
 * Replaces registers by the caller's, as the row of fde says; *cfa becomes the
 * frame's. A caller's pc of 0 is the end of the stack. False where memory
 * cannot be read or an expression is wrong.
 */
bool cfi_apply(const struct fde *fde, const struct cfi_row *row,
	       struct unwind_memory *memory, struct unwind_registers *registers,
	       uint64_t *cfa);

/*
 * Evaluates the expression block (a ULEB length, then operations), initial on
 * the stack where not NULL; DWARF 5 section 2.5, the operations that CFI may
 * use. limit: where the section ends.
 */
bool expression_evaluate(const uint8_t *block, const uint8_t *limit,
			 const struct unwind_registers *registers,
			 struct unwind_memory *memory, const uint64_t *initial,
			 uint64_t *result);

#endif
