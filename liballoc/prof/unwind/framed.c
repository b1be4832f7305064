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
	const uint64_t *reg = unwind->registers.reg;
	uint64_t fp = reg[UNWIND_FP], low = reg[UNWIND_SP], pc;
	uint64_t high = unwind->memory.stack.high;
	uint64_t *at = addresses, *end = addresses + max;

	if (!unwind->memory.own || low < unwind->memory.stack.low ||
	    low >= high)
		return unwind_walk(unwind, addresses, max);
	high -= sizeof(struct record);
	while (at < end && fp >= low && fp <= high && fp % 8 == 0) {
		const struct record *record = (const void *)(uintptr_t)fp;

		pc = unwind_strip(record->pc);
		if (!pc)
			break;
		*at++ = pc;
		low = fp + sizeof(*record);
		fp = record->fp;
	}
	return (unsigned)(at - addresses);
}
