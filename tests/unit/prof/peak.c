/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The peak: what the tables say was in use at it is what was in use at it,
 * whatever has been sampled, freed, added up or emptied since.
 */
#include "config.h"

#include <pthread.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/prof/peak.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/tables.h"
#include "unit/prof/removal.h"
#include "tap/tap.h"

#define THREADS 4
#define OBJECTS 4000u
#define USABLE 16u

const char *malloc_conf =
	"prof_ledger_bytes:4194304,prof_active:false,prof_peak:false";

struct sums {
	uint64_t count, bytes;
};

static struct sums at_peak(void)
{
	const struct ledger_count *rows = ledger_rows(LEDGER_COUNTS);
	uint64_t count = ledger_header()->sections[LEDGER_COUNTS].count;
	struct sums sums = {0};
	struct peak_use row;

	for (uint64_t i = 0; i < count; i++) {
		if (!rows[i].allocated_count)
			continue;
		peak_get(&rows[i], peak_number(), &row);
		sums.count += row.count;
		sums.bytes += row.bytes;
	}
	return sums;
}

static bool is_at_peak(uint64_t count)
{
	struct sums sums = at_peak();

	if (sums.count != count || sums.bytes != count * USABLE)
		tap_line("# %u objects of %u bytes\n", (unsigned)sums.count,
			 (unsigned)sums.bytes);
	return sums.count == count && sums.bytes == count * USABLE;
}

static uint64_t peak_bytes(void)
{
	return ledger_get(&ledger_process()->prof_peak_bytes);
}

static bool add(uint64_t address, uint32_t thread, uint64_t stack)
{
	uint64_t frames[] = {stack, 0x1000};
	struct sampled what = {
		.address = address,
		.requested_bytes = 10,
		.usable_bytes = USABLE,
		.birth_ns = 1,
		.thread = thread,
		.size_class = 1,
		.lg_sample = 19,
	};
	struct tables_place place = {0};

	return tables_add(&what, frames, 2, &place);
}

/* Samples of several stacks at base, base + 16 ... */
static void add_many(uint64_t base, unsigned count, uint32_t thread)
{
	for (unsigned i = 1; i <= count; i++)
		add(base + 16 * i, thread, i % 50);
}

static void remove_many(uint64_t base, unsigned count)
{
	for (unsigned i = 1; i <= count; i++)
		remove_sample(base + 16 * i, 1);
}

/* Of one large class, 33 to 40 pages. */
static void add_large(uint64_t address, uint64_t pages)
{
	uint64_t frames[] = {0x3000};
	struct sampled what = {
		.address = address,
		.usable_bytes = pages * 4096,
		.thread = 1,
		.size_class = size_class_of(pages * 4096),
		.lg_sample = 19,
	};
	struct tables_place place = {0};

	tables_add(&what, frames, 1, &place);
}

static void start_anew(void)
{
	prof_reset(19);
	ledger_set(&ledger_process()->prof_peaks, 0);
}

static void test_peaks(void)
{
	start_anew();
	ok(peak_number() == 0 && peak_bytes() == 0, "at first there is none");
	add_many(1 << 20, 100, 1);
	peak_look(1000);
	ok(peak_number() == 1 && peak_bytes() == 1000, "the first look");
	ok(is_at_peak(100), "finds what is in use");
	remove_many(1 << 20, 60);
	ok(is_at_peak(100), "which stays where some of it is freed");
	add_many(2 << 20, 70, 1);
	add_many(3 << 20, 10, 2);
	ok(is_at_peak(100), "and where other samples come, in new rows too");
	peak_look(1000);
	peak_look(999);
	ok(peak_number() == 1 && is_at_peak(100), "what is no more is no peak");
	peak_look(1001);
	ok(peak_number() == 2 && is_at_peak(120), "what is more is one");
	remove_many(1 << 20, 100);
	remove_many(2 << 20, 70);
	remove_many(3 << 20, 10);
	ok(is_at_peak(120), "and stays where nothing is in use");
	prof_reset(19);
	ok(peak_bytes() == 0 && is_at_peak(0), "a reset forgets it");
	add_many(1 << 20, 5, 1);
	peak_look(1);
	add_many(2 << 20, 5, 1);
	ok(is_at_peak(5), "and the next look finds one");
}

