/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A copy of the counts, in memory of its own, so that a dump's totals and
 * lines agree while samples come and go. Sorted by stack, thread, rate and
 * size class; impossible figures of a copy in passing are mended.
 */
#ifndef LIBALLOC_PROF_SNAPSHOT_H
#define LIBALLOC_PROF_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "liballoc/ledger/layout.h"

struct snapshot_row {
	struct ledger_count count;
	uint32_t origin; /* row in LEDGER_COUNTS */
};

struct snapshot {
	struct snapshot_row *rows;
	size_t count;
	size_t bytes; /* mapped */
};

/*
 * The caller holds the dump lock. at_peak: what was in use at the last peak,
 * as allocated and not freed. False where there is no memory.
 */
bool snapshot_take(struct snapshot *snapshot, bool at_peak);
void snapshot_drop(struct snapshot *snapshot);

/*
 * What a set of sampled objects stands for. weight: the sum over samples of
 * 1/p, where p is the odds that such an object is sampled; bytes: of size/p.
 */
struct estimate {
	double weight, bytes;
	uint64_t samples, sampled_bytes; /* what it is made of */
};

struct estimates {
	struct estimate in_use, allocated;
};

/*
 * Adds the row's lifetimes, as they are now: newer than the snapshot. Holding
 * the dump lock since it was taken.
 */
void snapshot_add_lives(const struct snapshot_row *row,
			uint64_t words[LEDGER_LIFE_WORDS]);

/* Adds the estimates of a row. */
void estimates_add(struct estimates *to, const struct ledger_count *row);
/*
 * The columns of heap_v2: such that a reader who multiplies both by
 * 1/(1 - exp(-mean/R)), as they all do, gets the estimates back.
 */
void estimate_columns(const struct estimate *estimate, unsigned lg_sample,
		      uint64_t *count, uint64_t *bytes);

#endif
