/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger as its writers see it: boots the region, hands out rows and the
 * addresses of metrics. layout.h says what an outside reader sees.
 *
 * The allocator's statistics ARE the ledger's values: owners get a pointer to
 * their row and update it with ledger_add() and ledger_set(). mallctl and
 * malloc_stats_print read the same words. Where the region could not be
 * mapped, the rows lie in a small static reserve and the overflow is shared,
 * so that writers never need to check.
 */
#ifndef LIBALLOC_LEDGER_LEDGER_H
#define LIBALLOC_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/alone.h"
#include "liballoc/ledger/layout.h"

/*
 * The rows. Each struct has its descriptors in metrics.def: a field
 * added here is described there, and no tool changes. All words are uint64_t.
 */
#define LEDGER_TIME_BUCKETS 32u /* the last one: 2 s and more */
#define LEDGER_SIZE_BUCKETS 48u
#define LEDGER_LIFE_BUCKETS 48u /* the last one: 39 hours and more */

struct process_stats {
	uint64_t metadata; /* bytes mapped for the allocator's own use */
	uint64_t mapped;   /* bytes mapped for extents, in use or dirty */
	uint64_t retained; /* bytes of address space kept, not resident */
	uint64_t threads_live;
	uint64_t threads_created;
	uint64_t threads_exited;
	uint64_t arenas;
	uint64_t map_failures; /* mmap calls that failed */
	uint64_t prof_samples;
	uint64_t prof_samples_live;
	uint64_t prof_freed_elsewhere; /* by another thread than allocated */
	uint64_t prof_dropped_samples; /* tables full */
	uint64_t prof_dropped_bytes;
	uint64_t prof_stacks;
	uint64_t prof_truncated_stacks; /* deeper than prof_bt_max */
	uint64_t prof_dumps;
	uint64_t prof_dump_failures;
	uint64_t zero_reallocs;
	uint64_t fork_generation;
	uint64_t lock_waits; /* times that a thread slept for a lock */
	uint64_t lock_wait_ns;
	uint64_t abandoned; /* bytes that could not be unmapped */
	/* Histograms, each of a share of what there is: see metrics.def. */
	uint64_t slow_allocation_ns[LEDGER_TIME_BUCKETS];
	uint64_t slow_allocation_bytes[LEDGER_SIZE_BUCKETS];
	uint64_t slow_free_ns[LEDGER_TIME_BUCKETS];
	uint64_t sample_lifetime_ns[LEDGER_LIFE_BUCKETS];
	uint64_t memory_limit;	  /* bytes; 0: none */
	uint64_t memory_usage;	  /* bytes, of the group with that limit */
	uint64_t memory_pressure; /* hundredths of a percent */
	uint64_t eager_purges;
	uint64_t background_threads;
	uint64_t background_runs;
	uint64_t background_interval_ns; /* between them, on average */
	uint64_t prof_peaks;		 /* so far; the last one's number */
	uint64_t prof_peak_bytes;
	uint64_t prof_peak_ns; /* CLOCK_MONOTONIC */
	uint64_t exported_ns;  /* CLOCK_MONOTONIC; 0: never */
	/* What those counters were at the last prof.reset. */
	uint64_t reset_dropped_samples;
	uint64_t reset_dropped_bytes;
	uint64_t reset_truncated_stacks;
};

struct arena_stats {
	uint64_t nthreads;
	uint64_t created_ns;	  /* CLOCK_MONOTONIC */
	uint64_t small_allocated; /* bytes handed out, caches included */
	uint64_t large_allocated;
	uint64_t active; /* bytes of pages with anything in use */
	uint64_t dirty;	 /* bytes of free pages not yet given back */
	uint64_t muzzy;
	uint64_t mapped;
	uint64_t retained;
	uint64_t metadata;
	uint64_t tcache_bytes; /* cached by its threads; first: exchange too */
	uint64_t dirty_npurge;
	uint64_t dirty_nmadvise;
	uint64_t dirty_purged; /* pages */
	uint64_t muzzy_npurge;
	uint64_t muzzy_nmadvise;
	uint64_t muzzy_purged;
	uint64_t dirty_decay_ms; /* signed; -1: never */
	uint64_t muzzy_decay_ms;
};

struct class_stats {
	uint64_t nmalloc;   /* regions (or extents) taken from the arena */
	uint64_t ndalloc;   /* given back to it */
	uint64_t nrequests; /* asked for by the program */
	uint64_t nfills;
	uint64_t nflushes;
	uint64_t nslabs;   /* slabs ever made */
	uint64_t nreslabs; /* times a slab became current again */
	uint64_t curslabs;
	uint64_t nonfull_slabs;
};

struct thread_stats {
	uint64_t allocated; /* usable bytes, as of the last publication */
	uint64_t deallocated;
	uint64_t nmalloc;
	uint64_t ndalloc;
	uint64_t arena;
	uint64_t tcache_bytes;
	uint64_t samples;
	/* Of the threads that had the row before, in the same order. */
	uint64_t past_allocated;
	uint64_t past_deallocated;
	uint64_t past_nmalloc;
	uint64_t past_ndalloc;
};

