/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emergency path: with the thread marked as busy inside the allocator,
 * allocations of all kinds work, are told apart, and frees are put off.
 */
#include "config.h"

#include "tap/tap.h"

#include <malloc.h>
#include <stdlib.h>

#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

/* Uncached, so that each call takes the slow path. */
#define FLAGS MALLOCX_TCACHE_NONE

static void test_allocate(void)
{
	char *small, *large, *aligned;
	bool zero = true;
	size_t i;

	thread_busy++;
	small = mallocx(10, FLAGS);
	large = mallocx(300000, FLAGS);
	aligned = mallocx(5000, FLAGS | MALLOCX_ALIGN(1 << 20));
	thread_busy--;
	ok(small && large && aligned, "allocations are served");
	ok(!((uintptr_t)aligned & ((1 << 20) - 1)), "aligned as asked");
	for (i = 0; i < 300000; i++)
		zero = zero && !large[i];
	ok(zero, "and zero");
	ok(malloc_usable_size(large) >= 300000, "their size is known");
	memset(large, 7, 300000);
	small = realloc(small, 100000);
	large = realloc(large, 400000);
	ok(small && large[0] == 7 && large[299999] == 7, "they can be resized");
	free(small);
	free(large);
	free(aligned);
	ok(true, "and freed");
}

static void test_free(void)
{
	struct class_stats *class = ledger_class(
		heap_thread_arena(thread_get()), size_class_of(100));
	char *ordinary = mallocx(100, FLAGS);
	uint64_t freed = class->ndalloc;

	thread_busy++;
	dallocx(ordinary, FLAGS);
	thread_busy--;
	is_uint(class->ndalloc, freed, "an ordinary object's free is put off");
	heap_run_deferred(); /* into the cache */
	heap_thread_flush(thread_get());
	freed++;
	is_uint(class->ndalloc, freed, "and done when the allocator is left");
}

static void test_failure(void)
{
	void *ptr;

	thread_busy++;
	os_fail_map(1, false);
	ptr = mallocx(10, FLAGS);
	thread_busy--;
	ok(!ptr, "without memory: NULL");
	ok(!emergency_allocate(SIZE_MAX, 0), "of an absurd size: NULL");
	ok(!emergency_allocate(1, (size_t)1 << 63), "aligned absurdly: NULL");
}

int main(void)
{
	free(malloc(1));
	plan(11);
	test_allocate();
	test_free();
	test_failure();
	return done_testing();
}
