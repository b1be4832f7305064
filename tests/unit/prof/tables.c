/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables: what goes in comes out, under threads too; exited threads are
 * folded with no figure lost; full tables refuse and stay whole.
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/tables.h"
#include "unit/prof/removal.h"
#include "tap/tap.h"

#define THREADS 4
#define OBJECTS 4000u

const char *malloc_conf = "prof_ledger_bytes:2097152,prof_active:false";

struct sums {
	uint64_t allocated, allocated_bytes, freed, freed_bytes, rows;
};

static uint64_t rows_of(unsigned section)
{
	return ledger_header()->sections[section].count;
}

static struct sums sum_up(void)
{
	const struct ledger_count *rows = ledger_rows(LEDGER_COUNTS);
	struct sums sums = {0};

	for (uint64_t i = 0; i < rows_of(LEDGER_COUNTS); i++) {
		sums.allocated += rows[i].allocated_count;
		sums.allocated_bytes += rows[i].allocated_bytes;
		sums.freed += rows[i].freed_count;
		sums.freed_bytes += rows[i].freed_bytes;
		sums.rows += rows[i].allocated_count != 0;
	}
	return sums;
}

static bool add(uint64_t address, uint32_t thread, uint64_t stack)
{
	uint64_t frames[] = {stack, 0x1000, 0x2000};
	struct sampled what = {
		.address = address,
		.requested_bytes = 10,
		.usable_bytes = 16,
		.birth_ns = 1,
		.thread = thread,
		.size_class = 1,
		.lg_sample = 19,
	};
	struct tables_place place = {0};

	return tables_add(&what, frames, 3, &place);
}

/* Rows in use whose checksum holds. */
static uint64_t live_samples(void)
{
	const struct ledger_sample *rows = ledger_rows(LEDGER_SAMPLES);
	uint64_t live = 0;

	for (uint64_t i = 0; i < rows_of(LEDGER_SAMPLES); i++)
		live += rows[i].address > 1 &&
			rows[i].check == ledger_sample_check(&rows[i]);
	return live;
}

static void check_one(void)
{
	const struct freed_by nobody = {0};
	struct sums sums;

	ok(add(0x100, 1, 7) && add(0x200, 1, 7) && add(0x300, 1, 8),
	   "samples are added");
	is_uint(rows_of(LEDGER_STACKS), 2, "a stack is kept once");
	is_uint(rows_of(LEDGER_FRAMES), 6, "with its frames");
	ok(sample_at(0x200) && !sample_at(0x400), "samples are found");
	ok(remove_sample(0x200, 1) && !remove_sample(0x200, 1) &&
		   !sample_at(0x200),
	   "a sample is removed once");
	is_uint(live_samples(), 2, "two are left");
	ok(!tables_remove_by(sample_at(0x300), 0x100, &nobody, NULL) &&
		   !tables_remove_by(0, 0x100, &nobody, NULL) &&
		   !tables_remove_by(UINT32_MAX, 0x100, &nobody, NULL),
	   "nor by a number that is not its own");
	ok(add(0x200, 1, 8), "an address is sampled again");
	sums = sum_up();
	ok(sums.allocated == 4 && sums.freed == 1 &&
		   sums.allocated_bytes == 64 && sums.freed_bytes == 16,
	   "all is counted");
	is_uint(sums.rows, 2, "one row for each stack");
	is_uint(ledger_process()->prof_samples_live, live_samples(),
		"live samples are counted");
}

static uint64_t elsewhere(void)
{
	const struct ledger_count *rows = ledger_rows(LEDGER_COUNTS);
	uint64_t sum = 0;

	for (uint64_t i = 0; i < rows_of(LEDGER_COUNTS); i++)
		sum += rows[i].freed_elsewhere;
	return sum;
}

