/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading bytes from outside: the only place that compares what a reader asks
 * for with what is left. Copies nothing; what it returns points into the
 * input.
 */
#include "config.h"

#include "libjeheap/base/cursor.h"

#include <string.h>

struct cursor cursor_over(const void *data, size_t size, const char *name,
			  struct diag *diag)
{
	static const uint8_t nothing[1];
	const uint8_t *start = size ? data : nothing;

	return (struct cursor){.start = start,
			       .next = start,
			       .end = start + size,
			       .name = name,
			       .diag = diag};
}

bool cursor_fail(struct cursor *c, const char *format, ...)
{
	char what[512];
	va_list args;

	if (c->failed)
		return false;
	c->failed = true;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return diag_at_offset(c->diag, c->name, cursor_offset(c), "%s", what);
}

bool cursor_fail_line(struct cursor *c, const char *format, ...)
{
	char what[512];
	va_list args;

	if (c->failed)
		return false;
	c->failed = true;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return diag_at_line(c->diag, c->name, c->line, "%s", what);
}

/* The next size bytes, or NULL and the error. */
static const uint8_t *take(struct cursor *c, size_t size)
{
	const uint8_t *at = c->next;

	if (c->failed)
		return NULL;
	if (size > cursor_left(c)) {
		cursor_fail(c,
			    "%zu bytes are wanted and %zu are left; the "
			    "file is truncated or damaged",
			    size, cursor_left(c));
		return NULL;
	}
	c->next += size;
	return at;
}

static uint64_t take_word_of(struct cursor *c, size_t size)
{
	const uint8_t *at = take(c, size);
	uint64_t value = 0;

	while (at && size--)
		value = value << 8 | at[size];
	return value;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)take_word_of(c, 1);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)take_word_of(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return take_word_of(c, 8);
}

uint64_t cursor_varint(struct cursor *c)
{
	uint64_t value = 0;
	unsigned shift;
	uint8_t byte;

	for (shift = 0; shift < 70; shift += 7) {
		byte = cursor_u8(c);
		if (c->failed)
			return 0;
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	cursor_fail(c, "a number of more than 64 bits; the file is damaged");
	return 0;
}

struct str cursor_bytes(struct cursor *c, size_t size)
{
	const uint8_t *at = take(c, size);

	return at ? (struct str){(const char *)at, size} : (struct str){0};
}

bool cursor_line(struct cursor *c, struct str *line)
{
	const uint8_t *newline;
	size_t len;

	if (cursor_left(c) == 0)
		return false;
	newline = memchr(c->next, '\n', cursor_left(c));
	len = newline ? (size_t)(newline - c->next) : cursor_left(c);
	*line = (struct str){(const char *)c->next, len};
	if (len && line->ptr[len - 1] == '\r')
		line->len--;
	c->next += len + (newline != NULL);
	c->line++;
	return true;
}

static void skip(struct str *s, size_t n)
{
	s->ptr += n;
	s->len -= n;
}

bool take_char(struct str *s, char c)
{
	if (s->len == 0 || *s->ptr != c)
		return false;
	skip(s, 1);
	return true;
}

bool take_literal(struct str *s, const char *text)
{
	struct str literal = str_of(text);

	if (!str_starts_with(*s, literal))
		return false;
	skip(s, literal.len);
	return true;
}

void take_spaces(struct str *s)
{
	while (s->len && (*s->ptr == ' ' || *s->ptr == '\t'))
		skip(s, 1);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool take_digits(struct str *s, unsigned base, uint64_t *value)
{
	struct str rest = *s;
	uint64_t sum = 0;
	unsigned digit;

	while (rest.len && (digit = (unsigned)digit_value(*rest.ptr)) < base) {
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			return false;
		skip(&rest, 1);
	}
	if (rest.len == s->len)
		return false;
	*s = rest;
	*value = sum;
	return true;
}

bool take_decimal(struct str *s, uint64_t *value)
{
	return take_digits(s, 10, value);
}

bool take_signed(struct str *s, int64_t *value)
{
	struct str rest = *s;
	bool negative = take_char(&rest, '-');
	uint64_t magnitude;

	if (!take_digits(&rest, 10, &magnitude) || magnitude > INT64_MAX)
		return false;
	*s = rest;
	*value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

bool take_hex(struct str *s, uint64_t *value)
{
	struct str rest = *s;

	if (rest.len > 2 && rest.ptr[0] == '0' &&
	    (rest.ptr[1] == 'x' || rest.ptr[1] == 'X') &&
	    digit_value(rest.ptr[2]) < 16)
		skip(&rest, 2);
	if (!take_digits(&rest, 16, value))
		return false;
	*s = rest;
	return true;
}

bool take_word(struct str *s, struct str *word)
{
	size_t n = 0;

	while (n < s->len && s->ptr[n] != ' ' && s->ptr[n] != '\t')
		n++;
	if (n == 0)
		return false;
	*word = (struct str){s->ptr, n};
	skip(s, n);
	return true;
}
