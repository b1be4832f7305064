/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs CFA programs. Bounded: instructions only go forward, and states are
 * remembered to a fixed depth. Never reads outside the entry.
 */
#include "config.h"

#include "liballoc/prof/unwind/cfi.h"

/* Compilers remember one state, hand-written code two. */
#define REMEMBERED 4u

/* DW_CFA_*, DWARF 5 section 7.24, and the vendors' own. */
enum {
	CFA_ADVANCE = 0x40, /* these three in the two high bits */
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
	CFA_NOP = 0x00,
	CFA_SET_LOC = 0x01,
	CFA_ADVANCE_1 = 0x02,
	CFA_ADVANCE_2 = 0x03,
	CFA_ADVANCE_4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER = 0x0a,
	CFA_RESTORE_STATE = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_AARCH64_NEGATE_RA_STATE = 0x2d,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET = 0x2f,
};

struct program {
	const struct fde *fde;
	struct reader reader;
	uint64_t location; /* of the row in the making */
	uint64_t pc;
	struct cfi_row *row;
	struct cfi_row initial; /* what the CIE set up, for restore */
	struct cfi_row remembered[REMEMBERED];
	unsigned depth;
};

static void set_rule(struct program *p, uint64_t column, unsigned kind,
		     int64_t value)
{
	/* The columns of vector registers and the like do not concern us. */
	if (column == p->fde->return_column)
		p->row->rules[UNWIND_PC] =
			(struct cfi_rule){(uint8_t)kind, value};
	if (column < UNWIND_PC)
		p->row->rules[column] = (struct cfi_rule){(uint8_t)kind, value};
}

static void restore_rule(struct program *p, uint64_t column)
{
	const struct cfi_rule *rules = p->initial.rules;

	if (column == p->fde->return_column)
		p->row->rules[UNWIND_PC] = rules[UNWIND_PC];
	if (column < UNWIND_PC)
		p->row->rules[column] = rules[column];
}

/* The block's address; the reader goes on after it. */
static const uint8_t *take_block(struct program *p)
{
	const uint8_t *block = p->reader.at;

	read_skip(&p->reader, read_uleb(&p->reader));
	return block;
}

static int64_t factored(struct program *p)
{
	return (int64_t)(read_uleb(&p->reader) * (uint64_t)p->fde->data_align);
}

static int64_t factored_signed(struct program *p)
{
	return (int64_t)((uint64_t)read_sleb(&p->reader) *
			 (uint64_t)p->fde->data_align);
}

static void set_cfa(struct program *p, uint64_t column, int64_t offset)
{
	p->row->cfa_expression = NULL;
	p->row->cfa_register = column;
	p->row->cfa_offset = offset;
}

static bool remember(struct program *p)
{
	if (p->depth == REMEMBERED)
		return false;
	p->remembered[p->depth++] = *p->row;
	return true;
}

static bool restore_state(struct program *p)
{
	if (p->depth == 0)
		return false;
	*p->row = p->remembered[--p->depth];
	return true;
}

static bool run_cfa(struct program *p, uint8_t code)
{
	uint64_t column;

	switch (code) {
	case CFA_DEF_CFA:
		column = read_uleb(&p->reader);
		set_cfa(p, column, (int64_t)read_uleb(&p->reader));
		return true;
	case CFA_DEF_CFA_SF:
		column = read_uleb(&p->reader);
		set_cfa(p, column, factored_signed(p));
		return true;
	case CFA_DEF_CFA_REGISTER:
		set_cfa(p, read_uleb(&p->reader), p->row->cfa_offset);
		return true;
	case CFA_DEF_CFA_OFFSET:
		p->row->cfa_offset = (int64_t)read_uleb(&p->reader);
		return true;
	case CFA_DEF_CFA_OFFSET_SF:
		p->row->cfa_offset = factored_signed(p);
		return true;
	case CFA_DEF_CFA_EXPRESSION:
		p->row->cfa_expression = take_block(p);
		return true;
	default:
		return false;
	}
}

