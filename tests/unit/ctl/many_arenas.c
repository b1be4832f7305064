/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As many arenas as there may be, in a ledger that has rows for few: each can
 * be named by flags, and the statistics stay within the ledger's tables.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <stdlib.h>

#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

/* The least there is. */
const char *malloc_conf = "prof_ledger_bytes:1048576";

static unsigned arena_of(void *ptr)
{
	unsigned arena = 0;
	size_t bytes = sizeof(arena);

	mallctl("arenas.lookup", &arena, &bytes, &ptr, sizeof(ptr));
	return arena;
}

static int create(unsigned *arena)
{
	size_t bytes = sizeof(*arena);

	return mallctl("arenas.create", arena, &bytes, NULL, 0);
}

static void test_limit(void)
{
	unsigned arena = 0, wrong = 0;
	int error;

	while (!(error = create(&arena))) {
		int flags = MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
		void *ptr = mallocx(100, flags);

		wrong += !ptr || arena_of(ptr) != arena;
		dallocx(ptr, flags);
	}
	is_int(error, EAGAIN, "there is an end to arenas");
	is_uint(arena, HEAP_MAX_ARENAS - 1, "where it is said to be");
	is_uint(wrong, 0, "each serves what is asked of it");
}

static uint64_t control(const char *name)
{
	uint64_t value = 0;
	size_t bytes = sizeof(value);

	if (mallctl(name, &value, &bytes, NULL, 0))
		return UINT64_MAX;
	return value;
}

static void count(void *total, const char *text)
{
	*(size_t *)total += strlen(text);
}

static void test_statistics(void)
{
	unsigned rows = ledger_capacity(LEDGER_ARENA_CLASSES) /
			ledger_capacity(LEDGER_CLASSES);
	uint64_t nmalloc = 0;
	size_t printed = 0;
	unsigned i, j;

	ok(rows < heap_arena_count(), "arenas have to share rows");
	for (i = 0; i < rows; i++)
		for (j = 0; j < heap_small_class_count(); j++)
			nmalloc += ledger_class(i, j)->nmalloc;
	is_uint(control("stats.arenas.4096.small.nmalloc"), nmalloc,
		"all arenas are the sum of the rows");
	ok(control("stats.arenas.4094.small.nmalloc") <= nmalloc,
	   "an arena without a row of its own has the shared one's");
	malloc_stats_print(count, &printed, "a");
	ok(printed > 0, "the statistics can be printed");
}

int main(void)
{
	plan(7);
	test_limit();
	test_statistics();
	return done_testing();
}
