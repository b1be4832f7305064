/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How reports write a quantity of a sample type, and what a report says about
 * its profile: period, samples, time, what has no name and why.
 */
#ifndef LIBJEHEAP_REPORT_AMOUNT_H
#define LIBJEHEAP_REPORT_AMOUNT_H

#include "libjeheap/base/number.h"
#include "libjeheap/report/report.h"

bool is_space(enum sample_type type);
/*
 * "1.50 MiB", "1572864" with show_bytes, "12" for objects; into buffer (at
 * least NUMBER_BYTES), which it returns.
 */
char *format_amount(char *buffer, const struct report_options *options,
		    double amount);
/* What 100 % is. */
double report_whole(const struct profile *profile,
		    const struct report_options *options);
/* Sampled objects behind the type. */
double report_samples(const struct profile *profile, enum sample_type type);
const char *report_title(const struct profile *profile,
			 const struct report_options *options,
			 struct arena *arena);
/* "2026-01-31 12:00:00 UTC", or "" for 0; at least 32 bytes. */
char *format_time(char *buffer, uint64_t time_ns);
/* "Period: 512 KiB", "Every object was counted". */
struct str describe_period(const struct profile *profile, struct arena *arena);

/* What has no name: one row an object file and reason. */
struct nameless {
	struct str file; /* path; empty: in no mapping */
	enum unresolved reason;
	struct value leaf; /* of stacks whose leaf it is */
	struct value any;  /* of stacks that it is on */
};

struct nameless_list {
	struct nameless *rows; /* by |any|, descending; then by file */
	size_t count, capacity;
	struct value leaf, any; /* all together, a stack once */
};

/*
 * The locations without lines, by the options' type. Frames that a reader
 * knows nothing of count as well as those that symbolize() failed on.
 */
void find_nameless(const struct profile *profile, enum sample_type type,
		   struct arena *arena, struct nameless_list *list);
/* "stripped, and no debug file was found" */
const char *unresolved_reason(enum unresolved reason);
/* "install its debug symbols", or NULL */
const char *unresolved_remedy(enum unresolved reason);

#endif
