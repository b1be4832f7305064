/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dirty runs of large objects that were hardly touched, kept whole for the next
 * one of about their size: sparse.h. Guarded by the page heap's lock, which
 * counts them as dirty with their resident_bytes, and as retained with the
 * rest, and has them among its runs by age; no page word leads to them.
 */
#ifndef LIBALLOC_HEAP_SPARSE_RUNS_H
#define LIBALLOC_HEAP_SPARSE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/run_set.h"
#include "liballoc/heap/sparse.h"

/* So many bytes are kept, times what is in use, and at most .. */
#define SPARSE_RUNS_TIMES 16u
/* .. so many more than twice that. */
#define SPARSE_RUNS_MORE ((size_t)1 << 30)
/* A run serves where at most this share is left over. */
#define SPARSE_RUNS_LEAST_FIT 16u

struct sparse_runs {
	size_t bytes;	 /* of all of them */
	uint32_t doubts; /* sparse_doubts that they have outlived */
	struct run_set set;
	size_t resident[RUN_SET_BINS]; /* resident_bytes, by the set's bins */
};

static inline bool sparse_runs_have_room(const struct sparse_runs *runs,
					 size_t bytes, size_t active_bytes)
{
	size_t most = SPARSE_RUNS_TIMES * active_bytes;

	if (most > 2 * active_bytes + SPARSE_RUNS_MORE)
		most = 2 * active_bytes + SPARSE_RUNS_MORE;
	return runs->bytes + bytes <= most;
}

/* True once after each doubt: they are to go. */
static inline bool sparse_runs_are_doubted(struct sparse_runs *runs)
{
	uint32_t doubts = __atomic_load_n(&sparse_doubts, __ATOMIC_RELAXED);
	bool doubted = runs->doubts != doubts;

	runs->doubts = doubts;
	return doubted;
}

static inline void sparse_runs_put(struct sparse_runs *runs, struct extent *run)
{
	run_set_insert(&runs->set, run);
	runs->bytes += run->bytes;
	runs->resident[run_set_bin_of(run->bytes)] += run->resident_bytes;
}

static inline void sparse_runs_remove(struct sparse_runs *runs,
				      struct extent *run)
{
	run_set_remove(&runs->set, run);
	runs->bytes -= run->bytes;
	runs->resident[run_set_bin_of(run->bytes)] -= run->resident_bytes;
}

/* One for an object of bytes, so aligned, left there; NULL: there is none. */
static inline struct extent *sparse_runs_find(const struct sparse_runs *runs,
					      size_t bytes, size_t alignment)
{
	struct extent *run = run_set_find(&runs->set, bytes);

	if (!run || run->bytes - bytes > bytes / SPARSE_RUNS_LEAST_FIT ||
	    run->base & (alignment - 1))
		return NULL;
	return run;
}

#endif
