/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changed between two profiles, stack by stack and row by row, and
 * whether each change is more than sampling noise. Reads and prints nothing.
 */
#ifndef JEHEAPDIFF_COMPARE_H
#define JEHEAPDIFF_COMPARE_H

#include "jeheapdiff/match.h"
#include "libjeheap/report/frames.h"

enum relation {
	SAME_PROCESS, /* objects in both have one sampling indicator */
	OTHER_RUN,
	OTHER_BUILD, /* and a file was rebuilt */
};

enum verdict { UNCHANGED, NOISE, GREW, SHRANK, APPEARED, GONE };

/* "unchanged", "noise", "grew", "shrank", "new", "gone" */
extern const char *const verdict_names[];

struct change {
	struct value value[SIDES];
	double samples[SIDES]; /* sampled objects behind it */
	double variance;       /* of new - old */
	double null_variance;  /* the same, were both heaps equal */
	double differing;      /* at most so many samples are in one alone */
	double weighted_odds;  /* sum over those of P(it is NEW's) */
	double log_surprise[SIDES]; /* see judge() in compare.c */
	double p; /* no change at all would show this or more */
	double q; /* p, adjusted for the number of rows */
	enum verdict verdict;
};

static inline double change_delta(const struct change *change)
{
	return change->value[NEW].total - change->value[OLD].total;
}

struct diff_stack {
	unsigned side; /* where stack is from, for its names */
	uint32_t stack;
	double variance_sum; /* of both sides, as if they were independent */
	struct change change;
};

struct diff_row {
	struct str name;
	uint32_t top; /* the stack that changed most: in stacks */
	struct change change;
};

enum row_kind { ROWS_BY_NAME, ROWS_BY_STACK };

struct compare_options {
	enum sample_type type;
	enum row_kind kind;
	enum granularity granularity; /* of ROWS_BY_NAME */
	bool cumulative;
	double false_discovery_rate;
	int same_process; /* 1: yes, 0: no, -1: by pid and start time */
};

struct comparison {
	struct arena *arena;
	struct profile *profiles[SIDES];
	struct compare_options options;
	struct matcher matcher;
	enum relation relation;
	bool has_births; /* SAME_PROCESS, and both profiles have_alloc */
	struct frames *frames[SIDES]; /* of the rows' granularity */
	struct diff_stack *stacks;    /* by the matcher's numbers */
	size_t stack_count, stack_capacity;
	struct diff_row *rows; /* by |delta|, descending; then name */
	size_t row_count, row_capacity;
	struct change total;
	double negligible; /* deltas up to this are rounding */
};

/* Both profiles are symbolized and filtered. All memory is the arena's. */
struct comparison *compare(struct profile *old_profile,
			   struct profile *new_profile,
			   const struct compare_options *options,
			   struct arena *arena);
/*
 * Turns NEW's profile into the difference, each stack with the variance of
 * its delta, for a report. The comparison stays as it is.
 */
struct profile *compare_to_profile(struct comparison *comparison);

#endif
