/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exported copy adds up to what the ledger does, with more threads and
 * arenas than it has rows for, and describes itself as the ledger does.
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>

#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/export.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/ledger/metrics.h"
#include "tap/tap.h"

#define COPIES 20000
#define MORE 200u

static uint64_t sum_of(const struct ledger_header *header,
		       const struct ledger_metric *metric)
{
	const struct ledger_section *s = &header->sections[metric->section];
	const uint8_t *rows = (const uint8_t *)header + s->offset;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < s->count; i++)
		for (uint32_t k = 0; k < metric->count; k++)
			sum += *(
				const uint64_t *)(const void *)(rows +
								i * s->stride +
								metric->offset +
								k * 8);
	return sum;
}

/* The metrics of a section that differ; those that may not be added up don't */
static unsigned differing(unsigned section)
{
	const struct ledger_metric *metrics = ledger_rows(LEDGER_METRICS);
	unsigned count = 0;

	for (unsigned i = 0; i < ledger_metric_count(); i++) {
		const struct ledger_metric *m = &metrics[i];
		uint64_t want, got;

		if (m->section != section || !m->summable)
			continue;
		want = sum_of(ledger_header(), m);
		got = sum_of(ledger_export_window, m);
		count += want != got;
		if (want != got)
			tap_line("# %s: %" PRIu64 ", exported %" PRIu64 "\n",
				 m->name, want, got);
	}
	return count;
}

static void make_threads(void)
{
	for (unsigned i = 1; i <= MORE; i++) {
		struct thread_stats *stats =
			ledger_thread_stats(ledger_thread_new(1000 + i, 1000));

		ledger_set(&stats->allocated, 1000 * i);
		ledger_set(&stats->deallocated, 10 * i);
	}
}

static void make_arenas(void)
{
	for (unsigned i = 0; i < MORE; i++) {
		unsigned arena;
		size_t bytes = sizeof(arena);

		if (mallctl("arenas.create", &arena, &bytes, NULL, 0) ||
		    !mallocx(100 + i,
			     MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE))
			exit(99);
	}
}

static bool passed;

/* Threads that come and go in one row, with figures that are their uid. */
static void *pass_row(void *unused)
{
	(void)unused;
	for (uint64_t uid = 1; !__atomic_load_n(&passed, __ATOMIC_RELAXED);
	     uid++) {
		uint32_t row = ledger_thread_new(uid, 1);

		ledger_set(&ledger_thread_stats(row)->allocated, uid);
		ledger_set(&ledger_thread_stats(row)->deallocated, uid);
		ledger_thread_exit(row);
	}
	return NULL;
}

static bool is_mixed(const struct ledger_section *section, uint64_t row)
{
	const struct ledger_thread *thread =
		(const void *)((const uint8_t *)ledger_export_window +
			       section->offset + row * section->stride);
	const struct thread_stats *stats = (const void *)(thread + 1);

	return (stats->allocated != 0 && stats->allocated != thread->uid) ||
	       (stats->deallocated != 0 && stats->deallocated != thread->uid);
}

/* The number of rows of which a copy was of two threads. */
static unsigned copy_while_passing(void)
{
	const struct ledger_section *section =
		&ledger_export_window->sections[LEDGER_THREADS];
	unsigned mixed = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, pass_row, NULL) != 0)
		exit(99);
	for (unsigned i = 0; i < COPIES; i++) {
		ledger_export_now();
		for (uint64_t row = 1; row < section->count; row++)
			mixed += is_mixed(section, row);
	}
	__atomic_store_n(&passed, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return mixed;
}

static bool is_cut(unsigned section)
{
	return ledger_export_window->sections[section].count <
	       ledger_header()->sections[section].count;
}

int main(void)
{
	static const unsigned absent[] = {LEDGER_STACKS, LEDGER_FRAMES,
					  LEDGER_COUNTS, LEDGER_SAMPLES,
					  LEDGER_CONTROL};
	uint64_t generation;
	unsigned present = 0;

	heap_boot();
	ledger_export_now();
	if (!ledger_export_window)
		return skip_all("no sealed memfd can be had here");
	plan(10);
	is_uint(copy_while_passing(), 0,
		"no row of it is of two threads, of which one follows another");
	generation = ledger_export_window->generation;
	make_threads();
	make_arenas();
	ledger_export_now();
	ok(ledger_export_window->magic == LEDGER_MAGIC &&
		   ledger_export_window->flags & LEDGER_SNAPSHOT,
	   "it is a ledger, and marked as a copy");
	ok(ledger_export_window->generation > generation &&
		   ledger_export_window->generation % 2 == 0,
	   "its generation tells that it changed");
	ok(is_cut(LEDGER_THREADS) && is_cut(LEDGER_ARENAS),
	   "there are more threads and arenas than it has rows for");
	is_uint(differing(LEDGER_PROCESS), 0, "it has the process's figures");
	is_uint(differing(LEDGER_ARENAS), 0, "the sums over arenas");
	is_uint(differing(LEDGER_ARENA_CLASSES), 0, "over size classes");
	is_uint(differing(LEDGER_THREADS), 0, "and over threads");
	for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		present += ledger_export_window->sections[absent[i]].count != 0;
	is_uint(present, 0, "and nothing of the profile");
	is_uint(ledger_process()->exported_ns,
		((const struct process_stats
			  *)((const uint8_t *)ledger_export_window +
			     ledger_export_window->sections[LEDGER_PROCESS]
				     .offset))
			->exported_ns,
		"it says when it was made");
	return done_testing();
}
