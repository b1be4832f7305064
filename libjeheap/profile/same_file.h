/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files of two profiles are the same: by build-id, else by path where
 * no build-ids contradict. Private to libjeheap/profile.
 */
#ifndef LIBJEHEAP_PROFILE_SAME_FILE_H
#define LIBJEHEAP_PROFILE_SAME_FILE_H

#include "libjeheap/profile/profile.h"

/* For each file of `of`, the index of the same file in `in`, or NONE. */
uint32_t *match_files(const struct profile *of, const struct profile *in,
		      struct arena *arena);

#endif
