/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The *allocx functions by jemalloc's manual: flags, sizes, zeroing, arenas
 * and caches by name, and in-place resizing.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <stdlib.h>

#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

static volatile size_t huge = PTRDIFF_MAX;

static bool all_zero(const char *bytes, size_t count)
{
	while (count)
		if (bytes[--count])
			return false;
	return true;
}

static void test_sizes(void)
{
	bool agree = true, aligned = true;
	size_t size;
	int lg;

	for (size = 1; size < 5000000; size = size * 5 / 4 + 1)
		for (lg = 0; lg < 21; lg += 3) {
			int flags = MALLOCX_LG_ALIGN(lg);
			void *ptr = mallocx(size, flags);

			agree = agree && ptr &&
				nallocx(size, flags) == sallocx(ptr, flags) &&
				sallocx(ptr, 0) >= size;
			aligned = aligned && !((uintptr_t)ptr &
					       (((uintptr_t)1 << lg) - 1));
			sdallocx(ptr, size, flags);
		}
	ok(agree, "nallocx foretells sallocx");
	ok(aligned, "MALLOCX_LG_ALIGN is kept");
	is_uint(nallocx(huge, 0), 0, "nallocx of too much is 0");
	is_uint(nallocx(1, MALLOCX_LG_ALIGN(63)), 0, "so is 2^63 aligned");
	is_int(MALLOCX_ALIGN(4096), MALLOCX_LG_ALIGN(12), "MALLOCX_ALIGN");
	errno = 0;
	ok(!mallocx(huge, 0) && errno == ENOMEM, "mallocx of too much");
}

static void test_zero(void)
{
	bool zero = true;
	size_t size;

	for (size = 8; size < 3000000; size = size * 3 / 2) {
		char *ptr = mallocx(size, 0);

		memset(ptr, 0xa5, sallocx(ptr, 0));
		dallocx(ptr, 0);
		ptr = mallocx(size, MALLOCX_ZERO);
		zero = zero && all_zero(ptr, sallocx(ptr, 0));
		memset(ptr, 0xa5, sallocx(ptr, 0));
		dallocx(ptr, 0);
	}
	ok(zero, "MALLOCX_ZERO clears all that is usable");
}

static void test_rallocx_zero(void)
{
	bool zero = true, kept = true;
	size_t size;

	for (size = 10; size < 2000000; size = size * 3 / 2) {
		char *ptr = mallocx(3 * size, 0);
		size_t usable;

		memset(ptr, 0xa5, sallocx(ptr, 0));
		dallocx(ptr, 0);
		ptr = mallocx(size, MALLOCX_ZERO);
		usable = sallocx(ptr, 0);
		memset(ptr, 0x5a, usable);
		ptr = rallocx(ptr, 3 * size, MALLOCX_ZERO);
		kept = kept && ptr[0] == 0x5a && ptr[size - 1] == 0x5a;
		zero = zero && all_zero(ptr + usable, sallocx(ptr, 0) - usable);
		dallocx(ptr, 0);
	}
	ok(kept, "rallocx keeps the contents");
	ok(zero, "rallocx with MALLOCX_ZERO clears what came");
}

static void test_rallocx_align(void)
{
	char *ptr = mallocx(100, 0);

	ptr = rallocx(ptr, 200, MALLOCX_ALIGN(8192));
	ok(ptr && (uintptr_t)ptr % 8192 == 0, "rallocx aligns");
	ptr = rallocx(ptr, 100000, MALLOCX_ALIGN(1 << 20));
	ok(ptr && (uintptr_t)ptr % (1 << 20) == 0, "also what is large");
	errno = 0;
	ok(!rallocx(ptr, huge, 0) && errno == ENOMEM, "rallocx too much");
	dallocx(ptr, 0);
}

