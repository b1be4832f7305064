/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange. Owns its stacks, made when a class first needs one. How low a
 * stack was since the last look says what was too much.
 */
#include "config.h"

#include "liballoc/heap/exchange.h"

#include <stdint.h>
#include <string.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/ledger/ledger.h"

#define CAPACITY 2048u
#define FIRST_ROOM 16u
#define MAX_BYTES ((size_t)48 << 10)
#define TRIM_CLASSES (4u * EXCHANGE_LANES)
#define ALL_STACKS (EXCHANGE_LANES * SMALL_CLASSES)
/* More than this share of what the process has is much. */
#define SHARE 16u
/* Objects that go back to their slabs at a time. */
#define GIVEN 64u

struct stack {
	struct lock lock;
	uint16_t count; /* read without the lock as a hint */
	uint16_t low;	/* the least count since the last look */
	uint16_t room;	/* count <= room */
	void **objects; /* room for so many; NULL: none yet */
} __attribute__((aligned(64)));

/* Zeroed ones are empty: those of classes not used here need no memory. */
static struct stack stacks[EXCHANGE_LANES][SMALL_CLASSES];
/* What the ledger was last told of; in a child, nothing yet. */
static uint64_t told_bytes;

static unsigned capacity(unsigned size_class)
{
	size_t objects = MAX_BYTES / size_classes[size_class].bytes;

	return objects < CAPACITY ? (unsigned)objects : CAPACITY;
}

/* More room, by doubling, for so many; false: no more are taken. */
static __attribute__((cold)) bool make_room(struct stack *stack,
					    unsigned size_class, unsigned count)
{
	unsigned most = capacity(size_class), room = stack->room;
	void **objects;

	if (count > most)
		return false;
	while (room < count)
		room = room ? 2 * room : FIRST_ROOM;
	if (room > most)
		room = most;
	objects = metadata_allocate(room * sizeof(*objects));
	if (!objects)
		return false;
	if (stack->objects) {
		memcpy(objects, stack->objects,
		       stack->count * sizeof(*objects));
		metadata_free(stack->objects, stack->room * sizeof(*objects));
	}
	stack->objects = objects;
	stack->room = (uint16_t)room;
	return true;
}

static void set_count(struct stack *stack, unsigned count)
{
	__atomic_store_n(&stack->count, (uint16_t)count, __ATOMIC_RELAXED);
	if (count < stack->low)
		stack->low = (uint16_t)count;
}

bool exchange_put(unsigned lane, unsigned size_class, void *const *objects,
		  unsigned count)
{
	struct stack *stack = &stacks[lane][size_class];
	bool room;

	lock_set_rank(&stack->lock, LOCK_EXCHANGE);
	lock_take(&stack->lock);
	room = stack->count + count <= stack->room ||
	       make_room(stack, size_class, stack->count + count);
	if (room) {
		memcpy(stack->objects + stack->count, objects,
		       count * sizeof(*objects));
		set_count(stack, stack->count + count);
	}
	lock_release(&stack->lock);
	return room;
}

static unsigned take_from(struct stack *stack, void **objects, unsigned want)
{
	if (!__atomic_load_n(&stack->count, __ATOMIC_RELAXED))
		return 0;
	lock_take(&stack->lock);
	if (want > stack->count)
		want = stack->count;
	if (want) {
		set_count(stack, stack->count - want);
		memcpy(objects, stack->objects + stack->count,
		       want * sizeof(*objects));
	}
	lock_release(&stack->lock);
	return want;
}

unsigned exchange_take(unsigned lane, unsigned size_class, void **objects,
		       unsigned want)
{
	unsigned got = 0;

	for (unsigned i = 0; i < EXCHANGE_LANES && !got; i++)
		got = take_from(
			&stacks[(lane + i) % EXCHANGE_LANES][size_class],
			objects, want);
	return got;
}

/* Takes out the oldest objects, GIVEN of them at most. */
static unsigned take_oldest(struct stack *stack, void **objects, unsigned count)
{
	unsigned left;

	if (count > GIVEN)
		count = GIVEN;
	if (count > stack->count)
		count = stack->count;
	if (!count)
		return 0;
	left = stack->count - count;
	memcpy(objects, stack->objects, count * sizeof(*objects));
	memmove(stack->objects, stack->objects + count,
		left * sizeof(*objects));
	set_count(stack, left);
	return count;
}

static unsigned give_oldest(struct stack *stack, unsigned count)
{
	void *objects[GIVEN];

	lock_take(&stack->lock);
	count = take_oldest(stack, objects, count);
	lock_release(&stack->lock);
	if (count)
		arena_free_small(objects, count);
	return count;
}

/* The oldest objects go, all or those that nobody needed of late: were any? */
static bool give_back(struct stack *stack, bool all)
{
	unsigned count, given;
	bool any;

	if (!__atomic_load_n(&stack->count, __ATOMIC_RELAXED))
		return false;
	lock_take(&stack->lock);
	count = all ? stack->count : stack->low;
	lock_release(&stack->lock);
	any = count != 0;
	do {
		given = give_oldest(stack, count);
		count -= given;
	} while (given && count);
	lock_take(&stack->lock);
	stack->low = stack->count;
	lock_release(&stack->lock);
	return any;
}

/*
 * Each batch could count itself, but the word would go to and fro between all
 * threads, which takes longer than a batch.
 */
size_t exchange_bytes(void)
{
	size_t bytes = 0;

	for (unsigned lane = 0; lane < EXCHANGE_LANES; lane++)
		for (unsigned i = 0; i < SMALL_CLASSES; i++)
			bytes += __atomic_load_n(&stacks[lane][i].count,
						 __ATOMIC_RELAXED) *
				 size_classes[i].bytes;
	return bytes;
}

void exchange_tell(void)
{
	uint64_t bytes = exchange_bytes();
	/* Another thread may be telling it too: each a difference. */
	uint64_t told =
		__atomic_exchange_n(&told_bytes, bytes, __ATOMIC_RELAXED);

	ledger_add_shared(&heap_arena(0)->stats->tcache_bytes, bytes - told);
}

static struct stack *nth_stack(unsigned n)
{
	return &stacks[n / SMALL_CLASSES % EXCHANGE_LANES][n % SMALL_CLASSES];
}

void exchange_trim(void)
{
	static unsigned turn;
	unsigned first, i;
	bool any = false;

	first = __atomic_fetch_add(&turn, TRIM_CLASSES, __ATOMIC_RELAXED);
	for (i = 0; i < TRIM_CLASSES; i++)
		any |= give_back(nth_stack(first + i), false);
	if (any)
		exchange_tell();
}

__attribute__((cold)) void exchange_flush(void)
{
	unsigned i;

	for (i = 0; i < ALL_STACKS; i++)
		(void)give_back(nth_stack(i), true);
	exchange_tell();
}

bool exchange_shrink(void)
{
	if (exchange_bytes() <= ledger_get(&ledger_process()->mapped) / SHARE)
		return false;
	exchange_flush();
	return true;
}

static void each_lock(void (*step)(struct lock *lock))
{
	unsigned i;

	for (i = 0; i < ALL_STACKS; i++)
		step(&nth_stack(i)->lock);
}

void exchange_prefork(void)
{
	each_lock(lock_take_for_fork);
}

void exchange_postfork_parent(void)
{
	each_lock(lock_release_for_fork);
}

void exchange_postfork_child(void)
{
	each_lock(lock_reset);
	told_bytes = 0;
}