static bool run_rule(struct program *p, uint8_t code)
{
	uint64_t column = read_uleb(&p->reader);

	switch (code) {
	case CFA_OFFSET_EXTENDED:
		set_rule(p, column, CFI_OFFSET, factored(p));
		return true;
	case CFA_OFFSET_EXTENDED_SF:
		set_rule(p, column, CFI_OFFSET, factored_signed(p));
		return true;
	case CFA_GNU_NEGATIVE_OFFSET:
		set_rule(p, column, CFI_OFFSET, -factored(p));
		return true;
	case CFA_VAL_OFFSET:
		set_rule(p, column, CFI_VAL_OFFSET, factored(p));
		return true;
	case CFA_VAL_OFFSET_SF:
		set_rule(p, column, CFI_VAL_OFFSET, factored_signed(p));
		return true;
	case CFA_REGISTER:
		set_rule(p, column, CFI_REGISTER,
			 (int64_t)read_uleb(&p->reader));
		return true;
	case CFA_EXPRESSION:
	case CFA_VAL_EXPRESSION:
		set_rule(p, column,
			 code == CFA_EXPRESSION ? CFI_EXPRESSION
						: CFI_VAL_EXPRESSION,
			 (int64_t)(uintptr_t)take_block(p));
		return true;
	case CFA_UNDEFINED:
		set_rule(p, column, CFI_UNDEFINED, 0);
		return true;
	case CFA_SAME_VALUE:
		set_rule(p, column, CFI_SAME, 0);
		return true;
	case CFA_RESTORE_EXTENDED:
		restore_rule(p, column);
		return true;
	default:
		return false;
	}
}

/* Instructions that have no operand, or whose operand is no rule. */
static bool run_other(struct program *p, uint8_t code, bool *handled)
{
	*handled = true;
	switch (code) {
	case CFA_NOP:
		return true;
	case CFA_REMEMBER:
		return remember(p);
	case CFA_RESTORE_STATE:
		return restore_state(p);
	case CFA_GNU_ARGS_SIZE:
		read_uleb(&p->reader);
		return true;
#if defined(__aarch64__)
	case CFA_AARCH64_NEGATE_RA_STATE:
		p->row->signed_return = !p->row->signed_return;
		return true;
#endif
	default:
		*handled = false;
		return false;
	}
}

/* Moves the row's location where code says so. */
static bool run_advance(struct program *p, uint8_t code)
{
	uint64_t delta;

	if ((code & 0xc0) == CFA_ADVANCE)
		delta = code & 0x3f;
	else if (code > CFA_ADVANCE_4 || code == CFA_NOP)
		return false;
	else if (code == CFA_ADVANCE_1)
		delta = read_unsigned(&p->reader, 1);
	else if (code == CFA_ADVANCE_2)
		delta = read_unsigned(&p->reader, 2);
	else if (code == CFA_ADVANCE_4)
		delta = read_unsigned(&p->reader, 4);
	else if (code == CFA_SET_LOC) {
		p->location = read_pointer(&p->reader, p->fde->encoding, 0);
		return true;
	} else
		return false;
	p->location += delta * p->fde->code_align;
	return true;
}

static bool run_one(struct program *p, uint8_t code)
{
	bool handled, good;

	if ((code & 0xc0) == CFA_OFFSET) {
		set_rule(p, code & 0x3f, CFI_OFFSET, factored(p));
		return true;
	}
	if ((code & 0xc0) == CFA_RESTORE) {
		restore_rule(p, code & 0x3f);
		return true;
	}
	good = run_other(p, code, &handled);
	if (handled)
		return good;
	return run_cfa(p, code) || run_rule(p, code);
}

