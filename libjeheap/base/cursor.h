/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cursor over bytes from outside. It holds what is left; the first read
 * that asks for more, or finds other than it must, sets the error with the
 * offset (or line), and all later reads give zero. So a parser reads on and
 * checks once, and no caller does bounds arithmetic.
 */
#ifndef LIBJEHEAP_BASE_CURSOR_H
#define LIBJEHEAP_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/base/str.h"

struct cursor {
	const uint8_t *start, *next, *end;
	size_t line;	  /* of text: lines taken so far, thus 1-based */
	const char *name; /* of the file, for messages */
	bool failed;
	struct diag *diag;
};

struct cursor cursor_over(const void *data, size_t size, const char *name,
			  struct diag *diag);
static inline size_t cursor_left(const struct cursor *c)
{
	return c->failed ? 0 : (size_t)(c->end - c->next);
}
static inline size_t cursor_offset(const struct cursor *c)
{
	return (size_t)(c->next - c->start);
}
/* Sets the error, "NAME: at byte N: ..."; false. */
bool cursor_fail(struct cursor *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Sets the error, "NAME:LINE: ..."; false. */
bool cursor_fail_line(struct cursor *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Binary, little-endian. */
uint8_t cursor_u8(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c); /* protobuf's */
struct str cursor_bytes(struct cursor *c, size_t size);

/*
 * Text. cursor_line takes the next line without its "\n" or "\r\n"; false at
 * the end. The others take from the front of a struct str and say whether
 * they found it; *s is moved behind it only then.
 */
bool cursor_line(struct cursor *c, struct str *line);
bool take_char(struct str *s, char c);
bool take_literal(struct str *s, const char *text);
void take_spaces(struct str *s);
bool take_decimal(struct str *s, uint64_t *value); /* false on overflow */
bool take_signed(struct str *s, int64_t *value);
bool take_hex(struct str *s, uint64_t *value);	 /* with or without 0x */
bool take_word(struct str *s, struct str *word); /* to the next space */

#endif
