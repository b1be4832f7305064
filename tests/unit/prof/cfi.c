/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter: expressions and CFA programs with known results, pointer
 * encodings, and garbage of every kind, which must be refused or survived.
 */
#include "config.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>

#include "liballoc/prof/unwind/cfi.h"
#include "tap/tap.h"

static struct unwind_registers registers;
static struct unwind_memory memory;

static bool evaluate(const uint8_t *block, size_t bytes, uint64_t *result)
{
	uint64_t initial = 100;

	return expression_evaluate(block, block + bytes, &registers, &memory,
				   &initial, result);
}

struct expression {
	const char *what;
	uint8_t block[20];
	uint64_t want;
};

static const struct expression expressions[] = {
	{"lit5 plus", {2, 0x35, 0x22}, 105},
	{"const1s -1 plus", {3, 0x09, 0xff, 0x22}, 99},
	{"constu 300 minus", {4, 0x10, 0xac, 0x02, 0x1c}, (uint64_t)-200},
	{"consts -3 div", {3, 0x11, 0x7d, 0x1b}, (uint64_t)-33},
	{"breg5 + 2", {2, 0x75, 0x02}, 52},
	{"bregx 5 - 1", {3, 0x92, 0x05, 0x7f}, 49},
	{"dup mul", {2, 0x12, 0x1e}, 10000},
	{"lit1 lit2 lit3 rot drop drop",
	 {6, 0x31, 0x32, 0x33, 0x17, 0x13, 0x13},
	 3},
	{"lit7 over swap drop", {4, 0x37, 0x14, 0x16, 0x13}, 100},
	{"bra over lit1", {6, 0x12, 0x28, 0x01, 0x00, 0x31, 0x96}, 100},
	{"skip lit1", {5, 0x2f, 0x01, 0x00, 0x31, 0x96}, 100},
	{"lit3 shl neg shra",
	 {5, 0x33, 0x24, 0x1f, 0x31, 0x26},
	 (uint64_t)-400},
	{"a PLT stub's",
	 {9, 0x75, 0x08, 0x75, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x22},
	 58},
};

static const struct expression wrong[] = {
	{"stack underflow", {3, 0x13, 0x13, 0x22}, 0},
	{"unknown operation", {1, 0xe0}, 0},
	{"division by zero", {2, 0x30, 0x1b}, 0},
	{"a jump out of the block", {3, 0x2f, 0x10, 0x00}, 0},
	{"an endless loop", {3, 0x2f, 0xfd, 0xff}, 0},
	{"a length beyond the section", {100, 0x31}, 0},
	{"memory that is not there", {2, 0x31, 0x06}, 0},
	{"a register that is not there", {3, 0x92, 0x7f, 0x00}, 0},
};

static void check_expressions(void)
{
	uint64_t result;

	registers.reg[5] = 50;
	for (unsigned i = 0; i < sizeof(expressions) / sizeof(expressions[0]);
	     i++) {
		const struct expression *e = &expressions[i];

		result = 0;
		ok(evaluate(e->block, sizeof(e->block), &result) &&
			   result == e->want,
		   "%s", e->what);
	}
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ok(!evaluate(wrong[i].block, sizeof(wrong[i].block), &result),
		   "refused: %s", wrong[i].what);
}

static struct fde fde_of(const uint8_t *program, size_t bytes)
{
	static const uint8_t initial[] = {0x0c, 7, 8, 0x90, 1};
	struct fde fde = {
		.pc_begin = 0x1000,
		.pc_end = 0x2000,
		.code_align = 1,
		.data_align = -8,
		.return_column = 16,
		.initial = {initial, initial + sizeof(initial), false},
		.instructions = {program, program + bytes, false},
	};

	return fde;
}

static void check_programs(void)
{
	/* push rbp; mov rbp; remember; pop; ret; restore; a call's args. */
	static const uint8_t program[] = {
		0x41, 0x0e, 16, 0x86, 2,    0x43, 0x0d, 6, 0x45, 0x0a, 0xc6,
		0x0c, 7,    8,	0x41, 0x0b, 0x42, 0x2e, 8, 0x07, 3,
	};
	struct fde fde = fde_of(program, sizeof(program));
	struct cfi_row row;
	uint8_t deep[16];

	ok(cfi_row_at(&fde, 0x1000, &row) && row.cfa_register == 7 &&
		   row.cfa_offset == 8 && row.rules[6].kind == CFI_SAME,
	   "the first row is the CIE's");
	ok(cfi_row_at(&fde, 0x1003, &row) && row.cfa_offset == 16 &&
		   row.rules[6].kind == CFI_OFFSET && row.rules[6].value == -16,
	   "a saved register");
	ok(cfi_row_at(&fde, 0x1008, &row) && row.cfa_register == 6,
	   "the CFA by the frame pointer");
	ok(cfi_row_at(&fde, 0x1009, &row) && row.cfa_register == 7 &&
		   row.cfa_offset == 8 && row.rules[6].kind == CFI_SAME,
	   "the epilogue restores");
	ok(cfi_row_at(&fde, 0x100b, &row) && row.cfa_register == 6 &&
		   row.rules[6].kind == CFI_OFFSET,
	   "the remembered state comes back");
	ok(cfi_row_at(&fde, 0x1fff, &row) && row.rules[3].kind == CFI_UNDEFINED,
	   "the last row holds to the end");
	memset(deep, 0x0a, sizeof(deep));
	fde = fde_of(deep, sizeof(deep));
	ok(!cfi_row_at(&fde, 0x1000, &row), "refused: states without end");
	deep[0] = 0x0b;
	ok(!cfi_row_at(&fde, 0x1000, &row), "refused: a state never kept");
	deep[0] = 0x3e;
	ok(!cfi_row_at(&fde, 0x1000, &row), "refused: an unknown instruction");
	deep[0] = 0x0f;
	deep[1] = 0x7f;
	ok(!cfi_row_at(&fde, 0x1000, &row), "refused: a block beyond the end");
}

