/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frame records: on x86-64 and aarch64 alike the frame pointer leads to the
 * caller's, and the return address stands above that. Nothing is read but
 * what lies between the stack pointer and the stack's end.
 */
#include "config.h"

#include "liballoc/prof/unwind/framed.h"

struct record {
	uint64_t fp, pc;
};

unsigned unwind_walk_framed(struct unwind *unwind, uint64_t *addresses,
			    unsigned max)
{
	uint64_t fp = unwind->registers.reg[UNWIND_FP];
	uint64_t low = unwind->registers.reg[UNWIND_SP];
	uint64_t high = unwind->memory.stack.high;
	unsigned n = 0;

	if (low < unwind->memory.stack.low || low >= high)
		return unwind_walk(unwind, addresses, max);
	high -= sizeof(struct record);
	while (n < max && fp >= low && fp <= high && fp % 8 == 0) {
		const struct record *record = (const void *)(uintptr_t)fp;
		uint64_t pc = unwind_strip(record->pc);

		if (!pc)
			break;
		addresses[n++] = pc;
		low = fp + sizeof(*record);
		fp = record->fp;
	}
	return n;
}
