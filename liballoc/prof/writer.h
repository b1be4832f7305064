/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a file that is there whole or not at all: to a name of its own in
 * the same directory, renamed at the end. Buffered, with a sticky error; no
 * stdio, no allocation. One at a time: the buffer is static. What cannot be
 * replaced is written to as it is, and half of it where that fails: a device, a
 * pipe, what is open already (/dev/stdout, /proc/self/fd/5), which goes on
 * where it is; and, where it is asked for, a file in a folder where none can be
 * made, or that is a mount.
 */
#ifndef LIBALLOC_PROF_WRITER_H
#define LIBALLOC_PROF_WRITER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRITER_PATH_BYTES 1280

struct writer {
	int fd;
	int error;     /* the first one's errno; 0: none */
	size_t length; /* bytes in the buffer */
	const char *path;
	bool asked_for;
	sigset_t mask, pending; /* of the thread, before */
	/* Where it is written; empty: straight to path, which is no file. */
	char temporary[WRITER_PATH_BYTES];
};

/*
 * path must outlive the writer. asked_for: by the program, which then has links
 * followed and modes kept, rather than a name that is made up. Errors show in
 * writer_close(), and in no signal: SIGXFSZ and SIGPIPE are held meanwhile.
 */
void writer_open(struct writer *writer, const char *path, bool asked_for);
/* 0, or an errno, and then nothing that is new is left behind. */
int writer_close(struct writer *writer);

void writer_bytes(struct writer *writer, const char *bytes, size_t length);
void writer_text(struct writer *writer, const char *text);
void writer_decimal(struct writer *writer, uint64_t value);
/* With prefix: as "%#lx", so 0 has none. */
void writer_hex(struct writer *writer, uint64_t value, bool prefix);
/* Bytes in hexadecimal. */
void writer_hex_bytes(struct writer *writer, const uint8_t *bytes,
		      size_t length);
/* Backslash, blanks and what is not printable ASCII as \xHH. */
void writer_escaped(struct writer *writer, const char *bytes, size_t length);

#endif
