/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Core files that come packed, as systemd-coredump keeps them. Reading one is
 * jumping about in it, so it is unpacked first: into a file of no name, which
 * is gone with the process, on a disk and not in memory, since what it holds
 * may be larger than that.
 */
#ifndef LIBJEHEAP_TARGET_CORE_PACKED_H
#define LIBJEHEAP_TARGET_CORE_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/diag.h"

/* What unpacking may come to; pages of zeros take no room. */
struct core_bounds {
	uint64_t file_bytes;
	uint64_t stored_bytes; /* or half of what is free, if that is less */
};

/* systemd-coredump(8) keeps no larger core file either, by default. */
#define CORE_BOUNDS_DEFAULT                                                    \
 ((struct core_bounds){(uint64_t)32 << 30, (uint64_t)32 << 30})

/* The first bytes of the file, as they are unpacked; false: so many are not. */
bool core_read_start(int fd, void *start, size_t size);

/*
 * Where *fd is packed, puts a descriptor to what it holds in its place: it
 * begins as a core file does, and is within the bounds. name is for messages.
 */
bool core_unpack(int *fd, const char *name, struct core_bounds bounds,
		 struct diag *diag);

#endif
