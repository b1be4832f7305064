/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a dump, from a snapshot of the counts. Allocates nothing from
 * the heap and takes no lock.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/os.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/dump.h"
#include "liballoc/prof/images.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/snapshot.h"
#include "liballoc/prof/writer.h"

struct dump {
	struct writer writer;
	struct snapshot snapshot;
	struct estimates *threads; /* by row of LEDGER_THREADS */
	uint64_t thread_count;
	size_t threads_bytes;
	unsigned lg_sample;
	bool at_peak;
	bool accumulates; /* what was allocated is told as well */
};

static const struct ledger_class *size_class(const struct ledger_count *row)
{
	return (struct ledger_class *)ledger_rows(LEDGER_CLASSES) +
	       row->size_class;
}

/* "C: B" */
static void write_columns(struct dump *dump, const struct estimate *estimate)
{
	uint64_t count = estimate->samples, bytes = estimate->sampled_bytes;

	if (opt.prof_unbias)
		estimate_columns(estimate, dump->lg_sample, &count, &bytes);
	writer_decimal(&dump->writer, count);
	writer_text(&dump->writer, ": ");
	writer_decimal(&dump->writer, bytes);
}

/* "C: B [AC: AB]" */
static void write_counts(struct dump *dump, const struct estimates *estimates)
{
	static const struct estimate none;

	write_columns(dump, &estimates->in_use);
	writer_text(&dump->writer, " [");
	write_columns(dump, dump->accumulates ? &estimates->allocated : &none);
	writer_text(&dump->writer, "]");
}

static void write_thread(struct dump *dump, const char *before, uint32_t thread)
{
	writer_text(&dump->writer, before);
	writer_decimal(&dump->writer, ledger_get(&ledger_thread(thread)->uid));
	writer_text(&dump->writer, ": ");
}

static bool is_wanted(const struct dump *dump,
		      const struct estimates *estimates)
{
	return dump->accumulates ? estimates->allocated.weight > 0
				 : estimates->in_use.weight > 0;
}

static void write_header_thread(struct dump *dump, uint32_t thread)
{
	char name[LEDGER_THREAD_NAME_BYTES];

	ledger_thread_copy_name(thread, name);
	write_thread(dump, "  t", thread);
	write_counts(dump, &dump->threads[thread]);
	if (name[0]) {
		writer_text(&dump->writer, " ");
		writer_text(&dump->writer, name);
	}
	writer_text(&dump->writer, "\n");
}

static void write_header(struct dump *dump)
{
	struct estimates all = {0};

	for (size_t i = 0; i < dump->snapshot.count; i++)
		estimates_add(&all, &dump->snapshot.rows[i].count);
	writer_text(&dump->writer, "heap_v2/");
	writer_decimal(&dump->writer, (uint64_t)1 << dump->lg_sample);
	writer_text(&dump->writer, "\n  t*: ");
	write_counts(dump, &all);
	writer_text(&dump->writer, "\n");
	for (uint32_t i = 0; i < dump->thread_count; i++)
		if (is_wanted(dump, &dump->threads[i]) ||
		    (i != 0 && ledger_thread_state(i) == LEDGER_THREAD_LIVE))
			write_header_thread(dump, i);
}

static void write_number(struct dump *dump, const char *what, uint64_t value)
{
	writer_text(&dump->writer, what);
	writer_decimal(&dump->writer, value);
	writer_text(&dump->writer, "\n");
}

/* The arguments, blanks within them escaped, so that they can be told apart. */
static void write_command(struct dump *dump)
{
	static char text[4096] __attribute__((aligned(4096)));
	int fd = os_open("/proc/self/cmdline");
	ssize_t n = fd < 0 ? 0 : os_read(fd, text, sizeof(text));
	const char *at = text, *end = text + (n > 0 ? n : 0);

	if (fd >= 0)
		os_close(fd);
	writer_text(&dump->writer, "# command");
	while (at < end) {
		size_t length = strnlen(at, (size_t)(end - at));

		writer_text(&dump->writer, " ");
		writer_escaped(&dump->writer, at, length);
		at += length + 1;
	}
	writer_text(&dump->writer, "\n");
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now = {0};

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void write_library(struct dump *dump)
{
	const struct ledger_header *header = ledger_header();

	writer_text(&dump->writer, "# library ");
	writer_text(&dump->writer, header->version);
	writer_text(&dump->writer, " ");
	if (header->build_id_bytes)
		writer_hex_bytes(&dump->writer, header->build_id,
				 header->build_id_bytes);
	else
		writer_text(&dump->writer, "-");
	writer_text(&dump->writer, "\n");
}

/* Of what is told: now, or the peak. */
static void write_times(struct dump *dump)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), then = now;

	if (dump->at_peak)
		then = ledger_get(&ledger_process()->prof_peak_ns);
	write_number(dump, "# time_ns ",
		     clock_ns(CLOCK_REALTIME) - (now - then));
	write_number(dump, "# start_time_ns ", ledger_header()->start_time_ns);
	write_number(dump, "# monotonic_ns ", then);
}