/* Threads that have ended are added up. */
static void test_folding(void)
{
	uint32_t row[40];

	start_anew();
	for (unsigned i = 0; i < 40; i++) {
		row[i] = ledger_thread_new(1000 + i, 1);
		add_many((uint64_t)(i + 1) << 20, 100, row[i]);
	}
	peak_look(1);
	for (unsigned i = 0; i < 40; i++) {
		remove_many((uint64_t)(i + 1) << 20, i % 2 ? 100 : 30);
		ledger_thread_exit(row[i]);
		for (unsigned j = 0; j < 100; j++)
			tables_note_garbage();
	}
	tables_fold(true);
	ok(is_at_peak(4000), "what ended threads had is kept");
	tables_fold(true);
	ok(is_at_peak(4000), "however often they are added up");
}

static uint64_t rows_in_use(void)
{
	const struct ledger_count *rows = ledger_rows(LEDGER_COUNTS);
	uint64_t count = ledger_header()->sections[LEDGER_COUNTS].count;
	uint64_t used = 0;

	for (uint64_t i = 0; i < count; i++)
		used += rows[i].allocated_count != 0;
	return used;
}

static void note_much_garbage(void)
{
	for (unsigned i = 0; i < 10000; i++)
		tables_note_garbage();
}

static void test_without_accumulation(void)
{
	opt.prof_accum = false;
	test_folding();
	prof_reset(19);
	add_many(1 << 20, 100, 0);
	peak_look(1);
	remove_many(1 << 20, 100);
	note_much_garbage();
	tables_fold(true);
	ok(is_at_peak(100), "what was in use at the peak is not emptied");
	peak_look(2);
	note_much_garbage();
	tables_fold(true);
	is_uint(rows_in_use(), 0, "until there is another peak");
	opt.prof_accum = true;
}

static void *change(void *arg)
{
	uint64_t base = ((uintptr_t)arg + 1) << 32;

	for (unsigned round = 0; round < 10; round++) {
		remove_many(base, OBJECTS);
		add_many(base, OBJECTS, 1);
	}
	remove_many(base, OBJECTS / 2);
	return NULL;
}

/* All threads change the same 50 rows. */
static void test_threads(void)
{
	pthread_t threads[THREADS];
	const uint64_t rows = 50;
	uint64_t under_way;

	start_anew();
	for (uintptr_t i = 0; i < THREADS; i++)
		add_many((i + 1) << 32, OBJECTS, 1);
	peak_look(1);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, change, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok(is_at_peak(THREADS * OBJECTS), "threads do not disturb it");
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, change, (void *)i);
	for (unsigned i = 2; i < 2000; i++)
		peak_look(i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/*
	 * A peak falls into changes that are under way, one a thread and row,
	 * and the count and the bytes of a row are words of their own.
	 */
	under_way = THREADS * rows;
	ok(at_peak().count <= THREADS * OBJECTS + under_way &&
		   at_peak().bytes + under_way * USABLE >=
			   at_peak().count * USABLE &&
		   at_peak().bytes <= (at_peak().count + under_way) * USABLE,
	   "peaks among them are of what was there");
}

static void test_squares(void)
{
	const struct ledger_count *row = ledger_rows(LEDGER_COUNTS);
	struct peak_use use;

	start_anew();
	add_large(1 << 20, 33);
	add_large(2 << 20, 40);
	peak_look(1000);
	peak_get(row, peak_number(), &use);
	is_uint(use.squares, 33 * 33 + 40 * 40, "squares of what is in use");
	remove_sample(1 << 20, 1);
	add_large(3 << 20, 38);
	peak_get(row, peak_number(), &use);
	ok(use.count == 2 && use.squares == 33 * 33 + 40 * 40,
	   "stay where it changes");
	peak_look(1001);
	peak_get(row, peak_number(), &use);
	ok(use.count == 2 && use.squares == 38 * 38 + 40 * 40,
	   "until the next peak");
}

int main(void)
{
	plan(21);
	heap_boot();
	prof_reset(19);
	test_peaks();
	test_folding();
	test_without_accumulation();
	test_threads();
	test_squares();
	return done_testing();
}