/* Of the rows of LEDGER_LIVES: how many objects word i counts. */
static uint64_t lived(unsigned word)
{
	const struct ledger_life *rows = ledger_rows(LEDGER_LIVES);
	uint64_t sum = 0;

	for (uint64_t i = 0; i < rows_of(LEDGER_LIVES); i++)
		sum += rows[i].words[word];
	return sum;
}

static uint64_t lived_at_all(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LEDGER_LIFE_WORDS; i++)
		sum += lived(i);
	return sum;
}

static void check_frees(void)
{
	uint64_t before = ledger_process()->prof_freed_elsewhere;

	prof_reset(19);
	for (uint64_t i = 1; i <= 5; i++)
		add(i << 8, 1, 7);
	remove_sample(1 << 8, 1);
	remove_sample(2 << 8, 0);
	is_uint(elsewhere(), 0, "its own thread, or one unknown, is no other");
	remove_sample(3 << 8, 2);
	is_uint(elsewhere(), 1, "another thread is");
	is_uint(ledger_process()->prof_freed_elsewhere - before, 1,
		"in the sum of the process too");
	counts_freed(0, 16, (uint64_t)1 << LEDGER_LIFE_LG_MIN, 1);
	counts_freed(0, 16, UINT64_C(5) << 20, 1);
	counts_freed(0, 16, UINT64_MAX, 1);
	counts_freed(0, 16, 0, 1);
	ok(lived(0) >= 2 && lived(22 - LEDGER_LIFE_LG_MIN) == 1 &&
		   lived(LEDGER_LIFE_WORDS - 1) >= 1,
	   "lifetimes are counted by their logarithm");
	is_uint(lived_at_all(), 7, "each once");
	prof_reset(19);
	is_uint(lived_at_all(), 0, "a reset forgets them");
}

/* A large object of so many pages: their class spans 33 to 40 pages. */
static void add_large(uint64_t address, uint64_t pages, uint32_t thread)
{
	uint64_t frames[] = {0x3000};
	struct sampled what = {
		.address = address,
		.requested_bytes = 1,
		.usable_bytes = pages * 4096,
		.thread = thread,
		.size_class = size_class_of(pages * 4096),
		.lg_sample = 19,
	};
	struct tables_place place = {0};

	tables_add(&what, frames, 1, &place);
}

static bool squares_are(uint32_t row, uint64_t allocated, uint64_t freed)
{
	const struct ledger_count *rows = ledger_rows(LEDGER_COUNTS);

	return rows[row].allocated_squares == allocated &&
	       rows[row].freed_squares == freed;
}

static void check_squares(void)
{
	const struct ledger_count *row = ledger_rows(LEDGER_COUNTS);
	uint32_t thread = ledger_thread_new(900, 1);

	prof_reset(19);
	add(0x100, 1, 7);
	ok(squares_are(0, 0, 0), "a small class has no squares: one size");
	prof_reset(19);
	add_large(0x1000, 33, 0);
	add_large(0x2000, 40, 0);
	ok(squares_are(0, 33 * 33 + 40 * 40, 0), "a large one has them");
	remove_sample(0x1000, 0);
	ok(squares_are(0, 33 * 33 + 40 * 40, 33 * 33), "of what is freed too");
	add_large(0x3000, 34, thread);
	remove_sample(0x3000, thread);
	ledger_thread_exit(thread);
	for (unsigned i = 0; i < 1024; i++)
		tables_note_garbage();
	tables_fold(false);
	ok(squares_are(0, 33 * 33 + 40 * 40 + 34 * 34, 33 * 33 + 34 * 34),
	   "which are added up with the rest");
	ok(ledger_squares_hold(3, 107 * 4096, row->allocated_squares) &&
		   ledger_squares_hold(1, 40 * 4096, 40 * 40),
	   "such squares can be");
	ok(!ledger_squares_hold(3, 107 * 4096, 107 * 107 / 3 - 1) &&
		   !ledger_squares_hold(3, 107 * 4096, 107 * 107) &&
		   !ledger_squares_hold(0, 0, 1) &&
		   !ledger_squares_hold(UINT64_MAX, UINT64_MAX, 1) &&
		   !ledger_squares_hold(UINT64_MAX, 1, UINT64_MAX),
	   "others cannot");
	is_near(ledger_size_variation(2, 73 * 4096, 33 * 33 + 40 * 40),
		3.5 * 3.5 / (36.5 * 36.5), 1e-12, "how sizes vary");
	ok(ledger_size_variation(2, 80 * 4096, 2 * 40 * 40) == 0 &&
		   ledger_size_variation(2, 80 * 4096, 0) == 0 &&
		   ledger_size_variation(3, 0, 0) == 0,
	   "which they do not, or nothing is known of it");
	prof_reset(19);
	ok(squares_are(0, 0, 0), "a reset forgets them");
}

