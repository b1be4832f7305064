/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Views of ledgers in memory: what a good one holds, and that each number
 * that would lead a reader astray is refused.
 */
#include "config.h"

#include <stdlib.h>

#include "libjeheap/target/target.h"
#include "tap/tap.h"
#include "unit/target/region.h"

#define WANT_ALL (LEDGER_WANT_STATS | LEDGER_WANT_PROFILE)

static struct arena arena;
static struct region region;

static bool view_of(size_t size, struct ledger_view *view, struct diag *diag)
{
	/* Its own block, so that a checker sees a read beyond it. */
	void *copy = malloc(size);
	bool good;

	*diag = (struct diag){0};
	memcpy(copy, &region, size);
	good = ledger_view_from_memory(copy, size, WANT_ALL, &arena, view,
				       diag);
	free(copy);
	return good;
}

static void test_good(void)
{
	const struct ledger_metric *metric;
	const struct ledger_thread *thread;
	struct ledger_view view;
	struct diag diag;

	region_fill(&region);
	ok(view_of(sizeof(region), &view, &diag), "a whole ledger is read");
	is_uint(view.count[LEDGER_COUNTS], 4, "with its counts");
	thread = ledger_row(&view, LEDGER_THREADS, 2);
	is_string(thread->name, "worker", "and threads");
	ok(!ledger_row(&view, LEDGER_THREADS, 3) &&
		   !ledger_row(&view, LEDGER_SECTIONS, 0),
	   "there is no row beyond the last");
	metric = ledger_view_metric(&view, LEDGER_ARENAS, "active");
	is_uint(ledger_view_sum(&view, metric), 123, "a metric adds up");
	is_uint(ledger_view_get(&view, metric, 9), 0,
		"and is 0 in a row that is not there");
	ok(!ledger_view_metric(&view, LEDGER_PROCESS, "active"),
	   "its name is its section's");
	is_uint(view.torn_rows, 0, "nothing is torn");
}

static void test_torn(void)
{
	struct ledger_view view;
	struct diag diag;

	region_fill(&region);
	region.samples[1].usable_bytes++;
	region.metrics[1].offset = sizeof(region.process);
	region.metrics[2].offset = 4;
	memset(region.threads[1].name, 'x', sizeof(region.threads[1].name));
	memset(region.header.version, '\n', sizeof(region.header.version));
	ok(view_of(sizeof(region), &view, &diag), "torn rows are no error");
	is_uint(view.torn_rows, 3, "but counted");
	is_uint(view.count[LEDGER_SAMPLES], 3, "a torn sample is left out");
	is_uint(view.count[LEDGER_METRICS], 4,
		"so are metrics that lie outside of their rows");
	is_uint(strlen(((const struct ledger_thread *)ledger_row(
				&view, LEDGER_THREADS, 1))
			       ->name),
		15, "a name without end gets one");
	ok(!strchr(view.header.version, '\n'), "texts are masked");
}

static void test_given_ahead(void)
{
	const struct ledger_metric *given = NULL;
	struct ledger_view view;
	struct diag diag;

	region_fill(&region);
	region_section(&region, LEDGER_ARENA_CLASSES,
		       offsetof(struct region, samples), 16, 16);
	region.metrics[1] = (struct ledger_metric){
		"nmalloc", "", LEDGER_COUNTER,	     LEDGER_UNIT_COUNT,
		1,	   0,  LEDGER_ARENA_CLASSES, 0,
		1};
	region.metrics[2] = region.metrics[1];
	strcpy(region.metrics[2].name, "ndalloc");
	region.metrics[2].offset = 8;
	region.samples[0].address = 70;
	region.samples[0].usable_bytes = 75;
	ok(view_of(sizeof(region), &view, &diag) &&
		   (given = ledger_view_metric(&view, LEDGER_ARENA_CLASSES,
					       "ndalloc")),
	   "a class of which more was given back than taken is read");
	is_uint(given ? ledger_view_get(&view, given, 0) : 0, 70,
		"as one of which all was given back");
}

static void test_half_way(void)
{
	struct ledger_view view;
	struct diag diag;

	region_fill(&region);
	region.header.generation = 3;
	ok(view_of(sizeof(region), &view, &diag) && view.unsettled,
	   "an image of tables that were being replaced is read, and marked");
}

static const char *name_of_passing(unsigned minor)
{
	const struct ledger_thread *thread;
	struct ledger_view view;
	struct diag diag;

	region_fill(&region);
	region.header.minor = (uint16_t)minor;
	region.threads[2].generation = 3;
	if (!view_of(sizeof(region), &view, &diag))
		return NULL;
	thread = ledger_row(&view, LEDGER_THREADS, 2);
	return thread->name;
}

static void test_passing(void)
{
	is_string(name_of_passing(5), "",
		  "the row of a thread that is passing to another is nobody's");
	is_string(name_of_passing(4), "worker",
		  "but before 1.5 generations are odd at times");
}

