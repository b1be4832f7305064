/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Profiles from profiles: sums, differences, filters, coarser grains. Each
 * works in place or on the first argument, and keeps the order deterministic.
 */
#ifndef LIBJEHEAP_PROFILE_TRANSFORM_H
#define LIBJEHEAP_PROFILE_TRANSFORM_H

#include <stdbool.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/profile/profile.h"

/*
 * Adds other's samples, times factor (-1: subtracts; variances add up either
 * way), to profile's. Locations are matched by file (build-id, else path) and
 * offset, so two processes under ASLR match.
 */
void profile_add(struct profile *profile, const struct profile *other,
		 double factor);
/* Multiplies all values by factor. */
void profile_scale(struct profile *profile, double factor);
/* Keeps only samples of the thread with this uid. False: there is none. */
bool profile_keep_thread(struct profile *profile, uint64_t uid);
/* Removes samples whose values are negative (jeprof --drop_negative). */
void profile_drop_negative(struct profile *profile);

/*
 * Cuts from each stack the allocator's own frames and what it called, so that
 * the leaf is the caller of malloc: those in an allocator's library, and all
 * up to the last in a function such as malloc or operator new. A stack that is
 * nothing else stays as it is. After symbolize(); stacks may be equal then.
 */
void profile_drop_allocator(struct profile *profile);

/*
 * Regular expressions (POSIX extended), matched against function names, file
 * names and library names of the frames, inlined ones too. In jeprof's
 * meaning: focus keeps the stacks with a frame that matches, ignore drops
 * them; retain keeps only the frames that match, exclude removes them (a
 * stack left empty goes). NULL: none.
 */
struct filter {
	const char *focus, *ignore, *retain, *exclude;
};

bool profile_filter(struct profile *profile, const struct filter *filter,
		    struct diag *diag);

#endif
