/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What packed bytes hold, a part at a time: gzip (RFC 1952), zstd (RFC 8878),
 * xz (tukaani.org/xz/xz-file-format.txt) and lz4 (lz4_Frame_format.md), told
 * by their first bytes. Whatever they say, they get UNPACK_MEMORY_BYTES or
 * less for it; how much comes out is for the caller to bound.
 */
#ifndef LIBJEHEAP_BASE_UNPACK_H
#define LIBJEHEAP_BASE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/base/str.h"

#define UNPACK_MEMORY_BYTES ((uint64_t)256 << 20)

struct unpack;

/*
 * NULL where it is not packed. Both stay the caller's, as does name, which is
 * for messages; a file is one that pread can read, and its offset stays.
 */
struct unpack *unpack_bytes(struct str packed, const char *name);
struct unpack *unpack_file(int fd, const char *name);
/*
 * The next size bytes, of which *got come where there are no more. False, and
 * the diag, where the data are damaged or end too early, or cannot be read.
 */
bool unpack_read(struct unpack *unpack, void *buffer, size_t size, size_t *got,
		 struct diag *diag);
void unpack_close(struct unpack *unpack);

#endif
