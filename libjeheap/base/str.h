/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings as {pointer, length}; they need no NUL and own nothing. A struct
 * text grows in an arena. A struct intern gives equal strings one number.
 */
#ifndef LIBJEHEAP_BASE_STR_H
#define LIBJEHEAP_BASE_STR_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libjeheap/base/arena.h"

struct str {
	const char *ptr; /* may be NULL where len is 0 */
	size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For printf's "%.*s" */
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline struct str str_of(const char *text)
{
	return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	if (a.len == 0)
		return true;
	assert(a.ptr && b.ptr);
	return memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* <0, 0, >0 in byte order. */
int str_compare(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
/* The offset of the first `what`, or SIZE_MAX. */
size_t str_find(struct str s, struct str what);
struct str str_trim(struct str s); /* of white space, both ends */
struct str str_basename(struct str path);
/* Splits off what comes before the separator; *rest is what comes after. */
struct str str_split(struct str s, char separator, struct str *rest);
struct str str_copy(struct arena *arena, struct str s);
/* NUL-terminated. */
char *str_cstring(struct arena *arena, struct str s);
/* Differs from process to process: never sort by it. */
uint64_t str_hash(struct str s);

/* Text being built. A zeroed one with its arena set is empty. */
struct text {
	struct arena *arena;
	char *ptr;
	size_t len, capacity;
};

void text_add(struct text *text, struct str s);
void text_add_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What was built, NUL-terminated behind len. */
struct str text_str(struct text *text);

/* Numbers for distinct strings, 0, 1, 2 ... in order of first sight. */
struct intern {
	struct arena *arena;
	struct str *strings;
	size_t count, capacity;
	uint32_t *slots; /* open addressing; 0 is empty, else number + 1 */
	size_t slot_count;
};

uint32_t intern(struct intern *table, struct str s); /* copies s if new */

#endif