/* Runs until the row's location has passed pc, or the program's end. */
static bool run(struct program *p, struct reader reader)
{
	p->reader = reader;
	while (p->reader.at < p->reader.end && !p->reader.bad) {
		uint8_t code = read_byte(&p->reader);

		if (run_advance(p, code)) {
			if (p->location > p->pc)
				return !p->reader.bad;
		} else if (!run_one(p, code)) {
			return false;
		}
	}
	return !p->reader.bad;
}

bool cfi_row_at(const struct fde *fde, uint64_t pc, struct cfi_row *row)
{
	struct program p; /* its states are large, and hardly ever used */

	p.fde = fde;
	p.location = fde->pc_begin;
	p.pc = UINT64_MAX;
	p.row = row;
	p.depth = 0;
	memset(row, 0, sizeof(*row));
	row->cfa_register = UINT64_MAX;
	if (!run(&p, fde->initial))
		return false;
	p.initial = *row;
	p.location = fde->pc_begin;
	p.pc = pc;
	return run(&p, fde->instructions);
}

static bool find_cfa(const struct fde *fde, const struct cfi_row *row,
		     struct unwind_memory *memory,
		     const struct unwind_registers *registers, uint64_t *cfa)
{
	if (row->cfa_expression)
		return expression_evaluate(row->cfa_expression,
					   fde->instructions.end, registers,
					   memory, NULL, cfa);
	if (row->cfa_register >= UNWIND_PC)
		return false;
	*cfa = registers->reg[row->cfa_register] + (uint64_t)row->cfa_offset;
	return true;
}

static bool apply_rule(const struct fde *fde, const struct cfi_rule *rule,
		       struct unwind_memory *memory,
		       const struct unwind_registers *old, uint64_t cfa,
		       uint64_t *value)
{
	uint64_t place = cfa + (uint64_t)rule->value;
	const uint8_t *block = (const uint8_t *)(uintptr_t)rule->value;

	switch (rule->kind) {
	case CFI_OFFSET:
		return unwind_read(memory, place, value, sizeof(*value));
	case CFI_VAL_OFFSET:
		*value = place;
		return true;
	case CFI_REGISTER:
		if ((uint64_t)rule->value >= UNWIND_REGISTERS)
			return false;
		*value = old->reg[rule->value];
		return true;
	case CFI_EXPRESSION:
		return expression_evaluate(block, fde->instructions.end, old,
					   memory, &cfa, &place) &&
		       unwind_read(memory, place, value, sizeof(*value));
	case CFI_VAL_EXPRESSION:
		return expression_evaluate(block, fde->instructions.end, old,
					   memory, &cfa, value);
	default:
		return true;
	}
}

/* Where nothing is said of the return address, it is where calls leave it. */
static uint64_t unsaid_return(const struct unwind_registers *old)
{
#if defined(__aarch64__)
	return old->reg[UNWIND_LR];
#else
	(void)old;
	return 0;
#endif
}

bool cfi_apply(const struct fde *fde, const struct cfi_row *row,
	       struct unwind_memory *memory, struct unwind_registers *registers,
	       uint64_t *cfa)
{
	struct unwind_registers old = *registers;
	const struct cfi_rule *pc_rule = &row->rules[UNWIND_PC];

	if (!find_cfa(fde, row, memory, &old, cfa))
		return false;
	registers->reg[UNWIND_SP] = *cfa;
	if (pc_rule->kind == CFI_UNDEFINED)
		registers->reg[UNWIND_PC] = 0;
	else if (pc_rule->kind == CFI_SAME)
		registers->reg[UNWIND_PC] = unsaid_return(&old);
	for (unsigned i = 0; i < UNWIND_REGISTERS; i++)
		if (!apply_rule(fde, &row->rules[i], memory, &old, *cfa,
				&registers->reg[i]))
			return false;
	if (row->signed_return)
		registers->reg[UNWIND_PC] =
			unwind_strip(registers->reg[UNWIND_PC]);
	return true;
}
