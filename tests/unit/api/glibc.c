/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glibc's functions around malloc tell of our heap, and the hint for
 * defragmentation picks the objects whose moving empties slabs.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"

/* What is freed stays until it is trimmed; no sample lies elsewhere. */
const char *malloc_conf = "dirty_limit:-1,lg_prof_sample:40";

#define MIB ((size_t)1 << 20)

static void test_mallinfo(void)
{
	struct mallinfo2 before = mallinfo2(), with, after;
	struct mallinfo narrow;
	void *ptr = malloc(64 * MIB);

	memset(ptr, 1, 64 * MIB);
	with = mallinfo2();
	narrow = mallinfo();
	free(ptr);
	after = mallinfo2();
	is_uint(with.uordblks - before.uordblks, 64 * MIB,
		"uordblks grows by what was allocated");
	ok(with.arena >= with.uordblks &&
		   with.fordblks == with.arena - with.uordblks,
	   "arena is that and what is free");
	is_int(narrow.uordblks, (int64_t)with.uordblks, "mallinfo is as wide");
	/* Some of it may have been free before. */
	ok(after.keepcost >= 64 * MIB && after.keepcost >= before.keepcost,
	   "what was freed is what trimming would give back");
}

static void test_large_mallinfo(void)
{
	void *ptr = malloc((size_t)3 << 30);

	is_int(mallinfo().uordblks, INT_MAX, "beyond an int: its most");
	ok(mallinfo2().uordblks >= (size_t)3 << 30, "which mallinfo2 tells");
	free(ptr);
}

static void test_trim(void)
{
	void *ptr = malloc(32 * MIB);

	memset(ptr, 1, 32 * MIB);
	free(ptr);
	is_int(malloc_trim(0), 1, "malloc_trim gives pages back");
	is_uint(mallinfo2().keepcost, 0, "all of them");
	is_int(malloc_trim(0), 0, "and has none to give then");
}

static void test_mallopt(void)
{
	is_int(mallopt(M_ARENA_MAX, 2), 1, "a hint of glibc's is taken");
	is_int(mallopt(M_PERTURB, 7), 0, "what cannot be done is not");
	is_int(mallopt(12345, 1), 0, "nor what is unknown");
}

static void test_malloc_info(void)
{
	static char text[1 << 16];
	FILE *stream = fmemopen(text, sizeof(text), "w");

	is_int(malloc_info(1, stream), EINVAL, "malloc_info has no options");
	is_int(malloc_info(0, stream), 0, "malloc_info writes");
	fclose(stream);
	ok(strncmp(text, "<malloc version=\"1\">\n<heap nr=\"0\">", 34) == 0,
	   "XML with our arenas");
	ok(strstr(text, "</heap>\n<total type=\"fast\"") &&
		   strcmp(text + strlen(text) - 10, "</malloc>\n") == 0,
	   "totals, and an end");
}

#define OBJECTS 4096

/*
 * Half of the slabs keep each eighth object, the others all: the hint must
 * pick nearly all of the few, and none of the many.
 */
static void test_defrag_hint(void)
{
	static void *objects[OBJECTS];
	unsigned arena = heap_arena_create(NULL), few = 0, many = 0, i;
	int flags = MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
	void *large = mallocx(MIB, flags);

	for (i = 0; i < OBJECTS; i++)
		objects[i] = mallocx(256, flags);
	for (i = 0; i < OBJECTS / 2; i++)
		if (i % 8) {
			dallocx(objects[i], flags);
			objects[i] = NULL;
		}
	for (i = 0; i < OBJECTS; i++)
		if (objects[i] && je_get_defrag_hint(objects[i]))
			*(i < OBJECTS / 2 ? &few : &many) += 1;
	ok(few >= OBJECTS / 16 - 8, "the lone ones are worth moving");
	is_uint(many, 0, "those in full slabs are not");
	is_int(je_get_defrag_hint(large), 0, "nor is what is large");
}

int main(void)
{
	heap_boot();
	plan(19);
	test_mallinfo();
	test_large_mallinfo();
	test_trim();
	test_mallopt();
	test_malloc_info();
	test_defrag_hint();
	return done_testing();
}
