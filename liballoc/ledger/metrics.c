/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors of all metrics: one row for each word of the *_stats
 * structs in ledger.h, under the field's name. Holds no logic but look-up.
 *
 * They are read once by every process, to be written into the ledger; so here
 * they have no more room than they need.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "liballoc/ledger/ledger.h"
#include "liballoc/ledger/metrics.h"

#define COUNTER LEDGER_COUNTER
#define GAUGE LEDGER_GAUGE
#define HISTOGRAM LEDGER_HISTOGRAM
#define COUNT LEDGER_UNIT_COUNT
#define BYTES LEDGER_UNIT_BYTES
#define NS LEDGER_UNIT_NS
#define PAGES LEDGER_UNIT_PAGES
#define MS LEDGER_UNIT_MS
#define SUM 1
#define EACH 0

struct row {
	char name[24];
	char help[64];
	uint8_t kind, unit, summable, section;
	uint16_t offset, count;
};

#define ROW(section, base, type, field, kind, unit, summable, help)            \
 {                                                                             \
#  field, help, kind, unit, summable, section, base + offsetof(type, field),   \
	  sizeof(((type *)0)->field) / 8                                       \
 }
#define PROCESS(field, ...)                                                    \
 ROW(LEDGER_PROCESS, 0, struct process_stats, field, __VA_ARGS__)
#define ARENA(field, ...)                                                      \
 ROW(LEDGER_ARENAS, 0, struct arena_stats, field, __VA_ARGS__)
#define CLASS(field, ...)                                                      \
 ROW(LEDGER_ARENA_CLASSES, 0, struct class_stats, field, __VA_ARGS__)
#define THREAD(field, ...)                                                     \
 ROW(LEDGER_THREADS, sizeof(struct ledger_thread), struct thread_stats, field, \
     __VA_ARGS__)

