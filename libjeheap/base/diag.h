/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What went wrong, for main to print. Functions below main return false (or
 * NULL) and fill the caller's struct diag: what, where, why, what to do. The
 * first one set wins, so that a cause is not overwritten by its consequences.
 */
#ifndef LIBJEHEAP_BASE_DIAG_H
#define LIBJEHEAP_BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct diag {
	bool set;
	char text[1024]; /* "FILE:LINE: what: why; remedy", masked */
};

/* All return false, so that a caller can `return diag_set(...)`. */
bool diag_set(struct diag *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Appends ": strerror(errno)". */
bool diag_errno(struct diag *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "file:line: ..." (line from 1). */
bool diag_at_line(struct diag *diag, const char *file, size_t line,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* "file: at byte OFFSET: ..." */
bool diag_at_offset(struct diag *diag, const char *file, size_t offset,
		    const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void diag_clear(struct diag *diag);

/* "PROGRAM: text" on stderr. */
void diag_print(const char *program, const struct diag *diag);
/* "PROGRAM: warning: ..." on stderr, control characters masked. */
void warn(const char *program, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Replaces control characters and broken UTF-8 by '?', in place. */
void mask_text(char *text, size_t len);

#endif
