/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page heap against a model: random takes, gives, resizes and purges in
 * an arena of its own. Runs never overlap, keep their contents, are aligned,
 * and are zero where they say so; the ledger's words add up at each step.
 */
#include "config.h"

#include "tap/tap.h"

#include "liballoc/heap/arena.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/ledger/ledger.h"

#define SLOTS 200
#define STEPS 20000

struct slot {
	struct extent *extent;
	uint64_t mark; /* at each page's start and end */
	size_t marked; /* of so many bytes */
};

static struct slot slots[SLOTS];
static struct arena *arena;
static uint64_t seed = 42;
static unsigned overlaps, misaligned, not_zero, bad_books, resized, refused;
static unsigned taken_again;

static uint64_t next_random(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return seed >> 33;
}

static void mark(struct slot *slot, size_t from)
{
	size_t offset;

	for (offset = from; offset < slot->marked; offset += 4096) {
		uint64_t *page = (uint64_t *)(slot->extent->base + offset);

		page[0] = page[511] = slot->mark + offset;
	}
}

static void check(const struct slot *slot, size_t until)
{
	size_t offset;

	if (until > slot->marked)
		until = slot->marked;
	for (offset = 0; offset < until; offset += 4096) {
		uint64_t *page = (uint64_t *)(slot->extent->base + offset);

		overlaps += page[0] != slot->mark + offset;
		overlaps += page[511] != slot->mark + offset;
	}
}

static void check_zero(uintptr_t from, size_t bytes)
{
	size_t offset;

	for (offset = 0; offset < bytes; offset += 8)
		not_zero += *(uint64_t *)(from + offset) != 0;
}

/* What the extent says is zero, from an offset on. */
static void check_tail(const struct extent *extent, size_t from)
{
	if (from < extent->dirty_bytes)
		from = extent->dirty_bytes;
	if (from < extent->bytes)
		check_zero(extent->base + from, extent->bytes - from);
}

static size_t random_bytes(void)
{
	size_t pages = 1 + next_random() % (1u << next_random() % 9);

	return pages * os_page_bytes;
}

static void take(struct slot *slot)
{
	size_t alignment = os_page_bytes
			   << (next_random() % 8 ? 0 : next_random() % 10);
	size_t bytes = random_bytes();
	unsigned size_class = size_class_of(bytes);

	slot->extent = page_heap_take_large(arena, bytes, alignment, size_class,
					    1, next_random() % 4 == 0);
	if (!slot->extent)
		return;
	misaligned += (slot->extent->base & (alignment - 1)) != 0;
	misaligned += slot->extent->bytes != bytes;
	check_tail(slot->extent, 0);
	slot->mark = next_random();
	slot->marked = bytes;
	mark(slot, 0);
}

/* A larger one, of which only the first page is touched. */
static void take_sparse(struct slot *slot)
{
	size_t bytes = (320 + next_random() % 64) * os_page_bytes;

	slot->extent =
		page_heap_take_large(arena, bytes, os_page_bytes,
				     size_class_of(bytes), 1, PAGES_SPARSE);
	if (!slot->extent)
		return;
	misaligned += slot->extent->bytes < bytes;
	taken_again += slot->extent->fresh && slot->extent->dirty_bytes;
	slot->mark = next_random();
	slot->marked = os_page_bytes;
	mark(slot, 0);
}

static void resize(struct slot *slot)
{
	size_t old = slot->extent->bytes, bytes = random_bytes();

	if (!page_heap_resize_large(arena, slot->extent, bytes,
				    size_class_of(bytes))) {
		refused++;
		return;
	}
	resized++;
	check(slot, old < bytes ? old : bytes);
	check_tail(slot->extent, old);
	if (slot->marked < old && slot->marked < bytes)
		return;
	slot->marked = bytes;
	mark(slot, bytes > old ? old : bytes);
}

static size_t live_bytes(void)
{
	size_t bytes = 0;
	unsigned i;

	for (i = 0; i < SLOTS; i++)
		if (slots[i].extent)
			bytes += slots[i].extent->bytes;
	return bytes;
}

static void check_books(void)
{
	const struct arena_stats *stats = arena->stats;

	bad_books += stats->active != live_bytes();
	bad_books += stats->large_allocated != live_bytes();
	bad_books +=
		stats->mapped != stats->active + stats->dirty + stats->muzzy;
}

static void step(void)
{
	struct slot *slot = &slots[next_random() % SLOTS];

	if (!slot->extent && next_random() % 4 == 0) {
		take_sparse(slot);
	} else if (!slot->extent) {
		take(slot);
	} else if (next_random() % 3 == 0) {
		resize(slot);
	} else {
		check(slot, slot->extent->bytes);
		page_heap_give_large(arena, slot->extent);
		slot->extent = NULL;
	}
	if (next_random() % 256 == 0)
		page_heap_decay(arena, true);
	check_books();
}

static void test_model(void)
{
	unsigned i;

	for (i = 0; i < STEPS; i++)
		step();
	is_uint(overlaps, 0, "no run lost its contents");
	is_uint(misaligned, 0, "all are aligned, and of the size asked for");
	is_uint(not_zero, 0, "what is said to be zero is");
	is_uint(bad_books, 0, "the ledger's words add up at each step");
	ok(resized > 100 && refused > 100, "resizing was tried both ways");
	ok(taken_again > 100, "hardly touched ones were taken again");
}

static void test_coalesced(void)
{
	unsigned i;

	for (i = 0; i < SLOTS; i++)
		if (slots[i].extent)
			page_heap_give_large(arena, slots[i].extent);
	is_uint(arena->stats->active, 0, "all given back: nothing active");
	page_heap_decay(arena, true);
	is_uint(arena->stats->dirty + arena->stats->muzzy, 0,
		"purged: nothing dirty");
	is_uint(arena->stats->mapped, 0, "nor mapped");
	ok(arena->stats->retained > 0, "the address space is kept");
	ok(arena->stats->dirty_purged > 0, "purging was counted");
}

static void test_reuse(void)
{
	size_t bytes = arena->stats->retained;
	struct extent *run;

	run = page_heap_take_large(arena, bytes / 2, os_page_bytes,
				   size_class_of(bytes / 2), 1, true);
	ok(run != NULL, "half of it can be had again in one run");
	is_uint(arena->stats->active + arena->stats->retained, bytes,
		"with no new mapping");
	check_zero(run->base, run->bytes);
	is_uint(not_zero, 0, "and it is zero");
	page_heap_give_large(arena, run);
}

int main(void)
{
	heap_boot();
	plan(15);
	arena = heap_arena(heap_arena_create(NULL));
	ok(arena != NULL, "an arena of its own");
	/* Address space first, in one piece, so that nothing lies between. */
	page_heap_give(arena, page_heap_take(arena, (size_t)64 << 20,
					     os_page_bytes, PAGES_ANY));
	page_heap_decay(arena, true);
	test_model();
	test_coalesced();
	test_reuse();
	return done_testing();
}
