/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics of a quiet program add up: over bins, over arenas, and with
 * what the program itself knows that it holds. Printing them allocates
 * nothing.
 */
#include "config.h"

#include <malloc.h>
#include <stdlib.h>

#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "tap/tap.h"

#define OBJECTS 3000

static void *objects[OBJECTS];

static uint64_t get(const char *name)
{
	uint64_t value = 0;
	size_t length = 8;

	if (mallctl(name, &value, &length, NULL, 0) == 0)
		return value;
	/* The error put the length right. */
	if (mallctl(name, &value, &length, NULL, 0) != 0)
		tap_line("# cannot read %s\n", name);
	return value;
}

static void publish(void)
{
	uint64_t epoch = 1;

	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
}

static uint64_t class_value(const char *arena, const char *kind, unsigned j,
			    const char *name)
{
	char whole[96];

	snprintf(whole, sizeof(whole), "stats.arenas.%s.%s.%u.%s", arena, kind,
		 j, name);
	return get(whole);
}

static uint64_t sum_bins(const char *name, bool bytes)
{
	uint64_t sum = 0;
	char size[64];

	for (unsigned j = 0; j < get("arenas.nbins"); j++) {
		snprintf(size, sizeof(size), "arenas.bin.%u.size", j);
		sum += class_value("4096", "bins", j, name) *
		       (bytes ? get(size) : 1);
	}
	return sum;
}

static uint64_t sum_lextents(const char *name)
{
	uint64_t sum = 0;

	for (unsigned j = 0; j < get("arenas.nlextents"); j++)
		sum += class_value("4096", "lextents", j, name);
	return sum;
}

static uint64_t sum_arenas(const char *name)
{
	uint64_t sum = 0;
	char whole[96];

	for (unsigned i = 0; i < get("arenas.narenas"); i++) {
		snprintf(whole, sizeof(whole), "arena.%u.initialized", i);
		if (!get(whole))
			continue;
		snprintf(whole, sizeof(whole), "stats.arenas.%u.%s", i, name);
		sum += get(whole);
	}
	return sum;
}

static void test_sums(const char *when)
{
	publish();
	tap_line("# %s\n", when);
	is_uint(sum_bins("curregs", true),
		get("stats.arenas.4096.small."
		    "allocated"),
		"objects in bins add up to small.allocated");
	is_uint(sum_bins("nmalloc", false),
		get("stats.arenas.4096.small.nmalloc"), "and nmalloc");
	is_uint(sum_bins("ndalloc", false),
		get("stats.arenas.4096.small.ndalloc"), "and ndalloc");
	is_uint(sum_bins("nrequests", false),
		get("stats.arenas.4096.small.nrequests"), "and nrequests");
	is_uint(sum_lextents("nmalloc"), get("stats.arenas.4096.large.nmalloc"),
		"large ones too");
	is_uint(get("stats.allocated"),
		get("stats.arenas.4096.small.allocated") +
			get("stats.arenas.4096.large.allocated"),
		"small and large make allocated");
	is_uint(sum_arenas("small.allocated"),
		get("stats.arenas.4096.small.allocated"), "arenas add up");
	is_uint(sum_arenas("pactive") * get("arenas.page"), get("stats.active"),
		"arenas' pages make active");
	is_uint(sum_arenas("mapped"), get("stats.mapped"),
		"arenas' mappings make mapped");
	ok(get("stats.active") >= get("stats.allocated"),
	   "active holds allocated");
	ok(get("stats.resident") >= get("stats.active") + get("stats.metadata"),
	   "resident holds active and metadata");
	ok(get("stats.mapped") >= get("stats.active"), "mapped holds active");
	ok(get("stats.arenas.4096.small.nrequests") <=
		   get("stats.arenas.4096.small.nmalloc"),
	   "nothing was requested that was not taken from an arena, "
	   "the cache being empty");
}

static uint64_t allocate(size_t size, unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		objects[i] = malloc(size);
		bytes += malloc_usable_size(objects[i]);
	}
	return bytes;
}

static void release(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free(objects[i]);
}

static void test_deltas(size_t size, unsigned count)
{
	uint64_t before, bytes;

	publish();
	before = get("stats.allocated");
	bytes = allocate(size, count);
	publish();
	ok(get("stats.allocated") - before == bytes,
	   "%u objects of %zu bytes are counted to the byte", count, size);
	test_sums("with these objects");
	release(count);
	publish();
	ok(get("stats.allocated") == before, "and no more when they are freed");
}

static void test_realloc(void)
{
	uint64_t before = get("stats.zero_reallocs");
	void *volatile object = malloc(10);

	object = realloc(object, 0);
	ok(!object && get("stats.zero_reallocs") == before + 1,
	   "realloc(p, 0) is counted");
}

static char printed[1 << 20];
static size_t printed_length;

static void collect(void *opaque, const char *text)
{
	size_t length = strlen(text);

	if (opaque == &printed_length &&
	    printed_length + length < sizeof(printed)) {
		memcpy(printed + printed_length, text, length + 1);
		printed_length += length;
	}
}

static bool print(const char *letters)
{
	uint64_t before = get("thread.allocated");

	printed_length = 0;
	malloc_stats_print(collect, &printed_length, letters);
	return printed_length > 0 && get("thread.allocated") == before;
}

static void test_print(void)
{
	ok(print(NULL), "text is printed, and nothing allocated");
	ok(strstr(printed, "Begin liballoc") && strstr(printed, "End liballoc"),
	   "from begin to end");
	ok(strstr(printed, "arenas[0]:") && strstr(printed, "bins:") &&
		   strstr(printed, "large:") && strstr(printed, "Merged") &&
		   strstr(printed, "opt.prof"),
	   "with all its parts");
	ok(print("gmabl") && !strstr(printed, "arenas[0]:") &&
		   !strstr(printed, "bins:") && !strstr(printed, "large:\n") &&
		   !strstr(printed, "Merged") && !strstr(printed, "opt.prof") &&
		   strstr(printed, "Allocated:"),
	   "or without them");
	ok(print("ma") && !strstr(printed, "bins:"),
	   "no arenas, no bins of theirs");
	ok(print("J") &&
		   strncmp(printed, "{\"jemalloc\":{\"version\":", 23) == 0,
	   "JSON is printed, and nothing allocated");
	ok(print("Jgmab") && !strstr(printed, "\"opt\"") &&
		   strstr(printed, "\"stats.arenas\":{}}}\n"),
	   "with as little in it");
}

int main(void)
{
	plan(13 + 5 * 15 + 1 + 7);
	test_sums("at the start");
	test_deltas(16, 3000);
	test_deltas(1000, 3000);
	test_deltas(16000, 100);
	test_deltas(100000, 50);
	test_deltas((5 << 20) + 1, 3);
	test_realloc();
	test_print();
	return done_testing();
}
