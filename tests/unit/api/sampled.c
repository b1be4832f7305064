/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With each object sampled, and all memory cleared: a sample lives as long as
 * its object, also where a resize fails, and the cache can be switched off
 * and on without memory coming uncleared.
 */
#include "config.h"

#include "tap/tap.h"

#include <malloc.h>
#include <stdlib.h>

#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"

const char *malloc_conf = "lg_prof_sample:0,zero:true";

static void test_resize(void)
{
	char *first = malloc(1 << 20), *wall = malloc(1 << 20);
	size_t huge = (size_t)1 << 44;
	void *moved;

	ok(heap_sample_of(first), "an object is a sample");
	is_uint(xallocx(first, huge, 0, 0), 1 << 20, "it cannot grow so far");
	ok(heap_sample_of(first), "and is a sample still");
	os_fail_map(1, true);
	moved = realloc(first, huge);
	os_fail_map(0, false);
	ok(!moved && heap_sample_of(first), "also where realloc fails");
	is_uint(xallocx(first, 1 << 16, 0, 0), 1 << 16, "it can shrink");
	ok(heap_sample_of(first), "and is a sample anew");
	free(first);
	ok(!heap_sample_of(first), "freed, it is none");
	free(wall);
}

static bool is_zero(const char *bytes, size_t count)
{
	while (count--)
		if (bytes[count])
			return false;
	return true;
}

static void test_zero(void)
{
	bool on = true, zero = true;
	unsigned i;

	mallctl("thread.tcache.enabled", NULL, NULL, &on, sizeof(on));
	mallctl("prof.active", NULL, NULL, &(bool){false}, sizeof(bool));
	for (i = 0; i < 3000; i++) {
		char *ptr = malloc(500);

		zero = zero && is_zero(ptr, 500);
		memset(ptr, 7, 500);
		free(ptr);
	}
	ok(zero, "with the cache switched on, memory comes cleared");
}

int main(void)
{
	plan(8);
	test_resize();
	test_zero();
	return done_testing();
}