static void *work(void *arg)
{
	uint64_t base = ((uintptr_t)arg + 1) << 32;

	for (unsigned i = 1; i <= OBJECTS; i++) {
		add(base + 16 * i, 1, i % 50);
		if (i % 2 == 0)
			remove_sample(base + 16 * i, 1);
		if (i % 4 == 0)
			remove_sample(base + 16 * (i - 1), 1);
	}
	return NULL;
}

/* None of these threads has any end that the allocator sees, or publishes. */
static void check_totals(uint64_t before)
{
	const struct process_stats *process = ledger_process();
	uint64_t taken = THREADS * OBJECTS, told;

	told = process->prof_samples - before;
	ok(told <= taken && told >= taken - taken / 256 - 16,
	   "the totals are late by a 256th");
	tables_tell_totals();
	is_uint(process->prof_samples - before, taken, "until all is told");
	is_uint(process->prof_samples_live, live_samples(),
		"what is live, too");
}

static void check_threads(void)
{
	pthread_t threads[THREADS];
	struct sums sums;
	uint64_t before;

	prof_reset(19);
	before = ledger_process()->prof_samples;
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	sums = sum_up();
	is_uint(sums.allocated, THREADS * OBJECTS, "no sample is lost");
	is_uint(sums.freed, THREADS * OBJECTS / 4 * 3, "nor a free");
	is_uint(live_samples(), THREADS * OBJECTS / 4, "the rest is live");
	check_totals(before);
	ok(rows_of(LEDGER_STACKS) == 50 && sums.rows == 50,
	   "stacks and counts are not doubled");
	ok(rows_of(LEDGER_SAMPLES) < THREADS * OBJECTS / 2,
	   "rows are used again");
}

/* A copy made while such a row is taken anew must not be of stack 0. */
static void check_empty_rows(void)
{
	const struct ledger_count *counts = ledger_rows(LEDGER_COUNTS);
	unsigned empty = 0, stackless = 0, lost = 0;

	tables_fold(true);
	for (uint64_t i = 0; i < rows_of(LEDGER_COUNTS); i++)
		if (counts[i].allocated_count == 0) {
			empty++;
			stackless += counts[i].stack == LEDGER_NO_STACK;
		} else {
			lost += counts[i].stack >= rows_of(LEDGER_STACKS);
		}
	ok(empty != 0, "rows are emptied");
	is_uint(stackless, empty, "and these have no stack");
	is_uint(lost, 0, "as all others have theirs");
}

