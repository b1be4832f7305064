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
#include "liballoc/heap/container.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/ledger/ledger.h"

#define CAPACITY 2048u
#define LEAST_CAPACITY 2u
#define FIRST_ROOM 16u
#define MAX_BYTES ((size_t)48 << 10)
#define TRIM_CLASSES 4u
/* More than this share of what the process has is much. */
#define SHARE 16u
/* Objects that go back to their slabs at a time. */
#define GIVEN 64u
/* The least time between two looks at all classes. */
#define TRIM_ALL_NS UINT64_C(1000000000)
/* At least so long from one telling to the next, by threads that publish. */
#define TELL_NS UINT64_C(2000000)

struct stack {
	struct lock lock;
	uint16_t count; /* read without the lock as a hint */
	uint16_t low;	/* the least count since the last look */
	uint16_t room;	/* count <= room */
	void **objects; /* room for so many; NULL: none yet */
} __attribute__((aligned(64)));

/* Zeroed ones are empty: those of classes not used here need no memory. */
static struct stack stacks[EXCHANGE_LANES][SMALL_CLASSES];
/* How many were asked for: of the lanes beyond that many nobody has one. */
static unsigned joined;
/* What the ledger was last told of; in a child, nothing yet. */
static uint64_t told_bytes;

static unsigned lanes(void)
{
	unsigned count = __atomic_load_n(&joined, __ATOMIC_RELAXED);

	return count < EXCHANGE_LANES ? count : EXCHANGE_LANES;
}

static void each_stack(void (*visit)(struct stack *stack))
{
	unsigned count = lanes(), lane, i;

	for (lane = 0; lane < count; lane++)
		for (i = 0; i < SMALL_CLASSES; i++)
			visit(&stacks[lane][i]);
}

/* Less where memory is short. */
static unsigned capacity(unsigned size_class)
{
	unsigned scale = __atomic_load_n(&container_scale, __ATOMIC_RELAXED);
	size_t most = CAPACITY * scale / CONTAINER_FULL_SCALE;
	size_t objects = MAX_BYTES * scale / CONTAINER_FULL_SCALE /
			 size_classes[size_class].bytes;

	objects = objects < most ? objects : most;
	return objects > LEAST_CAPACITY ? (unsigned)objects : LEAST_CAPACITY;
}

