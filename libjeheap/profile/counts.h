/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From true counts of sampled objects to a profile's samples. Whoever has
 * such counts (a ledger, a dump with the spectrum lines) goes through here,
 * in the same shape and order, so that a process and its dump give the same
 * numbers to the last bit.
 */
#ifndef LIBJEHEAP_PROFILE_COUNTS_H
#define LIBJEHEAP_PROFILE_COUNTS_H

#include <stdint.h>

#include "libjeheap/profile/profile.h"

/*
 * Sampled objects of one (stack, thread, size class), taken at one mean
 * distance between samples. Bytes are usable bytes. For a large class, which
 * spans sizes, bytes / count is the mean size, and the squares, as the ledger
 * counts them, tell how sizes vary; those that cannot be are passed over.
 */
struct sampled_counts {
	uint64_t inuse_count, inuse_bytes;
	uint64_t alloc_count, alloc_bytes;     /* zero: not recorded */
	uint64_t inuse_squares, alloc_squares; /* zero: not known */
	const struct lives *lives; /* is copied; NULL: not recorded */
};

/*
 * Adds their estimate as one sample, of block_bytes in use (or, with none in
 * use, allocated). Thread is an index or NONE. A pair with a zero in it counts
 * as nothing; with nothing left, no sample is added.
 */
void profile_add_counts(struct profile *profile, uint32_t stack,
			uint32_t thread, const struct sampled_counts *counts,
			double period_bytes);

/*
 * Sorts the samples by stack, then thread uid, then block_bytes: the order
 * that makes sums independent of the order in which a reader met them.
 */
void profile_order_samples(struct profile *profile);

#endif