static void test_xallocx(void)
{
	char *ptr = mallocx(100, 0);
	size_t usable = sallocx(ptr, 0);

	is_uint(xallocx(ptr, usable, 0, 0), usable, "no change: its size");
	is_uint(xallocx(ptr, usable + 1, 0, 0), usable, "small: cannot grow");
	is_uint(xallocx(ptr, 8, 0, 0), usable, "nor shrink");
	dallocx(ptr, 0);
	ptr = mallocx(10 << 20, 0);
	is_uint(xallocx(ptr, 4 << 20, 0, 0), 4 << 20, "large: shrinks");
	memset(ptr, 0xa5, 4 << 20);
	is_uint(xallocx(ptr, 5 << 20, 1 << 20, MALLOCX_ZERO), 6 << 20,
		"and grows, extra included");
	ok(ptr[(4 << 20) - 1] == (char)0xa5 &&
		   all_zero(ptr + (4 << 20), 2 << 20),
	   "zeroed beyond what was");
	is_uint(xallocx(ptr, 5 << 20, huge, 0) >= (5 << 20), 1,
		"extra beyond all bounds does no harm");
	is_uint(xallocx(ptr, huge, 0, 0) < huge, 1, "too much: refused");
	dallocx(ptr, 0);
}

static void test_arena(void)
{
	unsigned index = heap_arena_create(NULL), found = 0;
	struct arena_stats *stats = ledger_arena(index);
	int flags = MALLOCX_ARENA(index);
	void *small, *large;

	ok(index >= 1 && index != UINT32_MAX, "a new arena");
	small = mallocx(100, flags | MALLOCX_TCACHE_NONE);
	large = mallocx(100000, flags);
	ok(heap_arena_of(small, &found) && found == index,
	   "mallocx allocates from it");
	is_uint(stats->small_allocated, sallocx(small, 0), "small, counted");
	is_uint(stats->large_allocated, sallocx(large, 0), "large, counted");
	dallocx(small, MALLOCX_TCACHE_NONE);
	free(large);
	is_uint(stats->small_allocated + stats->large_allocated, 0,
		"a free past the caches counts at once");
	is_uint(ledger_class(index, 7)->nmalloc, 1, "one of its class came");
	is_uint(ledger_class(index, 7)->ndalloc, 1, "and went");
	is_uint(ledger_class(index, 7)->nrequests, 1, "as was asked");
	errno = 0;
	ok(!mallocx(8, MALLOCX_ARENA(4000)) && errno == ENOMEM,
	   "an arena that is none");
}

static void test_cache(void)
{
	int cache = heap_cache_create();
	int flags = MALLOCX_TCACHE(cache);
	void *first = mallocx(64, flags), *second;

	ok(cache >= 0 && first, "a cache of our own");
	dallocx(first, flags);
	second = mallocx(64, flags);
	ok(first == second, "gives back what it got last");
	dallocx(second, MALLOCX_TCACHE_NONE);
	ok(heap_cache_flush(cache), "it can be flushed");
	ok(heap_cache_destroy(cache), "and destroyed");
	ok(!heap_cache_destroy(cache), "once");
	errno = 0;
	ok(!mallocx(64, flags) && errno == ENOMEM, "then it is gone");
}

/* The arena is the object's own: saying so keeps no cache from having it. */
static void test_free_in_arena(void)
{
	void *first = malloc(1000), *second = malloc(1000);

	/* So that the cache has another one to give. */
	free(malloc(1000));
	dallocx(first, MALLOCX_ARENA(0));
	ok(malloc(1000) == first, "dallocx with an arena frees to the cache");
	sdallocx(second, 1000, MALLOCX_ARENA(0));
	ok(malloc(1000) == second, "and so does sdallocx");
	free(first);
	free(second);
}

int main(void)
{
	heap_boot();
	plan(37);
	test_sizes();
	test_zero();
	test_rallocx_zero();
	test_rallocx_align();
	test_xallocx();
	test_arena();
	test_cache();
	test_free_in_arena();
	return done_testing();
}