unsigned exchange_join(void)
{
	unsigned before = joined;

	__atomic_store_n(&joined, before + 1, __ATOMIC_RELAXED);
	return before % EXCHANGE_LANES;
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

static bool has_room(struct stack *stack, unsigned size_class, unsigned count)
{
	if (count > stack->room)
		return make_room(stack, size_class, count);
	return container_is_roomy() || count <= capacity(size_class);
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
	room = has_room(stack, size_class, stack->count + count);
	if (room) {
		memcpy(stack->objects + stack->count, objects,
		       count * sizeof(*objects));
		set_count(stack, stack->count + count);
	}
	lock_release(&stack->lock);
	return room;
}

/* Not inlined, so that there is only one. */
static __attribute__((noinline)) unsigned
take_newest(struct stack *stack, void **objects, unsigned want)
{
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

static unsigned take_from(struct stack *stack, void **objects, unsigned want)
{
	return __atomic_load_n(&stack->count, __ATOMIC_RELAXED)
		       ? take_newest(stack, objects, want)
		       : 0;
}

unsigned exchange_take(unsigned lane, unsigned size_class, void **objects,
		       unsigned want)
{
	unsigned got = 0, count = lanes(), i;

	for (i = 0; i < count && !got; i++) {
		got = take_from(&stacks[lane][size_class], objects, want);
		lane = lane + 1 < count ? lane + 1 : 0;
	}
	return got;
}

/* Takes out the oldest objects, GIVEN of them at most. */
static unsigned take_oldest(struct stack *stack, void **objects, unsigned count)
{
	unsigned left;

	lock_take(&stack->lock);
	if (count > GIVEN)
		count = GIVEN;
	if (count > stack->count)
		count = stack->count;
	left = stack->count - count;
	if (count) {
		memcpy(objects, stack->objects, count * sizeof(*objects));
		memmove(stack->objects, stack->objects + count,
			left * sizeof(*objects));
		set_count(stack, left);
	}
	lock_release(&stack->lock);
	return count;
}

static unsigned least_count(struct stack *stack)
{
	unsigned least;

	lock_take(&stack->lock);
	least = stack->low;
	lock_release(&stack->lock);
	return least;
}

static void look_anew(struct stack *stack)
{
	lock_take(&stack->lock);
	stack->low = stack->count;
	lock_release(&stack->lock);
}

/* The oldest objects go, those that nobody needed of late: were any? */
static bool trim(struct stack *stack)
{
	void *objects[GIVEN];
	unsigned excess, count;
	bool any;

	if (!__atomic_load_n(&stack->count, __ATOMIC_RELAXED))
		return false;
	excess = least_count(stack);
	any = excess != 0;
	for (; excess; excess -= count) {
		count = take_oldest(stack, objects, excess);
		if (!count)
			break;
		arena_free_small(objects, count);
	}
	look_anew(stack);
	return any;
}

/* What others leave meanwhile may stay. */
static __attribute__((cold)) void give_all(struct stack *stack)
{
	unsigned left = __atomic_load_n(&stack->count, __ATOMIC_RELAXED), count;
	void *objects[GIVEN];

	while (left && (count = take_from(stack, objects, GIVEN))) {
		arena_free_small(objects, count);
		left -= count < left ? count : left;
	}
}

/*
 * Each batch could count itself, but the word would go to and fro between all
 * threads, which takes longer than a batch.
 */
size_t exchange_bytes(void)
{
	unsigned count = lanes(), lane, i;
	size_t bytes = 0;

	for (lane = 0; lane < count; lane++)
		for (i = 0; i < SMALL_CLASSES; i++)
			bytes += __atomic_load_n(&stacks[lane][i].count,
						 __ATOMIC_RELAXED) *
				 size_classes[i].bytes;
	return bytes;
}

/*
 * Others may be telling it too, and read the row meanwhile: what it has for the
 * exchange is never less than what was told, so that it never seems below 0.
 */
__attribute__((cold)) void exchange_tell(void)
{
	uint64_t *cached = &heap_arena(0)->stats->tcache_bytes;
	uint64_t told = __atomic_load_n(&told_bytes, __ATOMIC_ACQUIRE);
	uint64_t bytes, more;
	bool done;

	do {
		bytes = exchange_bytes();
		more = bytes > told ? bytes - told : 0;
		if (more)
			ledger_add_shared(cached, more);
		done = __atomic_compare_exchange_n(&told_bytes, &told, bytes,
						   false, __ATOMIC_ACQ_REL,
						   __ATOMIC_ACQUIRE);
		if (more && !done)
			ledger_add_shared(cached, -more);
	} while (!done);
	if (bytes < told)
		ledger_add_shared(cached, bytes - told);
}

void exchange_tell_when_due(uint64_t now_ns)
{
	static uint64_t next_ns;

	if (os_is_turn(&next_ns, now_ns, TELL_NS))
		exchange_tell();
}

static void trim_classes(unsigned first, unsigned classes)
{
	unsigned count = lanes(), lane, i;
	bool any = false;

	for (lane = 0; lane < count; lane++)
		for (i = first; i < first + classes; i++)
			any |= trim(&stacks[lane][i % SMALL_CLASSES]);
	if (any)
		exchange_tell();
}

void exchange_trim(void)
{
	static unsigned turn;

	trim_classes(__atomic_fetch_add(&turn, TRIM_CLASSES, __ATOMIC_RELAXED),
		     TRIM_CLASSES);
}

void exchange_trim_when_due(uint64_t now_ns)
{
	static uint64_t next_ns;

	if (os_is_turn(&next_ns, now_ns, TRIM_ALL_NS))
		trim_classes(0, SMALL_CLASSES);
}

__attribute__((cold)) void exchange_flush(void)
{
	each_stack(give_all);
	exchange_tell();
}

bool exchange_shrink(void)
{
	if (exchange_bytes() <= ledger_get(&ledger_process()->mapped) / SHARE)
		return false;
	exchange_flush();
	return true;
}

static void hold(struct stack *stack)
{
	lock_take_for_fork(&stack->lock);
}

static void let_go(struct stack *stack)
{
	lock_release_for_fork(&stack->lock);
}

static void reset(struct stack *stack)
{
	lock_reset(&stack->lock);
}

void exchange_prefork(void)
{
	each_stack(hold);
}

void exchange_postfork_parent(void)
{
	each_stack(let_go);
}

void exchange_postfork_child(void)
{
	each_stack(reset);
	ledger_set(&told_bytes, 0);
}
