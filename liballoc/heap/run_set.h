/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of free runs of pages, searched for the best fit: the smallest run
 * that is large enough, and of those the one at the lowest address. Runs are
 * segregated by size, 4 lists to a doubling, each a treap ordered by (bytes,
 * base) whose priorities are hashes of the bases. Intrusive; takes no lock.
 */
#ifndef LIBALLOC_HEAP_RUN_SET_H
#define LIBALLOC_HEAP_RUN_SET_H

#include <stdint.h>

#include "liballoc/heap/extent.h"

#define RUN_SET_BINS 192u

/* The runs of at least so many bytes, and less than in the next bin. */
struct run_set_bin {
	struct extent *root;
	size_t bytes; /* of all of them */
	size_t count;
};

struct run_set {
	uint64_t occupied[RUN_SET_BINS / 64]; /* bit b: bins[b] has a root */
	struct run_set_bin bins[RUN_SET_BINS];
};

/* Where bin begins, in bytes; the first bin, of no size, is always empty. */
size_t run_set_bin_bytes(unsigned bin);

/* The bin of runs of so many bytes. */
unsigned run_set_bin_of(size_t bytes);

void run_set_insert(struct run_set *set, struct extent *run);
void run_set_remove(struct run_set *set, struct extent *run);
/* The best fit for bytes, left in the set; NULL: none is large enough. */
struct extent *run_set_find(const struct run_set *set, size_t bytes);
/* The longest run, left in the set; NULL: the set is empty. */
struct extent *run_set_longest(const struct run_set *set);
/* The longest of those that come before run, which is in it; NULL: none. */
struct extent *run_set_before(const struct run_set *set,
			      const struct extent *run);

#endif