/* Once, before the heap. Never fails: see above. */
void ledger_boot(size_t region_bytes);

/*
 * The region, for the functions here, which samples and slow paths call so
 * often that calls of their own would cost more than what they do.
 */
extern struct ledger_header *ledger_here __attribute__((visibility("hidden")));

static inline struct ledger_header *ledger_header(void)
{
	return ledger_here;
}

/* A section's first row, and the rows that it has room for. */
static inline void *ledger_rows(unsigned section)
{
	return (uint8_t *)ledger_here + ledger_here->sections[section].offset;
}

static inline uint32_t ledger_capacity(unsigned section)
{
	return ledger_here->sections[section].capacity;
}

/* The rows that readers may look at: ledger_publish(). */
static inline uint64_t ledger_published(unsigned section)
{
	return __atomic_load_n(&ledger_here->sections[section].count,
			       __ATOMIC_ACQUIRE);
}

static inline struct process_stats *ledger_process(void)
{
	return (struct process_stats *)ledger_rows(LEDGER_PROCESS);
}

/*
 * Makes the first so many rows of a section writable, or those of an arena, as
 * must be done before they are written; false where memory may not be
 * committed. Any thread, without a lock.
 */
bool ledger_make_room(unsigned section, uint64_t rows);
bool ledger_make_arena_room(unsigned arena);

/* The row of arena i; the last row is shared by those that found no room. */
struct arena_stats *ledger_arena(unsigned arena);
struct class_stats *ledger_class(unsigned arena, unsigned size_class);
/*
 * A thread's row; 0 where the table is full. Any thread, lock-free. The heap
 * keeps it in struct prof_thread's ledger_row.
 */
uint32_t ledger_thread_new(uint64_t uid, int os_tid);
/* The thread has ended; its row is reused once no count refers to it. */
void ledger_thread_exit(uint32_t row);
/* A row of LEDGER_COUNTS refers to the thread's row, or no longer does. */
void ledger_thread_hold(uint32_t row);
void ledger_thread_release(uint32_t row);
/* Names the row: at most 15 characters. By one writer at a time. */
void ledger_thread_set_name(uint32_t row, const char *name);
#define LEDGER_THREAD_NAME_BYTES 16
/* A copy, by any thread. */
void ledger_thread_copy_name(uint32_t row, char name[LEDGER_THREAD_NAME_BYTES]);
#define LEDGER_THREAD_STRIDE 128u
static inline struct ledger_thread *ledger_thread(uint32_t row)
{
	return (struct ledger_thread *)(void *)((uint8_t *)ledger_rows(
							LEDGER_THREADS) +
						(size_t)row *
							LEDGER_THREAD_STRIDE);
}

static inline uint32_t ledger_thread_state(uint32_t row)
{
	return __atomic_load_n(&ledger_thread(row)->state, __ATOMIC_ACQUIRE);
}

static inline struct thread_stats *ledger_thread_stats(uint32_t row)
{
	return (struct thread_stats *)(void *)(ledger_thread(row) + 1);
}

/* Publishes that arenas [0, count) exist. */
void ledger_set_arena_count(unsigned count);

/* A row of descriptors by name, for mallctl and malloc_stats_print. */
const struct ledger_metric *ledger_metric_find(unsigned section,
					       const char *name);
uint64_t ledger_metric_get(const struct ledger_metric *metric, unsigned row);
/* One word of a histogram. */
uint64_t ledger_metric_word(const struct ledger_metric *metric, unsigned row,
			    unsigned word);

/* Raises the rows in use to at least count, with release; any thread. */
void ledger_publish(unsigned section, uint64_t count);
/* No rows are in use any more; within ledger_replace_begin() and _end(). */
void ledger_clear(unsigned section);
/* Brackets a replacement of tables: generation is odd in between. */
void ledger_replace_begin(void);
void ledger_replace_end(void);

/*
 * In the child: its own pid, start time and generation; all threads but the
 * one that forked, whose row is own_row (0: it has none), have exited.
 */
void ledger_postfork_child(uint32_t own_row, int os_tid);

/*
 * Relaxed: a row may be read from anywhere, and orders nothing. Inline here,
 * since the heap's slow paths call them.
 */
static inline void ledger_set(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline uint64_t ledger_get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint32_t ledger_get32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* By the only writer of the word (its owner, or the holder of its lock). */
static inline void ledger_add(uint64_t *word, uint64_t delta)
{
	ledger_set(word, ledger_get(word) + delta);
}

/* The word of value in a histogram of so many words. */
static inline unsigned ledger_bucket_of(uint64_t value, unsigned count)
{
	unsigned bucket = value ? 63 - (unsigned)__builtin_clzll(value) : 0;

	return bucket < count ? bucket : count - 1;
}

/* One more of value there; by many writers. */
static inline void ledger_add_bucket(uint64_t *words, unsigned count,
				     uint64_t value)
{
	alone_or_atomic_add(&words[ledger_bucket_of(value, count)], 1);
}

/* By one of many writers. */
static inline void ledger_add_shared(uint64_t *word, uint64_t delta)
{
	alone_or_atomic_add(word, delta);
}

#endif
