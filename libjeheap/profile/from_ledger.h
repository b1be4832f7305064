/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples of a ledger as a profile's.
 */
#ifndef LIBJEHEAP_PROFILE_FROM_LEDGER_H
#define LIBJEHEAP_PROFILE_FROM_LEDGER_H

#include "libjeheap/profile/profile.h"
#include "libjeheap/target/target.h"

/* The sections that profile_from_ledger() reads. */
#define LEDGER_WANT_COUNTS                                                     \
 (1u << LEDGER_METRICS | 1u << LEDGER_PROCESS | 1u << LEDGER_CLASSES |         \
  1u << LEDGER_THREADS | 1u << LEDGER_STACKS | 1u << LEDGER_FRAMES |           \
  1u << LEDGER_COUNTS | 1u << LEDGER_LIVES)

/* The last peak of live bytes, as the heap has counted them. */
struct ledger_peak {
	uint64_t number; /* 0: the process keeps none */
	uint64_t bytes;
	uint64_t monotonic_ns;
};

struct ledger_peak ledger_view_peak(const struct ledger_view *view);

/*
 * Adds the view's samples, threads and facts to a profile whose mappings are
 * sealed. Rows that refer to what is not there are left out, and a comment
 * says how many.
 */
void profile_from_ledger(struct profile *profile,
			 const struct ledger_view *view);
/*
 * The same of what was in use at the last peak; of what was allocated by then
 * nothing is known.
 */
void profile_from_ledger_peak(struct profile *profile,
			      const struct ledger_view *view);

#endif
