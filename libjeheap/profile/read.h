/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inputs to the model. An input is a dump file, a pid, a core file, or "-";
 * files may be packed (libjeheap/base/unpack.h); the format is told from the
 * content, never from the name.
 */
#ifndef LIBJEHEAP_PROFILE_READ_H
#define LIBJEHEAP_PROFILE_READ_H

#include <stdbool.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/profile/profile.h"

/* What a name on the command line stands for: digits alone, and no file of
 * that name, are a process. */
bool input_is_pid(const char *name, int *pid);

/* Reads the profile of a file or process; NULL and diag where it fails. */
struct profile *profile_read(const char *input, struct diag *diag);
/*
 * Of a process or a core file, what was in use at the last peak of live bytes;
 * a dump tells of its own moment alone, and is refused.
 */
struct profile *profile_read_peak(const char *input, struct diag *diag);
/*
 * A profile from memory; name is for messages. Packed content is unpacked.
 * What follows is refused with a line that says what to do: a dump that was
 * cut, a line that is neither a stack nor a count, a number of more than 64
 * bits, another kind of file.
 */
struct profile *profile_parse(struct str content, const char *name,
			      struct diag *diag);

/* By its first 64 bytes or more: could it be one? A file_judge. */
bool profile_may_begin_so(struct str start, const char *name,
			  struct diag *diag);

/* One reader a format; each takes the whole content. */
struct profile *read_heap_text(struct str content, const char *name,
			       struct diag *diag); /* heap_v2 and older */
struct profile *read_symbolized(struct str content, const char *name,
				struct diag *diag); /* jeprof --raw */
struct profile *read_pprof(struct str content, const char *name,
			   struct diag *diag); /* profile.proto */
/* libjeheap/target's ledger of a running process. */
struct profile *read_process(int pid, bool at_peak, struct diag *diag);
/* The same of one that is no more. */
struct profile *read_core(const char *path, bool at_peak, struct diag *diag);

/* The build-id of what is mapped at [start, limit), raw bytes. */
struct mapped_build_id {
	uint64_t start, limit;
	struct str id;
};

/*
 * The executable mappings of the text of /proc/PID/maps (or the older
 * "START-LIMIT: PATH" lines) that have a path, or are the vdso, appended to
 * the profile's and sealed. A line of another form is passed over. ids (by
 * start) may be NULL.
 */
void read_maps(struct profile *profile, struct str maps,
	       const struct mapped_build_id *ids, size_t id_count);

#endif
