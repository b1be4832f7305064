/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DWARF expressions as call frame information uses them. A fixed stack and a
 * bound on operations; memory is read through unwind_memory only.
 */
#include "config.h"

#include "liballoc/prof/unwind/cfi.h"

#define STACK 64u
#define OPERATIONS 1000u

/* DW_OP_*, DWARF 5 section 7.7.1. */
enum {
	OP_ADDR = 0x03,
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST1S = 0x09,
	OP_CONST2U = 0x0a,
	OP_CONST2S = 0x0b,
	OP_CONST4U = 0x0c,
	OP_CONST4S = 0x0d,
	OP_CONST8U = 0x0e,
	OP_CONST8S = 0x0f,
	OP_CONSTU = 0x10,
	OP_CONSTS = 0x11,
	OP_DUP = 0x12,
	OP_DROP = 0x13,
	OP_OVER = 0x14,
	OP_PICK = 0x15,
	OP_SWAP = 0x16,
	OP_ROT = 0x17,
	OP_ABS = 0x19,
	OP_AND = 0x1a,
	OP_DIV = 0x1b,
	OP_MINUS = 0x1c,
	OP_MOD = 0x1d,
	OP_MUL = 0x1e,
	OP_NEG = 0x1f,
	OP_NOT = 0x20,
	OP_OR = 0x21,
	OP_PLUS = 0x22,
	OP_PLUS_UCONST = 0x23,
	OP_SHL = 0x24,
	OP_SHR = 0x25,
	OP_SHRA = 0x26,
	OP_XOR = 0x27,
	OP_BRA = 0x28,
	OP_EQ = 0x29,
	OP_GE = 0x2a,
	OP_GT = 0x2b,
	OP_LE = 0x2c,
	OP_LT = 0x2d,
	OP_NE = 0x2e,
	OP_SKIP = 0x2f,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_REG0 = 0x50,
	OP_REG31 = 0x6f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
	OP_REGX = 0x90,
	OP_BREGX = 0x92,
	OP_DEREF_SIZE = 0x94,
	OP_NOP = 0x96,
};

struct machine {
	struct reader reader;
	const uint8_t *start;
	const struct unwind_registers *registers;
	struct unwind_memory *memory;
	uint64_t stack[STACK];
	unsigned depth;
	bool bad;
};

static void push(struct machine *m, uint64_t value)
{
	if (m->depth == STACK)
		m->bad = true;
	else
		m->stack[m->depth++] = value;
}

static uint64_t pop(struct machine *m)
{
	if (m->depth == 0) {
		m->bad = true;
		return 0;
	}
	return m->stack[--m->depth];
}

static void pick(struct machine *m, uint64_t index)
{
	if (index >= m->depth)
		m->bad = true;
	else
		push(m, m->stack[m->depth - 1 - index]);
}

static void push_register(struct machine *m, uint64_t number, int64_t offset)
{
	if (number >= UNWIND_REGISTERS)
		m->bad = true;
	else
		push(m, m->registers->reg[number] + (uint64_t)offset);
}

static void load(struct machine *m, uint64_t bytes)
{
	uint64_t address = pop(m), value = 0;

	/* Little-endian: the low bytes come first. */
	if (m->bad || bytes == 0 || bytes > 8 ||
	    !unwind_read(m->memory, address, &value, bytes))
		m->bad = true;
	push(m, value);
}

static void jump(struct machine *m, int64_t distance)
{
	int64_t at = m->reader.at - m->start + distance;

	if (at < 0 || at > m->reader.end - m->start)
		m->bad = true;
	else
		m->reader.at = m->start + at;
}

static void rotate(struct machine *m)
{
	uint64_t a = pop(m), b = pop(m), c = pop(m);

	push(m, a);
	push(m, c);
	push(m, b);
}

/* b is on top; comparisons and division are signed. */
static bool binary(uint8_t code, uint64_t a, uint64_t b, uint64_t *result)
{
	int64_t x = (int64_t)a, y = (int64_t)b;

	switch (code) {
	case OP_AND:
		*result = a & b;
		return true;
	case OP_DIV:
		if (y == 0 || (y == -1 && x == INT64_MIN))
			return false;
		*result = (uint64_t)(x / y);
		return true;
	case OP_MINUS:
		*result = a - b;
		return true;
	case OP_MOD:
		if (b == 0)
			return false;
		*result = a % b;
		return true;
	case OP_MUL:
		*result = a * b;
		return true;
	case OP_OR:
		*result = a | b;
		return true;
	case OP_PLUS:
		*result = a + b;
		return true;
	case OP_SHL:
		*result = b < 64 ? a << b : 0;
		return true;
	case OP_SHR:
		*result = b < 64 ? a >> b : 0;
		return true;
	case OP_SHRA:
		*result = (uint64_t)(x >> (b < 64 ? b : 63));
		return true;
	case OP_XOR:
		*result = a ^ b;
		return true;
	case OP_EQ:
		*result = x == y;
		return true;
	case OP_GE:
		*result = x >= y;
		return true;
	case OP_GT:
		*result = x > y;
		return true;
	case OP_LE:
		*result = x <= y;
		return true;
	case OP_LT:
		*result = x < y;
		return true;
	case OP_NE:
		*result = x != y;
		return true;
	default:
		return false;
	}
}