static void check_encodings(void)
{
	static const uint8_t bytes[] = {0xf0, 0xff, 0xff, 0xff, 1, 2, 3, 4};
	struct reader r = {bytes, bytes + sizeof(bytes), false};
	uint64_t place = (uintptr_t)bytes;

	is_uint(read_pointer(&r, 0x1b, 0), place - 16, "pcrel sdata4");
	r.at = bytes;
	is_uint(read_pointer(&r, 0x3b, 0x1000), 0xff0, "datarel sdata4");
	r.at = bytes;
	is_uint(read_pointer(&r, 0x03, 0), 0xfffffff0, "absolute udata4");
	r.at = bytes;
	is_uint(read_pointer(&r, 0x00, 0), UINT64_C(0x04030201fffffff0),
		"absolute pointer");
	ok(read_pointer(&r, 0x0b, 0) == 0 && r.bad, "refused: no bytes left");
}

struct table {
	const uint8_t *header, *low, *high;
};

static int find_table(struct dl_phdr_info *info, size_t size, void *context)
{
	struct table *table = context;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
			table->header = (const uint8_t *)info->dlpi_addr +
					info->dlpi_phdr[i].p_vaddr;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uint8_t *at =
			(const uint8_t *)info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && table->header >= at &&
		    table->header < at + p->p_filesz) {
			table->low = at;
			table->high = at + p->p_filesz;
		}
	}
	return 1;
}

/*
 * Garbles a copy of this program's tables, a few bytes at a time, looks up and
 * runs what is found. Passes by not crashing, which --enable-sanitize sees.
 */
static void check_garbage(void)
{
	struct table table = {0};
	uint64_t random = 88172645463325252, found = 0, base;
	uint8_t *copy;
	size_t bytes;

	dl_iterate_phdr(find_table, &table);
	bytes = (size_t)(table.high - table.low);
	copy = malloc(bytes);
	base = (uintptr_t)check_garbage - (uintptr_t)table.low +
	       (uintptr_t)copy;
	for (unsigned round = 0; round < 20000; round++) {
		struct unwind_registers r = registers;
		struct cfi_row row;
		struct fde fde;
		uint64_t cfa;

		if (round % 64 == 0)
			memcpy(copy, table.low, bytes);
		for (unsigned i = 0; i < 8; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			copy[(size_t)(table.header - table.low) +
			     random % (bytes -
				       (size_t)(table.header - table.low))] =
				(uint8_t)(random >> 32);
		}
		random ^= random << 13;
		if (!find_fde_in(base + random % 4096,
				 copy + (table.header - table.low), copy,
				 copy + bytes, &fde))
			continue;
		found++;
		if (cfi_row_at(&fde, base + random % 4096, &row))
			cfi_apply(&fde, &row, &memory, &r, &cfa);
	}
	ok(found > 100, "garbled tables are survived (%u entries run)",
	   (unsigned)found);
	free(copy);
}

/* An entry that says that its CIE lies at address 0. */
static void check_no_cie(void)
{
	static struct {
		uint8_t encodings[4];
		int32_t frames;
		uint32_t rows;
		int32_t row[2];
		uint32_t mark;
		uint64_t bytes, back, pc_begin, pc_bytes, no_instructions;
	} image = {
		.encodings = {1, 0x1b, 0x03, 0x3b},
		.rows = 1,
		.mark = UINT32_MAX,
		.bytes = 32,
		.pc_bytes = 4096,
	};
	const uint8_t *low = (const uint8_t *)&image;
	struct fde fde = {.pc_begin = 0};

	image.row[1] = (int32_t)((const uint8_t *)&image.mark - low);
	image.back = (uintptr_t)&image.back;
	image.pc_begin = (uintptr_t)low;
	ok(!find_fde_in((uintptr_t)low + 8, low, low, low + sizeof(image),
			&fde),
	   "refused: an entry whose CIE is nowhere");
}

int main(void)
{
	plan(38);
	check_expressions();
	check_programs();
	check_encodings();
	check_garbage();
	check_no_cie();
	return done_testing();
}
