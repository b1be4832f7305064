/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes JSON to a stream: places the commas, escapes the strings; bytes that
 * are not UTF-8 become U+FFFD. A newline follows the outermost value, so that
 * several in a row are JSON Lines. (Reading is jansson's.) Errors of the
 * stream are found by whoever closes it.
 */
#ifndef LIBJEHEAP_BASE_JSON_H
#define LIBJEHEAP_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "libjeheap/base/str.h"

/* Start with the first two set and the others zero. No limit on the depth. */
struct json {
	FILE *stream;
	unsigned indent; /* spaces a level; 0: all on one line */
	size_t depth;
	bool has_items; /* of the innermost container that is open */
};

/* key NULL: an element of an array, or the outermost value. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_end_array(struct json *json);
void json_string(struct json *json, const char *key, struct str value);
void json_uint(struct json *json, const char *key, uint64_t value);
void json_int(struct json *json, const char *key, int64_t value);
/* Shortest form that reads back the same; not finite: null. */
void json_double(struct json *json, const char *key, double value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