static uint64_t since_reset(const uint64_t *now, const uint64_t *then)
{
	return ledger_get(now) - ledger_get(then);
}

static void write_extensions(struct dump *dump)
{
	const struct process_stats *process = ledger_process();

	writer_text(&dump->writer, "# jeheap 1\n");
	write_times(dump);
	if (dump->at_peak)
		write_number(dump, "# peak_bytes ",
			     ledger_get(&process->prof_peak_bytes));
	write_number(dump, "# pid ", (uint64_t)getpid());
	write_number(dump, "# lg_sample ", dump->lg_sample);
	write_command(dump);
	write_library(dump);
	writer_text(&dump->writer, "# dropped ");
	writer_decimal(&dump->writer,
		       since_reset(&process->prof_dropped_samples,
				   &process->reset_dropped_samples));
	write_number(dump, " ",
		     since_reset(&process->prof_dropped_bytes,
				 &process->reset_dropped_bytes));
	write_number(dump, "# truncated_stacks ",
		     since_reset(&process->prof_truncated_stacks,
				 &process->reset_truncated_stacks));
	images_write_build_ids(&dump->writer);
}

static void write_frames(struct dump *dump, uint32_t stack)
{
	const struct ledger_stack *row =
		(struct ledger_stack *)ledger_rows(LEDGER_STACKS) + stack;
	const uint64_t *frames =
		(uint64_t *)ledger_rows(LEDGER_FRAMES) + row->first_frame;

	writer_text(&dump->writer, "@");
	for (uint32_t i = 0; i < row->frame_count; i++) {
		writer_text(&dump->writer, " ");
		writer_hex(&dump->writer, frames[i], true);
	}
	writer_text(&dump->writer, "\n");
}

/* How much rows of a run have in common. */
enum run { RUN_STACK, RUN_THREAD, RUN_RATE };

/* The rows from first on that belong to a run: where they end. */
static size_t run_end(const struct dump *dump, size_t first, size_t limit,
		      enum run run)
{
	const struct snapshot_row *rows = dump->snapshot.rows;
	const struct ledger_count *a = &rows[first].count;
	size_t at = first;

	while (at < limit && rows[at].count.stack == a->stack &&
	       (run < RUN_THREAD || rows[at].count.thread == a->thread) &&
	       (run < RUN_RATE || rows[at].count.lg_sample == a->lg_sample))
		at++;
	return at;
}

static struct estimates estimate_rows(const struct dump *dump, size_t first,
				      size_t end)
{
	struct estimates sum = {0};

	for (size_t i = first; i < end; i++)
		estimates_add(&sum, &dump->snapshot.rows[i].count);
	return sum;
}

/* The rows from first on that share a size class: where they end. */
static size_t class_end(const struct dump *dump, size_t first, size_t limit)
{
	const struct snapshot_row *rows = dump->snapshot.rows;
	size_t at = first;

	while (at < limit &&
	       rows[at].count.size_class == rows[first].count.size_class)
		at++;
	return at;
}

/* Rows of one class, as row 0 may have several, as one. */
static struct ledger_count sum_class(const struct dump *dump, size_t first,
				     size_t end)
{
	const struct snapshot_row *rows = dump->snapshot.rows;
	struct ledger_count sum = rows[first].count;

	for (size_t at = first + 1; at < end; at++) {
		sum.allocated_count += rows[at].count.allocated_count;
		sum.allocated_bytes += rows[at].count.allocated_bytes;
		sum.freed_count += rows[at].count.freed_count;
		sum.freed_bytes += rows[at].count.freed_bytes;
		sum.freed_elsewhere += rows[at].count.freed_elsewhere;
		sum.allocated_squares += rows[at].count.allocated_squares;
		sum.freed_squares += rows[at].count.freed_squares;
	}
	return sum;
}

static void write_values(struct dump *dump, const uint64_t *values,
			 unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		writer_text(&dump->writer, i ? " " : "");
		writer_decimal(&dump->writer, values[i]);
	}
}