/* clang-format off */
static const struct row metric_rows[] = {
	PROCESS(metadata, GAUGE, BYTES, SUM,
		"mapped for the allocator's own use"),
	PROCESS(mapped, GAUGE, BYTES, SUM,
		"mapped for extents, in use or dirty"),
	PROCESS(retained, GAUGE, BYTES, SUM,
		"address space kept for reuse, not resident"),
	PROCESS(threads_live, GAUGE, COUNT, SUM,
		"threads that have allocated and not ended"),
	PROCESS(threads_created, COUNTER, COUNT, SUM,
		"threads that have ever allocated"),
	PROCESS(threads_exited, COUNTER, COUNT, SUM,
		"threads that have allocated and ended"),
	PROCESS(arenas, GAUGE, COUNT, SUM,
		"arenas that exist"),
	PROCESS(map_failures, COUNTER, COUNT, SUM,
		"requests for memory that the kernel refused"),
	PROCESS(prof_samples, COUNTER, COUNT, SUM,
		"objects sampled"),
	PROCESS(prof_samples_live, GAUGE, COUNT, SUM,
		"sampled objects in use"),
	PROCESS(prof_freed_elsewhere, COUNTER, COUNT, SUM,
		"sampled objects freed by another thread than allocated them"),
	PROCESS(prof_dropped_samples, COUNTER, COUNT, SUM,
		"objects not sampled because a table was full"),
	PROCESS(prof_dropped_bytes, COUNTER, BYTES, SUM,
		"usable size of the objects not sampled"),
	PROCESS(prof_stacks, GAUGE, COUNT, SUM,
		"distinct call stacks"),
	PROCESS(prof_truncated_stacks, COUNTER, COUNT, SUM,
		"samples whose call stack was deeper than prof_bt_max"),
	PROCESS(prof_dumps, COUNTER, COUNT, SUM,
		"profiles written"),
	PROCESS(prof_dump_failures, COUNTER, COUNT, SUM,
		"profiles that could not be written"),
	PROCESS(zero_reallocs, COUNTER, COUNT, SUM,
		"calls of realloc with a pointer and size 0"),
	PROCESS(fork_generation, COUNTER, COUNT, EACH,
		"forks between the first process and this one"),
	PROCESS(lock_waits, COUNTER, COUNT, SUM,
		"times that a thread slept for a lock of the allocator's"),
	PROCESS(lock_wait_ns, COUNTER, NS, SUM,
		"time that threads slept for locks of the allocator's"),
	PROCESS(abandoned, COUNTER, BYTES, SUM,
		"address space lost because the kernel would not unmap it"),
	PROCESS(slow_allocation_ns, HISTOGRAM, NS, SUM,
		"time of allocations that no cache served, one in 61"),
	PROCESS(slow_allocation_bytes, HISTOGRAM, BYTES, SUM,
		"sizes asked for of allocations that no cache served, one in 61"),
	PROCESS(slow_free_ns, HISTOGRAM, NS, SUM,
		"time of frees that no cache took, one in 61"),
	PROCESS(sample_lifetime_ns, HISTOGRAM, NS, SUM,
		"time between allocation and free of sampled objects"),
	PROCESS(memory_limit, GAUGE, BYTES, EACH,
		"what the control groups allow; 0: all"),
	PROCESS(memory_usage, GAUGE, BYTES, EACH,
		"used of that, by all processes of the group"),
	PROCESS(memory_pressure, GAUGE, COUNT, EACH,
		"time that tasks waited for memory, hundredths of a percent"),
	PROCESS(eager_purges, COUNTER, COUNT, SUM,
		"times that all free pages went because memory was tight"),
	PROCESS(background_threads, GAUGE, COUNT, SUM,
		"threads that give free pages back"),
	PROCESS(background_runs, COUNTER, COUNT, SUM,
		"times that the background thread gave free pages back"),
	PROCESS(background_interval_ns, GAUGE, NS, EACH,
		"average time between two runs of the background thread"),
	PROCESS(prof_peaks, COUNTER, COUNT, EACH,
		"times that live bytes came to a new peak"),
	PROCESS(prof_peak_bytes, GAUGE, BYTES, EACH,
		"live bytes at their peak"),
	PROCESS(prof_peak_ns, GAUGE, NS, EACH,
		"when they were at it, by the monotonic clock"),
	PROCESS(exported_ns, GAUGE, NS, EACH,
		"when the figures were last exported, by the monotonic clock"),
	PROCESS(reset_dropped_samples, GAUGE, COUNT, EACH,
		"prof_dropped_samples at the last prof.reset"),
	PROCESS(reset_dropped_bytes, GAUGE, BYTES, EACH,
		"prof_dropped_bytes at the last prof.reset"),
	PROCESS(reset_truncated_stacks, GAUGE, COUNT, EACH,
		"prof_truncated_stacks at the last prof.reset"),

	ARENA(nthreads, GAUGE, COUNT, SUM,
		"threads assigned to the arena"),
	ARENA(created_ns, GAUGE, NS, EACH,
		"when the arena was made, by the monotonic clock"),
	ARENA(small_allocated, GAUGE, BYTES, SUM,
		"small objects handed out, thread caches included"),
	ARENA(large_allocated, GAUGE, BYTES, SUM,
		"large objects handed out"),
	ARENA(active, GAUGE, BYTES, SUM,
		"pages with anything in use"),
	ARENA(dirty, GAUGE, BYTES, SUM,
		"free pages not yet given back"),
	ARENA(muzzy, GAUGE, BYTES, SUM,
		"free pages that the kernel may take back"),
	ARENA(mapped, GAUGE, BYTES, SUM,
		"mapped for extents, in use or free"),
	ARENA(retained, GAUGE, BYTES, SUM,
		"address space kept for reuse, not resident"),
	ARENA(metadata, GAUGE, BYTES, SUM,
		"mapped for the arena's own use"),
	ARENA(tcache_bytes, GAUGE, BYTES, SUM,
		"cached by the arena's threads"),
	ARENA(dirty_npurge, COUNTER, COUNT, SUM,
		"times that dirty pages were given back"),
	ARENA(dirty_nmadvise, COUNTER, COUNT, SUM,
		"calls of madvise to give dirty pages back"),
	ARENA(dirty_purged, COUNTER, PAGES, SUM,
		"dirty pages given back"),
	ARENA(muzzy_npurge, COUNTER, COUNT, SUM,
		"times that muzzy pages were given back"),
	ARENA(muzzy_nmadvise, COUNTER, COUNT, SUM,
		"calls of madvise to give muzzy pages back"),
	ARENA(muzzy_purged, COUNTER, PAGES, SUM,
		"muzzy pages given back"),
	ARENA(dirty_decay_ms, GAUGE, MS, EACH,
		"time after which dirty pages are given back; -1 is never"),
	ARENA(muzzy_decay_ms, GAUGE, MS, EACH,
		"time after which muzzy pages are given back; -1 is never"),

	CLASS(nmalloc, COUNTER, COUNT, SUM,
		"regions or extents taken from the arena"),
	CLASS(ndalloc, COUNTER, COUNT, SUM,
		"regions or extents given back to the arena"),
	CLASS(nrequests, COUNTER, COUNT, SUM,
		"requests by the program"),
	CLASS(nfills, COUNTER, COUNT, SUM,
		"times that a thread cache was filled"),
	CLASS(nflushes, COUNTER, COUNT, SUM,
		"times that a thread cache was flushed"),
	CLASS(nslabs, COUNTER, COUNT, SUM,
		"slabs ever made"),
	CLASS(nreslabs, COUNTER, COUNT, SUM,
		"times that a slab became current again"),
	CLASS(curslabs, GAUGE, COUNT, SUM,
		"slabs that exist"),
	CLASS(nonfull_slabs, GAUGE, COUNT, SUM,
		"slabs with room left"),

	THREAD(allocated, COUNTER, BYTES, SUM,
		"usable size of all that the thread allocated"),
	THREAD(deallocated, COUNTER, BYTES, SUM,
		"usable size of all that the thread freed"),
	THREAD(nmalloc, COUNTER, COUNT, SUM,
		"objects that the thread allocated"),
	THREAD(ndalloc, COUNTER, COUNT, SUM,
		"objects that the thread freed"),
	THREAD(arena, GAUGE, COUNT, EACH,
		"the arena that the thread allocates from"),
	THREAD(tcache_bytes, GAUGE, BYTES, SUM,
		"cached by the thread"),
	THREAD(samples, COUNTER, COUNT, SUM,
		"objects of the thread that were sampled"),
	THREAD(past_allocated, COUNTER, BYTES, SUM,
		"the same as allocated, of threads that had the row before"),
	THREAD(past_deallocated, COUNTER, BYTES, SUM,
		"the same as deallocated, of threads that had the row before"),
	THREAD(past_nmalloc, COUNTER, COUNT, SUM,
		"the same as nmalloc, of threads that had the row before"),
	THREAD(past_ndalloc, COUNTER, COUNT, SUM,
		"the same as ndalloc, of threads that had the row before"),
};
/* clang-format on */

