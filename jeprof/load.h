/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the inputs of a command line to one profile that is ready to report:
 * read, summed, subtracted, symbolized. Filters are the caller's.
 */
#ifndef JEPROF_LOAD_H
#define JEPROF_LOAD_H

#include "jeprof/command_line.h"
#include "libjeheap/symbol/symbol.h"

struct loaded {
	struct profile *profile;
	struct value whole[SAMPLE_TYPES]; /* see struct report_options */
	struct symbol_stats stats;
};

bool load_profiles(const struct command_line *line, struct loaded *loaded,
		   struct diag *diag);
/*
 * A copy of the thread's part, or NULL with diag, which lists the threads
 * there are.
 */
struct profile *thread_part(const struct profile *profile, uint64_t uid,
			    struct diag *diag);
/* The uids of the threads that have any, of which there may be all. */
size_t threads_with_samples(const struct profile *profile, uint64_t *uids);
/* "main" in "t0 main"; empty where it has no name. */
struct str thread_name(const struct profile *profile, uint64_t uid);

#endif