/* "# t<uid>: " or, of another rate than the header's, "# at <lg> t<uid>: " */
static void write_run(struct dump *dump, const struct ledger_count *row)
{
	if (row->lg_sample == dump->lg_sample) {
		write_thread(dump, "# t", row->thread);
		return;
	}
	writer_text(&dump->writer, "# at ");
	writer_decimal(&dump->writer, row->lg_sample);
	write_thread(dump, " t", row->thread);
}

/* "# t<uid>: SIZE IN_COUNT IN_BYTES ALLOC_COUNT ALLOC_BYTES[, ...]" */
static void write_spectrum(struct dump *dump, size_t first, size_t end)
{
	const char *before = "";
	size_t next;

	write_run(dump, &dump->snapshot.rows[first].count);
	for (; first < end; first = next) {
		struct ledger_count sum;

		next = class_end(dump, first, end);
		sum = sum_class(dump, first, next);
		writer_text(&dump->writer, before);
		write_values(
			dump,
			(uint64_t[]){
				size_class(&sum)->size_bytes,
				sum.allocated_count - sum.freed_count,
				sum.allocated_bytes - sum.freed_bytes,
				dump->accumulates ? sum.allocated_count : 0,
				dump->accumulates ? sum.allocated_bytes : 0,
			},
			5);
		before = ", ";
	}
	writer_text(&dump->writer, "\n");
}

/* Before an item of a line that is there only if it has any; returns true. */
static bool begin_item(struct dump *dump, bool begun, const char *before,
		       uint32_t thread)
{
	if (begun)
		writer_text(&dump->writer, ", ");
	else
		write_thread(dump, before, thread);
	return true;
}

/* 0, which is no sum of squares, where they are not to be relied on. */
static uint64_t held(uint64_t count, uint64_t bytes, uint64_t squares)
{
	return ledger_squares_hold(count, bytes, squares) ? squares : 0;
}

/* "# squares t<uid>: SIZE IN_SQUARES ALLOC_SQUARES[, ...]" or nothing */
static void write_squares(struct dump *dump, size_t first, size_t end)
{
	uint32_t thread = dump->snapshot.rows[first].count.thread;
	bool begun = false;
	size_t next;

	for (; first < end; first = next) {
		struct ledger_count sum;

		next = class_end(dump, first, end);
		sum = sum_class(dump, first, next);
		if (size_class(&sum)->regions_per_slab != 0)
			continue;
		begun = begin_item(dump, begun, "# squares t", thread);
		write_values(
			dump,
			(uint64_t[]){
				size_class(&sum)->size_bytes,
				held(sum.allocated_count - sum.freed_count,
				     sum.allocated_bytes - sum.freed_bytes,
				     sum.allocated_squares - sum.freed_squares),
				dump->accumulates ? held(sum.allocated_count,
							 sum.allocated_bytes,
							 sum.allocated_squares)
						  : 0,
			},
			3);
	}
	if (begun)
		writer_text(&dump->writer, "\n");
}

/* " LG:COUNT" for each word that is not 0. */
static void write_lives(struct dump *dump, size_t first, size_t end)
{
	uint64_t words[LEDGER_LIFE_WORDS] = {0};

	for (size_t at = first; at < end; at++)
		snapshot_add_lives(&dump->snapshot.rows[at], words);
	for (unsigned i = 0; i < LEDGER_LIFE_WORDS; i++) {
		if (words[i] == 0)
			continue;
		writer_text(&dump->writer, " ");
		writer_decimal(&dump->writer, LEDGER_LIFE_LG_MIN + i);
		writer_text(&dump->writer, ":");
		writer_decimal(&dump->writer, words[i]);
	}
}

/* "# freed t<uid>: SIZE FREED ELSEWHERE[ LG:COUNT]...[, ...]" or nothing */
static void write_freed(struct dump *dump, size_t first, size_t end)
{
	uint32_t thread = dump->snapshot.rows[first].count.thread;
	bool begun = false;
	size_t next;

	for (; first < end; first = next) {
		struct ledger_count sum;

		next = class_end(dump, first, end);
		sum = sum_class(dump, first, next);
		if (sum.freed_count == 0)
			continue;
		begun = begin_item(dump, begun, "# freed t", thread);
		write_values(dump,
			     (uint64_t[]){size_class(&sum)->size_bytes,
					  sum.freed_count, sum.freed_elsewhere},
			     3);
		write_lives(dump, first, next);
	}
	if (begun)
		writer_text(&dump->writer, "\n");
}