static void test_newer(void)
{
	struct ledger_view view;
	struct diag diag;

	region_fill(&region);
	region.header.minor = 9;
	region.header.section_count = LEDGER_SECTIONS + 3;
	/* Threads as if each row had grown to twice its size. */
	region.header.sections[LEDGER_THREADS].stride *= 2;
	region.header.sections[LEDGER_THREADS].count = 1;
	region.metrics[2].section = LEDGER_SECTIONS + 1;
	ok(view_of(sizeof(region), &view, &diag), "a newer minor version");
	is_uint(view.stride[LEDGER_THREADS], 2 * sizeof(struct ledger_thread),
		"is read by its own strides");
	is_uint(view.count[LEDGER_METRICS], 5,
		"metrics of sections that it has added are passed over");
	is_uint(view.torn_rows, 0, "and are not damage");
	region.header.major = 2;
	ok(!view_of(sizeof(region), &view, &diag) && strstr(diag.text, "2.9"),
	   "another major version is refused by name");
}

/* Rows of an older minor version, before a field was appended to them. */
static void test_older(void)
{
	const struct ledger_thread *thread;
	struct ledger_view view;
	struct diag diag;

	region_fill(&region);
	region.header.sections[LEDGER_METRICS].count = 0;
	ok(view_of(sizeof(region), &view, &diag) &&
		   view.count[LEDGER_METRICS] == 0,
	   "a ledger that describes no metric");
	region.header.section_count = 10;
	region.header.header_bytes = offsetof(struct ledger_header, sections) +
				     10 * sizeof(struct ledger_section);
	ok(view_of(sizeof(region), &view, &diag),
	   "a header with the sections of version 1.0 is whole");
	thread = ledger_row(&view, LEDGER_THREADS, 2);
	ok(thread && thread->uid == 5, "and its rows are where they were");
	for (unsigned id = 10; id < LEDGER_SECTIONS; id++)
		tap_line("# section %u: %" PRIu64 " rows\n", id,
			 view.count[id]);
	region.header.header_bytes -= 8;
	ok(!view_of(sizeof(region), &view, &diag),
	   "a header that cuts its last section is refused");
	region.header.header_bytes += 8;
	region.header.sections[LEDGER_COUNTS].stride = 56;
	ok(!view_of(sizeof(region), &view, &diag),
	   "so are rows shorter than those of version 1.0");
}

static void set_word(size_t offset, size_t size, uint64_t value)
{
	memcpy((char *)&region + offset, &value, size);
}

#define HEADER(field)                                                          \
 offsetof(struct region, header.field), sizeof(region.header.field)
#define SECTION(id, field)                                                     \
 offsetof(struct region, header.sections) +                                    \
	 (id) * sizeof(struct ledger_section) +                                \
	 offsetof(struct ledger_section, field),                               \
	 sizeof(((struct ledger_section *)0)->field)

static const struct {
	const char *what;
	size_t offset, size;
	uint64_t value;
} lies[] = {
	{"no magic", HEADER(magic), 0},
	{"a major version of 0", HEADER(major), 0},
	{"a header that is too small", HEADER(header_bytes), 64},
	{"a header beyond the region", HEADER(header_bytes), UINT32_MAX},
	{"too few sections", HEADER(section_count), 3},
	{"an empty region", HEADER(region_bytes), 0},
	{"a rate of 2^64", HEADER(lg_sample), 64},
	{"a stride of 0", SECTION(LEDGER_COUNTS, stride), 0},
	{"an odd stride", SECTION(LEDGER_COUNTS, stride), 81},
	{"an enormous stride", SECTION(LEDGER_COUNTS, stride), 1u << 31},
	{"more rows than room", SECTION(LEDGER_COUNTS, count), 5},
	{"rows without number", SECTION(LEDGER_FRAMES, count), UINT64_MAX},
	{"a section in the header", SECTION(LEDGER_STACKS, offset), 0},
	{"a section beyond the region", SECTION(LEDGER_STACKS, offset),
	 1u << 20},
	{"an offset that wraps", SECTION(LEDGER_STACKS, offset),
	 UINT64_MAX - 7},
	{"an odd offset", SECTION(LEDGER_STACKS, offset),
	 offsetof(struct region, stacks) + 1},
};

#define LIES (sizeof(lies) / sizeof(lies[0]))

static void test_lies(void)
{
	struct ledger_view view;
	struct diag diag;

	for (size_t i = 0; i < LIES; i++) {
		region_fill(&region);
		set_word(lies[i].offset, lies[i].size, lies[i].value);
		ok(!view_of(sizeof(region), &view, &diag) && diag.text[0],
		   "%s: %s", lies[i].what, diag.text);
	}
	/* A region that claims gigabytes which are not there. */
	region_fill(&region);
	region.header.region_bytes = UINT64_MAX;
	region.header.sections[LEDGER_FRAMES].capacity = UINT32_MAX;
	region.header.sections[LEDGER_FRAMES].count = 200000000;
	ok(!view_of(sizeof(region), &view, &diag), "more than there is: %s",
	   diag.text);
}

static void test_truncated(void)
{
	struct ledger_view view;
	struct diag diag;
	unsigned read = 0;

	region_fill(&region);
	for (size_t size = 0; size < sizeof(region); size += 8)
		read += view_of(size, &view, &diag);
	/* What follows the last section is padding. */
	is_uint(read,
		(sizeof(region) - offsetof(struct region, lives) -
		 sizeof(region.lives)) /
			8,
		"a ledger that is cut short is refused, wherever");
}

int main(void)
{
	plan(8 + 6 + 2 + 1 + 2 + 5 + 5 + LIES + 1 + 1);
	test_good();
	test_torn();
	test_given_ahead();
	test_half_way();
	test_passing();
	test_newer();
	test_older();
	test_lies();
	test_truncated();
	arena_free(&arena);
	return done_testing();
}