unsigned ledger_metric_count(void)
{
	return sizeof(metric_rows) / sizeof(metric_rows[0]);
}

void ledger_metric_at(unsigned index, struct ledger_metric *metric)
{
	const struct row *row = &metric_rows[index];

	memset(metric, 0, sizeof(*metric));
	memcpy(metric->name, row->name, sizeof(row->name));
	memcpy(metric->help, row->help, sizeof(row->help));
	metric->kind = row->kind;
	metric->unit = row->unit;
	metric->summable = row->summable;
	metric->section = row->section;
	metric->offset = row->offset;
	metric->count = row->count;
}

const struct ledger_metric *ledger_metric_find(unsigned section,
					       const char *name)
{
	const struct ledger_metric *metrics = ledger_rows(LEDGER_METRICS);

	for (unsigned i = 0; i < ledger_metric_count(); i++)
		if (metrics[i].section == section &&
		    strcmp(metrics[i].name, name) == 0)
			return &metrics[i];
	return NULL;
}

uint64_t ledger_metric_get(const struct ledger_metric *metric, unsigned row)
{
	return ledger_metric_word(metric, row, 0);
}

uint64_t ledger_metric_word(const struct ledger_metric *metric, unsigned row,
			    unsigned word)
{
	const struct ledger_section *section =
		&ledger_header()->sections[metric->section];
	const uint8_t *at = (const uint8_t *)ledger_header() + section->offset +
			    (size_t)row * section->stride + metric->offset +
			    word * sizeof(uint64_t);

	return ledger_get((const uint64_t *)(const void *)at);
}
