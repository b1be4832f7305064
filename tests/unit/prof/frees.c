/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an object was freed: a stack that begins with the function that called
 * the API, by whatever way the free went within the allocator, which is linked
 * in here, so that its frames are told from the program's by their functions.
 */
#include "config.h"

#include <stdlib.h>

#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/recent_record.h"
#include "liballoc/prof/tables.h"
#include "tap/tap.h"

/* Each object is a sample, and the last one is kept. */
const char *malloc_conf = "lg_prof_sample:0,prof_recent_alloc_max:1";

/* None of the functions that free is longer. */
#define FUNCTION_BYTES 64u

static __attribute__((noinline)) void by_free(void *ptr, size_t bytes)
{
	(void)bytes;
	free(ptr);
	__asm__ volatile("" : : : "memory");
}

static __attribute__((noinline)) void by_free_sized(void *ptr, size_t bytes)
{
	free_sized(ptr, bytes);
	__asm__ volatile("" : : : "memory");
}

static __attribute__((noinline)) void by_dallocx(void *ptr, size_t bytes)
{
	(void)bytes;
	dallocx(ptr, MALLOCX_TCACHE_NONE);
	__asm__ volatile("" : : : "memory");
}

static __attribute__((noinline)) void by_sdallocx(void *ptr, size_t bytes)
{
	sdallocx(ptr, bytes, 0);
	__asm__ volatile("" : : : "memory");
}

static __attribute__((noinline)) void by_realloc(void *ptr, size_t bytes)
{
	ptr = realloc(ptr, 100 * bytes);
	__asm__ volatile("" : : "r"(ptr) : "memory");
}

static struct {
	const char *name;
	void (*call)(void *ptr, size_t bytes);
} ways[] = {
	{"free", by_free},	 {"free_sized", by_free_sized},
	{"dallocx", by_dallocx}, {"sdallocx", by_sdallocx},
	{"realloc", by_realloc},
};

static bool begins_in(uint32_t stack, void (*function)(void *, size_t))
{
	uint64_t frames[BACKTRACE_MAX], begin = (uintptr_t)function;

	return stacks_peek(stack, frames, BACKTRACE_MAX) > 1 &&
	       frames[0] > begin && frames[0] <= begin + FUNCTION_BYTES;
}

/* Of an object of so many bytes, allocated with the flags. */
static unsigned wrong_ways(size_t bytes, int flags)
{
	struct recent_record record;
	unsigned wrong = 0;
	ssize_t max;

	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		void *ptr = mallocx(bytes, flags);
		bool kept;

		/* What realloc allocates in its place is kept too. */
		mallctl("experimental.prof_recent.alloc_max", NULL, NULL,
			&(ssize_t){2}, sizeof(ssize_t));
		ways[i].call(ptr, bytes);
		kept = recent_copy(&record, 1, &max) == 1 &&
		       begins_in(record.freed_at, ways[i].call);
		if (!kept)
			printf("# by %s\n", ways[i].name);
		wrong += !kept;
		mallctl("experimental.prof_recent.alloc_max", NULL, NULL,
			&(ssize_t){0}, sizeof(ssize_t));
		mallctl("experimental.prof_recent.alloc_max", NULL, NULL,
			&(ssize_t){1}, sizeof(ssize_t));
	}
	return wrong;
}

int main(void)
{
	unsigned index = 0;

	plan(5);
	is_uint(wrong_ways(200, 0), 0, "a small object that lies apart");
	is_uint(wrong_ways(9000, 0), 0, "a small one that does not");
	is_uint(wrong_ways(30000, 0), 0, "one of the caches' large classes");
	is_uint(wrong_ways(300000, 0), 0, "a large one");
	mallctl("arenas.create", &index, &(size_t){sizeof(index)}, NULL, 0);
	is_uint(wrong_ways(200, MALLOCX_ARENA(index)), 0,
		"one of a created arena");
	return done_testing();
}
