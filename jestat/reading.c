/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes readings and does their arithmetic. Prints nothing.
 */
#include "config.h"

#include "jestat/reading.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool reading_take(struct reading *reading, struct target *target,
		  struct diag *diag)
{
	arena_free(&reading->arena);
	*reading = (struct reading){.time_ns = clock_ns(CLOCK_REALTIME)};
	if (!target_read_ledger(target, LEDGER_WANT_STATS, &reading->arena,
				&reading->view, diag))
		return false;
	reading->monotonic_ns = clock_ns(CLOCK_MONOTONIC);
	reading->pid = target->pid;
	return process_info(target->pid, &reading->info) ||
	       diag_set(diag, "process %d is gone", target->pid);
}

void reading_free(struct reading *reading)
{
	arena_free(&reading->arena);
}

double reading_sum(const struct reading *reading, unsigned section,
		   const char *name)
{
	const struct ledger_metric *metric =
		ledger_view_metric(&reading->view, section, name);

	return metric ? (double)ledger_view_sum(&reading->view, metric) : NAN;
}

double reading_value(const struct reading *reading, unsigned section,
		     const char *name, uint64_t row)
{
	const struct ledger_metric *metric =
		ledger_view_metric(&reading->view, section, name);

	if (!metric || row >= reading->view.count[section])
		return NAN;
	if (metric->unit == LEDGER_UNIT_MS)
		return (double)(int64_t)ledger_view_get(&reading->view, metric,
							row);
	return (double)ledger_view_get(&reading->view, metric, row);
}

uint64_t reading_class_row(const struct reading *reading, uint64_t arena,
			   uint64_t size_class)
{
	return arena * reading->view.header.sections[LEDGER_CLASSES].capacity +
	       size_class;
}

double reading_class_sum(const struct reading *reading, const char *name,
			 uint64_t size_class)
{
	const struct ledger_metric *metric =
		ledger_view_metric(&reading->view, LEDGER_ARENA_CLASSES, name);
	uint64_t arena, row, sum = 0;

	if (!metric)
		return NAN;
	for (arena = 0; arena < reading->view.count[LEDGER_ARENAS]; arena++) {
		row = reading_class_row(reading, arena, size_class);
		if (row < reading->view.count[LEDGER_ARENA_CLASSES])
			sum += ledger_view_get(&reading->view, metric, row);
	}
	return (double)sum;
}

double reading_elapsed(const struct reading *now, const struct reading *before)
{
	const struct ledger_header *header = &now->view.header;
	uint64_t start =
		before ? before->monotonic_ns : header->start_monotonic_ns;

	if (now->monotonic_ns > start)
		return (double)(now->monotonic_ns - start) / 1e9;
	/* Another time namespace has another monotonic clock. */
	if (!before && now->time_ns > header->start_time_ns)
		return (double)(now->time_ns - header->start_time_ns) / 1e9;
	return NAN;
}

/* The metric of that name with the one of earlier threads; NULL: none. */
struct counter {
	const struct ledger_metric *own, *past;
};

static struct counter find_counter(const struct reading *reading,
				   const char *name)
{
	char past[sizeof(((struct ledger_metric *)0)->name)];

	snprintf(past, sizeof(past), READING_PAST "%s", name);
	return (struct counter){
		ledger_view_metric(&reading->view, LEDGER_THREADS, name),
		ledger_view_metric(&reading->view, LEDGER_THREADS, past),
	};
}

static uint64_t row_total(const struct reading *reading, struct counter counter,
			  uint64_t row)
{
	uint64_t total = 0;

	if (row >= reading->view.count[LEDGER_THREADS])
		return 0;
	if (counter.own)
		total += ledger_view_get(&reading->view, counter.own, row);
	if (counter.past)
		total += ledger_view_get(&reading->view, counter.past, row);
	return total;
}

uint64_t reading_thread_total(const struct reading *reading, const char *name)
{
	struct counter counter = find_counter(reading, name);
	uint64_t sum = 0, row;

	for (row = 0; row < reading->view.count[LEDGER_THREADS]; row++)
		sum += row_total(reading, counter, row);
	return sum;
}

/*
 * Was it passing to another thread, so that it is not known? Row 0 never does.
 * A reader clears it, and a process that exports it leaves all of it 0.
 */
static bool is_passing(const struct reading *reading, uint64_t row)
{
	const struct ledger_thread *thread =
		ledger_row(&reading->view, LEDGER_THREADS, row);

	return thread && row && thread->state == LEDGER_THREAD_FREE &&
	       (thread->uid == LEDGER_OTHER_THREADS || !thread->generation);
}

/* What all threads together added to a counter, but by rows not known. */
static double thread_growth(const struct reading *now,
			    const struct reading *before, const char *name)
{
	struct counter counter = find_counter(now, name), then = {NULL, NULL};
	uint64_t sum = 0, row, total, old;

	if (!counter.own)
		return NAN;
	if (before)
		then = find_counter(before, name);
	for (row = 0; row < now->view.count[LEDGER_THREADS]; row++) {
		if (is_passing(now, row) || (before && is_passing(before, row)))
			continue;
		total = row_total(now, counter, row);
		old = before ? row_total(before, then, row) : 0;
		/* Before minor version 1.6 a row begins at 0 again. */
		if (total > old)
			sum += total - old;
	}
	return (double)sum;
}

double fragmentation(double active, double allocated)
{
	if (isnan(active) || isnan(allocated))
		return NAN;
	/* Gauges are read one by one, and may be a moment apart. */
	return active > allocated ? (active - allocated) / active : 0;
}

struct figures reading_figures(const struct reading *now,
			       const struct reading *before)
{
	struct figures f = {
		.active = reading_sum(now, LEDGER_ARENAS, "active"),
		.dirty = reading_sum(now, LEDGER_ARENAS, "dirty"),
		.metadata = reading_sum(now, LEDGER_PROCESS, "metadata"),
		.rss = (double)now->info.rss_bytes,
		.swap = (double)now->info.swap_bytes,
		.threads = now->info.threads,
		.elapsed_seconds = reading_elapsed(now, before),
	};

	f.allocated = reading_sum(now, LEDGER_ARENAS, "small_allocated") +
		      reading_sum(now, LEDGER_ARENAS, "large_allocated");
	f.resident = f.active + f.dirty + f.metadata;
	f.fragmentation = fragmentation(f.active, f.allocated);
	f.mallocs_per_second =
		thread_growth(now, before, "nmalloc") / f.elapsed_seconds;
	f.bytes_per_second =
		thread_growth(now, before, "allocated") / f.elapsed_seconds;
	return f;
}
