/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call that Rust's jemalloc-ctl makes of the C interface, with the
 * lengths that it uses: each control read by name and by numbers, those that
 * it writes written back, and the values plausible. The functions that
 * jemalloc-sys declares are called too.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "liballoc/include/liballoc/liballoc.h"

enum kind { BOOL, UNSIGNED, SIZE, SSIZE, U64, STRING, POINTER };

static const size_t kind_bytes[] = {
	[BOOL] = 1,
	[UNSIGNED] = sizeof(unsigned),
	[SIZE] = 8,
	[SSIZE] = 8,
	[U64] = 8,
	[STRING] = sizeof(char *),
	[POINTER] = sizeof(void *),
};

static const struct control {
	const char *name;
	size_t depth; /* the numbers that jemalloc-ctl has room for */
	enum kind kind;
	bool writable;
} controls[] = {
	{"version", 1, STRING, false},
	{"epoch", 1, U64, true},
	{"background_thread", 1, BOOL, true},
	{"max_background_threads", 1, SIZE, true},
	{"config.malloc_conf", 2, STRING, false},
	{"arenas.narenas", 2, UNSIGNED, false},
	{"opt.abort", 2, BOOL, false},
	{"opt.background_thread", 2, BOOL, false},
	{"opt.dss", 2, STRING, false},
	{"opt.narenas", 2, UNSIGNED, false},
	{"opt.tcache", 2, BOOL, false},
	{"opt.tcache_max", 2, SIZE, false},
	{"opt.zero", 2, BOOL, false},
	{"opt.prof", 2, BOOL, false},
	{"opt.prof_final", 2, BOOL, false},
	{"opt.prof_leak", 2, BOOL, false},
	{"opt.lg_prof_interval", 2, SSIZE, false},
	{"opt.lg_prof_sample", 2, SIZE, false},
	{"prof.active", 2, BOOL, true},
	{"stats.active", 2, SIZE, false},
	{"stats.allocated", 2, SIZE, false},
	{"stats.mapped", 2, SIZE, false},
	{"stats.metadata", 2, SIZE, false},
	{"stats.resident", 2, SIZE, false},
	{"stats.retained", 2, SIZE, false},
	{"thread.allocatedp", 2, POINTER, false},
	{"thread.deallocatedp", 2, POINTER, false},
};

#define CONTROLS (sizeof(controls) / sizeof(controls[0]))

/* Is it such a value as its type can have? */
static bool plausible(enum kind kind, uint64_t value)
{
	switch (kind) {
	case BOOL:
		return value <= 1;
	case UNSIGNED:
		return value > 0 && value < 100000;
	case SSIZE:
		return (int64_t)value >= -1;
	case STRING:
		return value && strlen((const char *)(uintptr_t)value) < 4096;
	case POINTER:
		return value % sizeof(uint64_t) == 0 && value;
	default:
		return true;
	}
}

static bool read_both_ways(const struct control *c, uint64_t *value)
{
	uint64_t by_mib = 0;
	size_t bytes = kind_bytes[c->kind], mib[4], depth = c->depth;

	*value = 0;
	if (mallctl(c->name, value, &bytes, NULL, 0) ||
	    bytes != kind_bytes[c->kind])
		return false;
	if (mallctlnametomib(c->name, mib, &depth) || depth != c->depth)
		return false;
	if (mallctlbymib(mib, depth, &by_mib, &bytes, NULL, 0) ||
	    bytes != kind_bytes[c->kind])
		return false;
	return plausible(c->kind, *value) && plausible(c->kind, by_mib);
}

/* Writes what was read, alone and while reading, and then too short a value. */
static bool write_back(const struct control *c, uint64_t value)
{
	uint64_t old = 0;
	size_t bytes = kind_bytes[c->kind];

	return !mallctl(c->name, NULL, NULL, &value, bytes) &&
	       !mallctl(c->name, &old, &bytes, &value, bytes) &&
	       bytes == kind_bytes[c->kind] &&
	       mallctl(c->name, NULL, NULL, &value, bytes + 1) == EINVAL;
}

