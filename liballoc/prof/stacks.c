/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interned call stacks: LEDGER_STACKS and LEDGER_FRAMES, append-only, and
 * their hash index. Looking up takes no lock; adding takes stacks_lock.
 */
#include "config.h"

#include <string.h>

#include "liballoc/prof/row_index.h"
#include "liballoc/prof/tables.h"

struct lock stacks_lock = LOCK_INIT(LOCK_PROF_STACKS);
static struct row_index by_hash;
static uint64_t frames_used; /* guarded by stacks_lock */

size_t stacks_index_bytes(void)
{
	uint32_t rows = ledger_capacity(LEDGER_STACKS);

	return ((size_t)row_index_buckets(rows) + rows) * sizeof(uint32_t);
}

void stacks_boot(uint32_t *memory)
{
	uint32_t most = row_index_buckets(ledger_capacity(LEDGER_STACKS));

	row_index_init(&by_hash, memory, memory + most, most);
}

static struct ledger_stack *stack_row(uint32_t row)
{
	return (struct ledger_stack *)ledger_rows(LEDGER_STACKS) + row;
}

static uint64_t *frame_row(uint64_t row)
{
	return (uint64_t *)ledger_rows(LEDGER_FRAMES) + row;
}

static uint64_t add_to(uint64_t hash, uint64_t frame)
{
	return (hash ^ frame) * UINT64_C(0x9e3779b97f4a7c15);
}

/* In four lanes, since a multiplication waits for the one before. */
static uint64_t hash_frames(const uint64_t *frames, unsigned depth)
{
	uint64_t a = depth, b = 1, c = 2, d = 3;
	unsigned i;

	for (i = 0; i + 4 <= depth; i += 4) {
		a = add_to(a, frames[i]);
		b = add_to(b, frames[i + 1]);
		c = add_to(c, frames[i + 2]);
		d = add_to(d, frames[i + 3]);
	}
	for (; i < depth; i++)
		a = add_to(a, frames[i]);
	a = add_to(a ^ a >> 32, b);
	c = add_to(c ^ c >> 32, d);
	return tables_mix(a ^ tables_mix(c));
}

static uint32_t find(uint64_t hash, const uint64_t *frames, unsigned depth)
{
	uint32_t at = __atomic_load_n(row_index_head(&by_hash, hash),
				      __ATOMIC_ACQUIRE);

	for (; at != 0; at = row_index_next(&by_hash, at)) {
		const struct ledger_stack *stack = stack_row(at - 1);

		if (stack->hash == hash && stack->frame_count == depth &&
		    memcmp(frame_row(stack->first_frame), frames,
			   depth * sizeof(frames[0])) == 0)
			return at - 1;
	}
	return TABLES_NONE;
}

static uint64_t hash_of(uint32_t row)
{
	return stack_row(row)->hash;
}

/* Holding stacks_lock. */
static uint32_t append(uint64_t hash, const uint64_t *frames, unsigned depth)
{
	struct ledger_section *section =
		&ledger_header()->sections[LEDGER_STACKS];
	uint32_t row = (uint32_t)section->count;
	struct ledger_stack *stack = stack_row(row);

	if (row >= section->capacity ||
	    depth > ledger_capacity(LEDGER_FRAMES) - frames_used ||
	    !ledger_make_room(LEDGER_STACKS, (uint64_t)row + 1) ||
	    !ledger_make_room(LEDGER_FRAMES, frames_used + depth))
		return TABLES_NONE;
	stack->hash = hash;
	stack->first_frame = (uint32_t)frames_used;
	stack->frame_count = depth;
	memcpy(frame_row(frames_used), frames, depth * sizeof(frames[0]));
	frames_used += depth;
	ledger_publish(LEDGER_FRAMES, frames_used);
	ledger_publish(LEDGER_STACKS, (uint64_t)row + 1);
	ledger_set(&ledger_process()->prof_stacks, (uint64_t)row + 1);
	row_index_grow(&by_hash, row, hash_of);
	row_index_insert(&by_hash, hash, row);
	return row;
}

uint32_t stacks_intern(const uint64_t *frames, unsigned depth)
{
	uint64_t hash = hash_frames(frames, depth);
	uint32_t row = find(hash, frames, depth);

	if (row != TABLES_NONE)
		return row;
	lock_take(&stacks_lock);
	row = find(hash, frames, depth);
	if (row == TABLES_NONE)
		row = append(hash, frames, depth);
	lock_release(&stacks_lock);
	return row;
}

unsigned stacks_peek(uint32_t row, uint64_t *frames, unsigned max)
{
	const struct ledger_stack *stack;
	uint64_t first, count;

	if (row >= ledger_capacity(LEDGER_STACKS))
		return 0;
	stack = stack_row(row);
	first = stack->first_frame;
	count = stack->frame_count < max ? stack->frame_count : max;
	if (first + count > ledger_capacity(LEDGER_FRAMES))
		return 0;
	memcpy(frames, frame_row(first), count * sizeof(frames[0]));
	return (unsigned)count;
}

void stacks_reset(void)
{
	row_index_clear(&by_hash);
	frames_used = 0;
	ledger_clear(LEDGER_STACKS);
	ledger_clear(LEDGER_FRAMES);
	ledger_set(&ledger_process()->prof_stacks, 0);
}
