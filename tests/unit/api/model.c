/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random calls of the whole API against a shadow that knows each allocation's
 * address, size and contents: nothing overlaps, nothing is lost, and at the
 * end the books are even.
 */
#include "config.h"

#include "tap/tap.h"

#include <malloc.h>
#include <stdlib.h>

#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

#define SLOTS 4000
#define STEPS 400000

struct slot {
	unsigned char *ptr;
	size_t size;
	unsigned char mark;
	int flags;  /* to free it with */
	bool exact; /* size is what it was asked for with */
};

static struct slot slots[SLOTS];
static unsigned arenas[2];
static int cache;
static uint64_t seed = 20240229;
static unsigned damaged, misaligned, too_small, not_zero;

static uint64_t next_random(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return seed >> 33;
}

/* Mostly small, sometimes up to some megabytes. */
static size_t random_size(void)
{
	return 1 + next_random() % ((size_t)1 << next_random() % 12
					      << (next_random() % 64 ? 0 : 10));
}

static void mark(struct slot *slot)
{
	size_t i;

	slot->mark = (unsigned char)(1 + next_random() % 255);
	for (i = 0; i < slot->size && i < 64; i++)
		slot->ptr[i] = slot->ptr[slot->size - 1 - i] = slot->mark;
}

static void check(const struct slot *slot, size_t size)
{
	size_t i;

	for (i = 0; i < size && i < 64; i++)
		damaged += slot->ptr[i] != slot->mark;
	if (size == slot->size)
		for (i = 0; i < size && i < 64; i++)
			damaged += slot->ptr[size - 1 - i] != slot->mark;
	too_small += malloc_usable_size(slot->ptr) < size;
}

static void check_zero(const struct slot *slot)
{
	size_t i;

	for (i = 0; i < slot->size; i++)
		not_zero += slot->ptr[i] != 0;
}

static int random_flags(void)
{
	int flags = 0;

	if (next_random() % 4 == 0)
		flags |= MALLOCX_LG_ALIGN(next_random() % 16);
	if (next_random() % 4 == 0)
		flags |= MALLOCX_ZERO;
	switch (next_random() % 5) {
	case 0:
		return flags | MALLOCX_ARENA(arenas[next_random() % 2]);
	case 1:
		return flags | MALLOCX_TCACHE_NONE;
	case 2:
		return flags | MALLOCX_TCACHE(cache);
	default:
		return flags;
	}
}

static size_t alignment_of(int flags)
{
	return (size_t)1 << (flags & 63);
}

static void allocate(struct slot *slot)
{
	size_t alignment = (size_t)8 << next_random() % 12;

	slot->size = random_size();
	slot->flags = 0;
	slot->exact = true;
	switch (next_random() % 6) {
	case 0:
		slot->ptr = calloc(1, slot->size);
		check_zero(slot);
		break;
	case 1:
		slot->flags = MALLOCX_ALIGN(alignment);
		slot->ptr = aligned_alloc(alignment, slot->size);
		misaligned += ((uintptr_t)slot->ptr & (alignment - 1)) != 0;
		break;
	case 2:
	case 3:
		slot->flags = random_flags();
		slot->ptr = mallocx(slot->size, slot->flags);
		misaligned += ((uintptr_t)slot->ptr &
			       (alignment_of(slot->flags) - 1)) != 0;
		if (slot->flags & MALLOCX_ZERO)
			check_zero(slot);
		break;
	default:
		slot->ptr = malloc(slot->size);
	}
	mark(slot);
}

static void resize(struct slot *slot)
{
	size_t size = random_size();
	size_t least = size < slot->size ? size : slot->size;

	check(slot, slot->size);
	switch (next_random() % 3) {
	case 0:
		slot->ptr = realloc(slot->ptr, size);
		slot->exact = true;
		slot->flags = 0;
		break;
	case 1:
		slot->flags = random_flags() & ~MALLOCX_ZERO;
		slot->ptr = rallocx(slot->ptr, size, slot->flags);
		slot->exact = true;
		misaligned += ((uintptr_t)slot->ptr &
			       (alignment_of(slot->flags) - 1)) != 0;
		break;
	default:
		if (xallocx(slot->ptr, size, next_random() % 10000, 0) < size)
			return;
		slot->exact = false;
		slot->flags = 0;
	}
	slot->size = least;
	if (least > 64) /* the end moved: the front alone is as marked */
		slot->size = 64;
	check(slot, slot->size);
	slot->size = size;
	mark(slot);
}

static void release(struct slot *slot)
{
	check(slot, slot->size);
	switch (next_random() % 4) {
	case 0:
		if (!slot->exact)
			slot->size = sallocx(slot->ptr, 0);
		sdallocx(slot->ptr, slot->size, slot->flags & ~MALLOCX_ZERO);
		break;
	case 1:
		dallocx(slot->ptr, slot->flags & ~MALLOCX_ZERO);
		break;
	default:
		free(slot->ptr);
	}
	slot->ptr = NULL;
}

static uint64_t allocated(void)
{
	uint64_t bytes = 0;
	unsigned i;

	for (i = 0; i < heap_arena_count(); i++)
		if (heap_arena(i))
			bytes += ledger_arena(i)->small_allocated +
				 ledger_arena(i)->large_allocated;
	return bytes;
}

int main(void)
{
	uint64_t before;
	unsigned i;

	heap_boot();
	plan(5);
	arenas[0] = heap_arena_create(NULL);
	arenas[1] = heap_arena_create(NULL);
	cache = heap_cache_create();
	heap_thread_flush(thread_get());
	before = allocated();
	for (i = 0; i < STEPS; i++) {
		struct slot *slot = &slots[next_random() % SLOTS];

		if (!slot->ptr)
			allocate(slot);
		else if (next_random() % 3)
			release(slot);
		else
			resize(slot);
	}
	for (i = 0; i < SLOTS; i++)
		if (slots[i].ptr)
			release(&slots[i]);
	is_uint(damaged, 0, "no byte was damaged");
	is_uint(misaligned, 0, "all were aligned");
	is_uint(too_small, 0, "all were large enough");
	is_uint(not_zero, 0, "what should be zero was");
	heap_cache_flush(cache);
	heap_thread_flush(thread_get());
	is_uint(allocated(), before, "all freed: the books are as before");
	return done_testing();
}
