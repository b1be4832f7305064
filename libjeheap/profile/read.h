/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inputs to the model. An input is a dump file (plain, gzip or zstd), a pid,
 * or "-"; the format is told from the content, never from the name.
 */
#ifndef LIBJEHEAP_PROFILE_READ_H
#define LIBJEHEAP_PROFILE_READ_H

#include <stdbool.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/profile/profile.h"

struct read_options {
	const char *sysroot; /* see target_open() and symbolizer_new() */
};

/* What a name on the command line stands for: digits alone, and no file of
 * that name, are a process. */
bool input_is_pid(const char *name, int *pid);

/* Reads the profile of a file or process; NULL and diag where it fails. */
struct profile *profile_read(const char *input,
			     const struct read_options *options,
			     struct diag *diag);
/* The same from memory; name is for messages. */
struct profile *profile_parse(struct str content, const char *name,
			      struct diag *diag);

/* One reader a format; each takes the whole content. */
struct profile *read_heap_text(struct str content, const char *name,
			       struct diag *diag); /* heap_v2 and older */
struct profile *read_symbolized(struct str content, const char *name,
				struct diag *diag); /* jeprof --raw */
struct profile *read_pprof(struct str content, const char *name,
			   struct diag *diag); /* profile.proto */
/* libjeheap/target's ledger of a running process. */
struct profile *read_process(int pid, struct diag *diag);

/* The text of /proc/PID/maps, appended to the profile's mappings. */
bool read_maps(struct profile *profile, struct str maps, struct diag *diag);

#endif