/* Visits the threads of the stack's rows, twice: jemalloc's lines, then ours */
static void write_stack(struct dump *dump, size_t first, size_t end)
{
	struct estimates sum = estimate_rows(dump, first, end);
	size_t at, next;

	if (!is_wanted(dump, &sum))
		return;
	write_frames(dump, dump->snapshot.rows[first].count.stack);
	writer_text(&dump->writer, "  t*: ");
	write_counts(dump, &sum);
	writer_text(&dump->writer, "\n");
	for (at = first; at < end; at = next) {
		next = run_end(dump, at, end, RUN_THREAD);
		sum = estimate_rows(dump, at, next);
		if (!is_wanted(dump, &sum))
			continue;
		write_thread(dump, "  t", dump->snapshot.rows[at].count.thread);
		write_counts(dump, &sum);
		writer_text(&dump->writer, "\n");
	}
	for (at = first; at < end; at = next) {
		next = run_end(dump, at, end, RUN_RATE);
		sum = estimate_rows(dump, at, next);
		if (!is_wanted(dump, &sum))
			continue;
		write_spectrum(dump, at, next);
		write_squares(dump, at, next);
		write_freed(dump, at, next);
	}
}

static void write_stacks(struct dump *dump)
{
	size_t end;

	for (size_t at = 0; at < dump->snapshot.count; at = end) {
		end = run_end(dump, at, dump->snapshot.count, RUN_STACK);
		write_stack(dump, at, end);
	}
}

static void write_all(struct dump *dump)
{
	write_header(dump);
	write_extensions(dump);
	write_stacks(dump);
	writer_text(&dump->writer, "\nMAPPED_LIBRARIES:\n");
	images_write_maps(&dump->writer);
}

static bool sum_threads(struct dump *dump)
{
	dump->thread_count = ledger_published(LEDGER_THREADS);
	dump->threads_bytes =
		((size_t)dump->thread_count * sizeof(dump->threads[0]) /
			 os_page_bytes +
		 1) *
		os_page_bytes;
	dump->threads = os_map(dump->threads_bytes, false);
	if (!dump->threads)
		return false;
	for (size_t i = 0; i < dump->snapshot.count; i++) {
		const struct ledger_count *row = &dump->snapshot.rows[i].count;

		if (row->thread < dump->thread_count)
			estimates_add(&dump->threads[row->thread], row);
	}
	return true;
}

static void total(const struct dump *dump, struct dump_totals *totals)
{
	struct estimates all = estimate_rows(dump, 0, dump->snapshot.count);
	size_t end;

	totals->bytes = (uint64_t)(all.in_use.bytes + 0.5);
	totals->objects = (uint64_t)(all.in_use.weight + 0.5);
	totals->contexts = 0;
	for (size_t at = 0; at < dump->snapshot.count; at = end) {
		end = run_end(dump, at, dump->snapshot.count, RUN_STACK);
		totals->contexts +=
			estimate_rows(dump, at, end).in_use.weight > 0;
	}
}

/*
 * The finest rate of any sample: at a coarser one, columns of stacks with small
 * objects would come to less than one object, and be 0.
 */
static unsigned finest_rate(const struct snapshot *snapshot)
{
	unsigned finest = UINT_MAX;

	for (size_t i = 0; i < snapshot->count; i++)
		if (snapshot->rows[i].count.lg_sample < finest)
			finest = snapshot->rows[i].count.lg_sample;
	return snapshot->count ? finest : (unsigned)prof_lg_sample_get();
}

static bool take(struct dump *dump, bool at_peak)
{
	dump->at_peak = at_peak;
	dump->accumulates = opt.prof_accum && !at_peak;
	if (!snapshot_take(&dump->snapshot, at_peak))
		return false;
	dump->lg_sample = finest_rate(&dump->snapshot);
	return true;
}

int dump_write(const char *path, bool asked_for, bool at_peak)
{
	struct dump dump;
	int error = ENOMEM;

	if (!take(&dump, at_peak))
		return ENOMEM;
	if (sum_threads(&dump)) {
		writer_open(&dump.writer, path, asked_for);
		write_all(&dump);
		error = writer_close(&dump.writer);
		os_unmap(dump.threads, dump.threads_bytes);
	}
	snapshot_drop(&dump.snapshot);
	return error;
}

bool dump_sum(struct dump_totals *totals)
{
	struct dump dump;

	if (!take(&dump, false))
		return false;
	total(&dump, totals);
	snapshot_drop(&dump.snapshot);
	return true;
}
