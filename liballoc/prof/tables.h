/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profiler's tables in the ledger: stacks, counts and live samples, with
 * the indexes to find them, which are ours alone. Bounded by the ledger's
 * size; what finds no room is reported to the caller and counted by it.
 *
 * Locks, in this order: dump, shards by number, stacks, counts, pool, and those
 * of the recent allocations and the log, which take metadata memory. A shard's
 * lock guards the samples that threads took whose row falls to it, and is held
 * through each operation, so whoever holds all of them has the tables to
 * himself. Under none of them is anything of the program's called, and
 * thread_busy is up, so that a signal handler's malloc and free keep away.
 */
#ifndef LIBALLOC_PROF_TABLES_H
#define LIBALLOC_PROF_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/lock.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/peak.h"

#define TABLES_NONE UINT32_MAX
#define TABLES_SHARDS 16u
#define TABLES_NEAR 32u /* rows of counts that a thread keeps at hand */

/* What is sampled, as the caller knows it. */
struct sampled {
	uint64_t address;
	uint64_t requested_bytes;
	uint64_t usable_bytes;
	uint64_t birth_ns; /* CLOCK_MONOTONIC */
	uint32_t thread;   /* row in LEDGER_THREADS */
	uint32_t size_class;
	uint32_t lg_sample;
};

/* Maps the indexes; false where there is no memory: then nothing is sampled. */
bool tables_boot(void);

/* Where a thread's last samples went; all 0: nowhere. */
struct tables_place {
	uint32_t stack; /* row + 1, of the last one; 0: that says nothing */
	uint32_t age;	/* of the tables: rows may be another's since */
	/* Rows + 1, by stack and size class, as far as they go. */
	uint32_t counts[TABLES_NEAR];
};

/*
 * Adds a sample, and gives its number; 0 where a table is full, and then
 * nothing has changed. place: becomes where it went.
 */
uint32_t tables_add(const struct sampled *what, const uint64_t *frames,
		    unsigned depth, struct tables_place *place);
/* The same for the stack of place; 0, too, where that is none any more. */
uint32_t tables_add_again(const struct sampled *what,
			  struct tables_place *place);

/* Who frees an object, and where: frames is NULL where that is not wanted. */
struct freed_by {
	uint32_t thread; /* row in LEDGER_THREADS; 0: not known */
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	const uint64_t *frames;
	unsigned depth;
};

/*
 * The object at address, whose sample has that number, is freed; tells it to
 * the log and the recent allocations too. False where it is no sample any more.
 * was (may be NULL): what it was when it was added.
 */
bool tables_remove_by(uint32_t sample, uint64_t address,
		      const struct freed_by *by, struct sampled *was);
/*
 * Brings the process's totals up to now, which are told a little late: all, or
 * what the shard of the thread's row has for them. No lock of the tables held.
 */
void tables_tell_totals(void);
void tables_tell_totals_of(uint32_t thread);
/* As prof_peek(): takes no lock, and trusts nothing that it reads. */
unsigned tables_peek(uint32_t sample, uint64_t address,
		     uint64_t *requested_bytes, uint64_t *frames, unsigned max);

/*
 * Makes room: adds up what exited threads counted into row 0, so that rows of
 * counts and threads are free again. any: also where objects are in use.
 * Does nothing while a dump is being written, or soon after the last time.
 */
void tables_fold(bool any);
/* Something that folding may reclaim has come to be. */
void tables_note_garbage(void);
/* So has what a thread that has just ended counted: folds now and then. */
void tables_note_exit(void);

/* Empties all tables. The caller holds the dump lock. */
void tables_reset(void);

/* Held while a dump reads the tables, so that they are not replaced. */
extern struct lock tables_dump_lock;
/* The shards' own locks and the pool's, for their counts. */
void tables_each_lock(void (*visit)(struct lock *lock, void *context),
		      void *context);

void tables_prefork(void);
void tables_postfork_parent(void);
void tables_postfork_child(void);

/* Between the files of the tables: a stack's row, and a count's, or NONE. */
size_t stacks_index_bytes(void);
void stacks_boot(uint32_t *memory);
uint32_t stacks_intern(const uint64_t *frames, unsigned depth);
unsigned stacks_peek(uint32_t row, uint64_t *frames, unsigned max);
void stacks_reset(void);
size_t counts_index_bytes(void);
void counts_boot(uint32_t *memory);
uint32_t counts_get(uint32_t stack, const struct sampled *what);
/*
 * Is that row, which nobody else writes meanwhile, the one? An empty row is
 * nobody's, whatever its key seems to be.
 */
static inline bool counts_is_of(const struct ledger_count *row, uint32_t stack,
				const struct sampled *what)
{
	return row->stack == stack && row->thread == what->thread &&
	       row->size_class == what->size_class &&
	       row->lg_sample == what->lg_sample &&
	       ledger_get(&row->allocated_count);
}
/* What the row had in use at the last peak is taken down, if it was not yet. */
void counts_keep_peak(struct ledger_count *count);
/*
 * What changes a thread's own rows holds the thread's shard; those that passed
 * to thread 0 may be of objects in several shards.
 */
static inline void counts_add(bool own, uint64_t *word, uint64_t delta)
{
	if (own)
		ledger_add(word, delta);
	else
		ledger_add_shared(word, delta);
}

/* Before anything is counted in or out of the row; its shard is held. */
static inline void counts_before_change(struct ledger_count *count)
{
	if (__builtin_expect(peak_is_new(count, peak_number()), 0))
		counts_keep_peak(count);
}

/* Adds an object's square; those of a small class all have one size. */
static inline void counts_add_square(bool own, const struct ledger_count *count,
				     uint64_t *squares, uint64_t usable_bytes)
{
	if (!size_class_is_small(count->size_class))
		counts_add(own, squares, ledger_square(usable_bytes));
}

/* A sampled object of the row was freed after so long by the thread. */
void counts_freed(uint32_t row, uint64_t usable_bytes, uint64_t lifetime_ns,
		  uint32_t thread);
/* Rows in use, as of some moment. */
uint32_t counts_rows(void);
/* Returns how many rows are left. */
uint32_t counts_fold(bool any);
void counts_reset(void);
extern struct lock stacks_lock, counts_lock;

static inline uint64_t tables_mix(uint64_t x)
{
	x = (x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
	return (x ^ (x >> 29)) * UINT64_C(0xbf58476d1ce4e5b9) ^ (x >> 31);
}

#endif
