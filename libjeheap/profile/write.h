/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formats that carry a whole profile: pprof's profile.proto (gzip) and
 * jeprof's symbolized text. That a write failed is told by the stream, and by
 * output_close().
 */
#ifndef LIBJEHEAP_PROFILE_WRITE_H
#define LIBJEHEAP_PROFILE_WRITE_H

#include <stdio.h>

#include "libjeheap/profile/profile.h"

/*
 * profile.proto, gzip, four sample types in the order of enum sample_type,
 * default inuse_space. Values are rounded estimates.
 * Source: github.com/google/pprof, proto/profile.proto.
 */
void write_pprof(const struct profile *profile, FILE *stream);
/* "--- symbol ... --- heap", as jeprof --raw. */
void write_raw(const struct profile *profile, FILE *stream);

#endif