static bool push_constant(struct machine *m, uint8_t code)
{
	struct reader *r = &m->reader;

	if (code >= OP_CONST1U && code <= OP_CONST8S) {
		unsigned bytes = 1u << ((code - OP_CONST1U) / 2);

		push(m, (code - OP_CONST1U) % 2
				? (uint64_t)read_signed(r, bytes)
				: read_unsigned(r, bytes));
	} else if (code == OP_ADDR) {
		push(m, read_unsigned(r, 8));
	} else if (code == OP_CONSTU) {
		push(m, read_uleb(r));
	} else if (code == OP_CONSTS) {
		push(m, (uint64_t)read_sleb(r));
	} else if (code >= OP_LIT0 && code <= OP_LIT31) {
		push(m, (uint64_t)(code - OP_LIT0));
	} else {
		return false;
	}
	return true;
}

static bool push_from_register(struct machine *m, uint8_t code)
{
	struct reader *r = &m->reader;
	uint64_t number;

	if (code >= OP_REG0 && code <= OP_REG31) {
		push_register(m, (uint64_t)(code - OP_REG0), 0);
	} else if (code >= OP_BREG0 && code <= OP_BREG31) {
		push_register(m, (uint64_t)(code - OP_BREG0), read_sleb(r));
	} else if (code == OP_REGX) {
		push_register(m, read_uleb(r), 0);
	} else if (code == OP_BREGX) {
		number = read_uleb(r);
		push_register(m, number, read_sleb(r));
	} else {
		return false;
	}
	return true;
}

/* Operations on the stack's top alone, and jumps. */
static bool run_stack(struct machine *m, uint8_t code)
{
	uint64_t a, b;
	int64_t distance;

	switch (code) {
	case OP_NOP:
		return true;
	case OP_DUP:
		pick(m, 0);
		return true;
	case OP_DROP:
		pop(m);
		return true;
	case OP_OVER:
		pick(m, 1);
		return true;
	case OP_PICK:
		pick(m, read_unsigned(&m->reader, 1));
		return true;
	case OP_SWAP:
		b = pop(m);
		a = pop(m);
		push(m, b);
		push(m, a);
		return true;
	case OP_ROT:
		rotate(m);
		return true;
	case OP_DEREF:
		load(m, 8);
		return true;
	case OP_DEREF_SIZE:
		load(m, read_unsigned(&m->reader, 1));
		return true;
	case OP_ABS:
		a = pop(m);
		push(m, (int64_t)a < 0 ? -a : a);
		return true;
	case OP_NEG:
		push(m, -pop(m));
		return true;
	case OP_NOT:
		push(m, ~pop(m));
		return true;
	case OP_PLUS_UCONST:
		a = pop(m);
		push(m, a + read_uleb(&m->reader));
		return true;
	case OP_SKIP:
		distance = read_signed(&m->reader, 2);
		jump(m, distance);
		return true;
	case OP_BRA:
		distance = read_signed(&m->reader, 2);
		if (pop(m) != 0)
			jump(m, distance);
		return true;
	default:
		return false;
	}
}

static void run_one(struct machine *m)
{
	uint8_t code = read_byte(&m->reader);
	uint64_t a, b, result;

	if (push_constant(m, code) || push_from_register(m, code) ||
	    run_stack(m, code))
		return;
	b = pop(m);
	a = pop(m);
	if (binary(code, a, b, &result))
		push(m, result);
	else
		m->bad = true;
}

bool expression_evaluate(const uint8_t *block, const uint8_t *limit,
			 const struct unwind_registers *registers,
			 struct unwind_memory *memory, const uint64_t *initial,
			 uint64_t *result)
{
	struct machine m = {
		.reader = {block, limit, false},
		.registers = registers,
		.memory = memory,
	};
	uint64_t bytes = read_uleb(&m.reader);

	if (m.reader.bad || bytes > (uint64_t)(m.reader.end - m.reader.at))
		return false;
	m.start = m.reader.at;
	m.reader.end = m.start + bytes;
	if (initial)
		push(&m, *initial);
	for (unsigned i = 0; m.reader.at < m.reader.end; i++) {
		if (i == OPERATIONS || m.bad || m.reader.bad)
			return false;
		run_one(&m);
	}
	*result = pop(&m);
	return !m.bad && !m.reader.bad;
}
