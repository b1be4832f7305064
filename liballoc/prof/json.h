/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON on one line, for what the profiler writes in jemalloc's formats. Places
 * the commas, escapes strings; allocates nothing.
 */
#ifndef LIBALLOC_PROF_JSON_H
#define LIBALLOC_PROF_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/ctl/print.h"

struct json {
	struct print print;
	bool comma; /* the next item needs one before it */
};

/* Text goes to write(opaque, text), in pieces, all of it by json_finish(). */
void json_start(struct json *json, void (*write)(void *, const char *),
		void *opaque);
void json_finish(struct json *json);

/* key NULL: an element of an array, or the outermost value. */
void json_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_array(struct json *json, const char *key);
void json_end_array(struct json *json);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
/* What is not UTF-8 becomes '?'. */
void json_string(struct json *json, const char *key, const char *value);
/* "0x55d0...", a string. */
void json_address(struct json *json, const char *key, uint64_t value);

#endif
