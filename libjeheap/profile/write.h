/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formats that carry a whole profile: pprof's profile.proto (gzip) and
 * jeprof's symbolized text.
 */
#ifndef LIBJEHEAP_PROFILE_WRITE_H
#define LIBJEHEAP_PROFILE_WRITE_H

#include <stdbool.h>
#include <stdio.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/profile/profile.h"

/*
 * profile.proto, gzip, four sample types in the order of enum sample_type,
 * default inuse_space. Values are rounded estimates.
 * Source: github.com/google/pprof, proto/profile.proto.
 */
bool write_pprof(const struct profile *profile, FILE *stream,
		 struct diag *diag);
/* "--- symbol ... --- heap", as jeprof --raw. */
bool write_raw(const struct profile *profile, FILE *stream, struct diag *diag);

#endif