static bool refuses_writing(const struct control *c, uint64_t value)
{
	return mallctl(c->name, NULL, NULL, &value, kind_bytes[c->kind]) ==
	       EPERM;
}

static void test_controls(void)
{
	for (size_t i = 0; i < CONTROLS; i++) {
		const struct control *c = &controls[i];
		uint64_t value;

		ok(read_both_ways(c, &value), "%s is read", c->name);
		if (c->writable)
			ok(write_back(c, value), "and written");
		else
			ok(refuses_writing(c, value), "and not written");
	}
}

static size_t stat_of(const char *name)
{
	uint64_t epoch = 1;
	size_t value = 0, bytes = sizeof(value);

	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	mallctl(name, &value, &bytes, NULL, 0);
	return value;
}

static uint64_t *counter(const char *name)
{
	uint64_t *pointer = NULL;
	size_t bytes = sizeof(pointer);

	mallctl(name, &pointer, &bytes, NULL, 0);
	return pointer;
}

#define MIB ((size_t)1 << 20)

static void test_values(void)
{
	size_t before = stat_of("stats.allocated"), with;
	uint64_t allocated = *counter("thread.allocatedp");
	uint64_t freed = *counter("thread.deallocatedp");
	void *volatile ptr = malloc(8 * MIB);

	memset(ptr, 1, 8 * MIB);
	with = stat_of("stats.allocated");
	is_uint(with - before, 8 * MIB, "stats.allocated grows by 8 MiB");
	ok(stat_of("stats.active") >= with, "active is as much");
	ok(stat_of("stats.resident") >= stat_of("stats.active"),
	   "resident as much again");
	ok(stat_of("stats.mapped") >= stat_of("stats.active"), "so is mapped");
	ok(stat_of("stats.metadata") > 0, "there is metadata");
	is_uint(*counter("thread.allocatedp") - allocated, 8 * MIB,
		"the thread has allocated as much");
	free(ptr);
	is_uint(*counter("thread.deallocatedp") - freed, 8 * MIB,
		"and freed it");
}

static void test_profiling(void)
{
	size_t lg_sample = 16, bytes = sizeof(lg_sample), old = 0;

	mallctl("prof.lg_sample", &old, &bytes, NULL, 0);
	is_int(mallctl("prof.reset", NULL, NULL, &lg_sample, sizeof(lg_sample)),
	       0, "prof.reset takes a new rate");
	mallctl("prof.lg_sample", &lg_sample, &bytes, NULL, 0);
	is_uint(lg_sample, 16, "which holds from then on");
	mallctl("prof.reset", NULL, NULL, &old, sizeof(old));
	is_int(mallctl("prof.reset", &old, &bytes, NULL, 0), EPERM,
	       "and cannot be read");
}

/* As GlobalAlloc does: flags for alignment where the natural one is less. */
static void test_functions(void)
{
	int flags = MALLOCX_ALIGN(128);
	char *ptr = mallocx(1000, flags | MALLOCX_ZERO);

	ok(ptr && (uintptr_t)ptr % 128 == 0 && !ptr[999], "alloc_zeroed");
	ptr = rallocx(ptr, 10000, flags);
	ok(ptr && (uintptr_t)ptr % 128 == 0 && !ptr[999], "realloc");
	is_uint(xallocx(ptr, 10000, 0, flags), sallocx(ptr, flags), "xallocx");
	is_uint(nallocx(10000, flags), malloc_usable_size(ptr), "nallocx");
	sdallocx(ptr, 10000, flags);
	ptr = aligned_alloc(64, 640);
	ok(ptr && !posix_memalign((void **)&ptr, 64, (free(ptr), 640)),
	   "aligned_alloc and posix_memalign");
	dallocx(ptr, 0);
}

int main(void)
{
	plan(2 * CONTROLS + 15);
	test_controls();
	test_values();
	test_profiling();
	test_functions();
	return done_testing();
}
