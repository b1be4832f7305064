/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole files in, whole files out. Input may be plain or packed (unpack.h),
 * told by its first bytes, or "-" for standard input. Output appears under its
 * name only when it is complete.
 */
#ifndef LIBJEHEAP_BASE_FILE_H
#define LIBJEHEAP_BASE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/diag.h"
#include "libjeheap/base/str.h"

/* No input is read beyond this many bytes, unpacked. */
#define FILE_MAX_BYTES ((size_t)1 << 30)

/*
 * A descriptor to look into a file before it is read as what it is; -1 where it
 * is no regular one: of a pipe a look takes what is in it, and to open a named
 * one and close it again takes its writer's reader away.
 */
int file_open_to_look(const char *path);

/*
 * Is an input that begins so worth reading to its end? It is asked once, of
 * inputs that are larger than some KiB, with these, unpacked.
 */
typedef bool file_judge(struct str start, const char *name, struct diag *diag);

/*
 * The content of the file, in the arena, a NUL behind it. judge, which may be
 * NULL, can refuse an endless or huge input by its beginning.
 */
bool file_read(struct arena *arena, const char *path, file_judge *judge,
	       struct str *content, struct diag *diag);
/*
 * What packed bytes hold; others are *content as they are. name is for
 * messages; no more than limit bytes are made.
 */
bool file_unpack(struct arena *arena, struct str packed, const char *name,
		 size_t limit, struct str *content, struct diag *diag);

/*
 * A file to write: path NULL or "-" is stdout. Written under a temporary name
 * beside its own, and renamed by output_close. An output to a device or pipe
 * is written directly. output_open ignores SIGPIPE from then on, so that a
 * reader that went away is an error of output_close like any other.
 */
struct output {
	FILE *stream;
	char *path;	 /* NULL: standard output */
	char *temporary; /* NULL: direct */
	bool nameless;	 /* nothing is there by that name yet */
};

bool output_open(struct output *out, const char *path, struct diag *diag);
/* Flushes, checks each write made, renames. */
bool output_close(struct output *out, struct diag *diag);
/* Leaves nothing behind. */
void output_abandon(struct output *out);

#endif
