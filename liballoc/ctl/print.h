/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text from inside the allocator: messages to the user, statistics. A buffer
 * on the caller's stack, handed on when it is full. No stdio, no locale,
 * nothing that may allocate; errno is kept.
 */
#ifndef LIBALLOC_CTL_PRINT_H
#define LIBALLOC_CTL_PRINT_H

#include <stddef.h>
#include <stdint.h>

#define PRINT_BUFFER_BYTES 1024
#define PRINT_NUMBER_BYTES 24 /* the longest number and its NUL */

struct print {
	void (*write)(void *opaque, const char *text);
	void *opaque;
	size_t length; /* of text, without the NUL; < PRINT_BUFFER_BYTES */
	char text[PRINT_BUFFER_BYTES];
};

/*
 * Readies out; text goes to write(opaque, text), where write is NULL to
 * malloc_message, and where that is NULL to stderr.
 */
void print_start(struct print *out, void (*write)(void *, const char *),
		 void *opaque);
void print_text(struct print *out, const char *text);
void print_bytes(struct print *out, const char *bytes, size_t length);
/* As print_bytes, control characters shown as '?': for what users wrote. */
void print_masked(struct print *out, const char *bytes, size_t length);
void print_unsigned(struct print *out, uint64_t value);
/* Hexadecimal, no prefix. */
void print_hex(struct print *out, uint64_t value);
void print_signed(struct print *out, int64_t value);
/* Fills up with spaces: text at the left, or at the right, of width columns. */
void print_left(struct print *out, const char *text, size_t width);
void print_right(struct print *out, const char *text, size_t width);
/* Hands on what is buffered. */
void print_end(struct print *out);

/* value in decimal at the end of buffer; where it begins. */
const char *print_number(char buffer[PRINT_NUMBER_BYTES], uint64_t value);

/* One line, "<liballoc>: " and the texts up to NULL. Any thread. */
void message(const char *text, ...) __attribute__((sentinel));
/* As message, where something was to be done and could not: see opt.abort. */
void warning(const char *text, ...) __attribute__((sentinel));
/* As message, then the process is aborted. */
_Noreturn void fatal(const char *text, ...) __attribute__((sentinel));

#endif