/* Many threads' worth of counts through a small table. */
static void check_folding(void)
{
	uint64_t generation;
	struct sums sums;
	unsigned added = 0;

	prof_reset(19);
	generation = ledger_header()->generation;
	for (uint64_t i = 0; i < 30000; i++) {
		uint32_t row = ledger_thread_new(1000 + i, 1);
		uint64_t address = (i + 1) << 8;

		if (row == 0) {
			tables_fold(true);
			row = ledger_thread_new(1000 + i, 1);
		}
		if (!add(address, row, i % 3)) {
			tables_fold(false);
			added += add(address, row, i % 3);
		} else {
			added++;
		}
		if (i % 100 != 0)
			remove_sample(address, row);
		ledger_thread_exit(row);
		tables_note_garbage();
	}
	sums = sum_up();
	is_uint(added, 30000, "30,000 threads have their samples taken");
	is_uint(sums.allocated, 30000, "and counted, when they are gone too");
	is_uint(sums.freed, 29700, "as are the frees");
	is_uint(live_samples(), 300, "the live ones stay");
	is_uint(lived_at_all(), 29700, "lifetimes outlive their threads");
	is_uint(elsewhere(), 0, "which freed what was theirs");
	ok(ledger_header()->generation > generation &&
		   ledger_header()->generation % 2 == 0,
	   "readers are told of each folding");
	check_empty_rows();
}

/* What ended threads counted is added up before it becomes much. */
static void check_exits(void)
{
	uint64_t most_rows = 0;
	uint32_t most_row = 0;
	struct sums sums;

	prof_reset(19);
	for (uint64_t i = 0; i < 3000; i++) {
		uint32_t row = ledger_thread_new(40000 + i, 1);

		add((i + 1) << 8, row, i % 3);
		remove_sample((i + 1) << 8, row);
		ledger_thread_exit(row);
		tables_note_exit();
		sums = sum_up();
		if (sums.rows > most_rows)
			most_rows = sums.rows;
		if (row > most_row)
			most_row = row;
	}
	is_uint(sums.allocated, 3000, "3,000 threads that end are counted");
	ok(most_rows < 64 && most_row < 400,
	   "in %u rows at most, of the first %u threads' rows",
	   (unsigned)most_rows, most_row);
}

/* What one thread's samples had, of a table that is full, others may have. */
static void check_others_rows(uint64_t count)
{
	uint64_t others = 0;

	for (uint64_t i = 0; i < count; i++)
		remove_sample((i + 1) << 4, 1);
	for (uint32_t thread = 2; thread < 6; thread++)
		for (uint64_t i = 0; i < count / 4; i++)
			others += add((i + 1) << 4 | (uint64_t)thread << 40,
				      thread, i % 2);
	ok(others > count / 10 * 9, "%u of %u rows serve other threads",
	   (unsigned)others, (unsigned)count);
}

static void check_full(void)
{
	uint64_t before, added = 0;

	prof_reset(19);
	while (add((added + 1) << 4, 1, added % 2))
		added++;
	before = sum_up().allocated;
	ok(added > 1000 && added <= ledger_capacity(LEDGER_SAMPLES),
	   "%u samples fill the table", (unsigned)added);
	ok(before == added && live_samples() == added,
	   "what was refused is not counted");
	ok(remove_sample(16, 1) && add(16, 1, 0), "a freed row serves again");
	check_others_rows(added);
	prof_reset(19);
	added = 0;
	while (add((added + 1) << 4, 1, added))
		remove_sample((++added) << 4, 1);
	ok(added == ledger_capacity(LEDGER_STACKS) ||
		   added == ledger_capacity(LEDGER_FRAMES) / 3 ||
		   added == ledger_capacity(LEDGER_COUNTS),
	   "%u stacks fill theirs", (unsigned)added);
	is_uint(lived_at_all(), added, "each row has its lifetimes");
	prof_reset(18);
	ok(sum_up().allocated == 0 && live_samples() == 0 &&
		   rows_of(LEDGER_STACKS) == 0 && prof_lg_sample_get() == 18,
	   "a reset empties all and sets the rate");
	ok(add(16, 1, 0) && sum_up().allocated == 1, "and it starts anew");
}

int main(void)
{
	plan(55);
	heap_boot();
	is_uint(ledger_thread_new(0, 1), 1, "row 1 is a thread's");
	prof_reset(19);
	check_one();
	check_frees();
	check_squares();
	check_threads();
	check_folding();
	check_exits();
	check_full();
	return done_testing();
}
