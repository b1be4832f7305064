/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long objects lived, by the function, file, line or address that
 * allocated them: what both the table and its JSON are made of.
 */
#ifndef LIBJEHEAP_REPORT_LIFETIMES_H
#define LIBJEHEAP_REPORT_LIFETIMES_H

#include "libjeheap/report/report.h"

/* What was freed, estimated by the type's unit: bytes or objects. */
struct lifetimes {
	struct str name, file;	   /* as in struct graph_node */
	double freed;		   /* how much */
	double elsewhere;	   /* of it, by another thread */
	double words[LIVES_WORDS]; /* of it, by lifetime: see struct lives */
	double in_use;
	double samples; /* sampled objects behind freed */
};

struct lifetime_list {
	struct lifetimes *rows; /* by freed, descending; then by name */
	size_t count;
	struct lifetimes total; /* without a name */
};

/*
 * Adds up under the leaf's name or, with options->cumulative, under each name
 * on the stack. False: no sample has lifetimes.
 */
bool lifetimes_find(const struct profile *profile,
		    const struct report_options *options, struct arena *arena,
		    struct lifetime_list *list);

/*
 * The time within which this part (0 to 1) was freed, ns: between the ends of
 * the word that it falls in, by the logarithm. NAN where nothing is known.
 */
double lifetimes_quantile(const struct lifetimes *row, double part);

#endif
