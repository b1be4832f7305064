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
 * way), to profile's, as samples of their own. Files are the same where their
 * build-ids are, else where their paths are and no build-ids contradict;
 * locations where file and offset are. So two processes under ASLR match.
 * Addresses become those of profile's process; mappings that it lacks come
 * behind its own. What describes a process stays profile's, unless it is
 * empty.
 */
void profile_add(struct profile *profile, const struct profile *other,
		 double factor);
/* Multiplies all values by factor. */
void profile_scale(struct profile *profile, double factor);
/* Keeps only samples of the thread with this uid. False: there is none. */
bool profile_keep_thread(struct profile *profile, uint64_t uid);
/*
 * After a difference: a type whose sum over a stack is negative becomes 0 in
 * all samples of that stack, and samples left with nothing go (jeprof
 * --drop_negative).
 */
void profile_drop_negative(struct profile *profile);

/*
 * Cuts from each stack the allocator's own frames and what it called, so that
 * the leaf is the caller of malloc: those in an allocator's library, and all
 * up to the last in a function such as malloc or operator new. A stack that is
 * nothing else stays as it is. After symbolize(); stacks may be equal then.
 */
void profile_drop_allocator(struct profile *profile);

/*
 * Regular expressions (POSIX extended, with glibc's \b, \w and the like), each
 * searched for in a frame's function name (demangled and as in the symbol
 * table), in "FILE:LINE", and in "LIBRARY+0xOFFSET" with the library's base
 * name; inlined frames count each for itself. In jeprof's
 * meaning: focus keeps the stacks with a frame that matches, ignore drops
 * them; retain keeps only the frames that match, exclude removes them (a
 * stack left empty goes). NULL: none. After symbolization.
 */
struct filter {
	const char *focus, *ignore, *retain, *exclude;
};

/* False: an expression is malformed; nothing was changed. */
bool profile_filter(struct profile *profile, const struct filter *filter,
		    struct diag *diag);

/*
 * Which stacks of two profiles are the same place in the program: those of
 * one group. First by file and offset, frame by frame (see profile_add); what
 * has no partner so, by the names of the functions, inlined ones too, so that
 * rebuilt programs match. Frames without a name match by file and offset
 * only. Symbolize both before.
 */
struct stack_groups {
	uint32_t *of_a; /* group of each stack of a, in [0, count) */
	uint32_t *of_b;
	size_t count;
};

void profile_match_stacks(const struct profile *a, const struct profile *b,
			  struct arena *arena, struct stack_groups *groups);

#endif
