/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON writer (RFC 8259). One flag is enough to place the commas: when a
 * container ends, the one around it has an item. Never seeks, never fails.
 */
#include "config.h"

#include "libjeheap/base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void new_line(struct json *json)
{
	size_t spaces = json->depth * json->indent;

	if (!json->indent)
		return;
	putc('\n', json->stream);
	while (spaces--)
		putc(' ', json->stream);
}

/*
 * The length of the UTF-8 sequence at p (RFC 3629: no overlong forms, no
 * surrogates), or 0.
 */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	unsigned least = 0x80, most = 0xbf;
	size_t length, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		least = 0xa0;
	else if (p[0] == 0xed)
		most = 0x9f;
	else if (p[0] == 0xf0)
		least = 0x90;
	else if (p[0] == 0xf4)
		most = 0x8f;
	if (left < length || p[1] < least || p[1] > most)
		return 0;
	for (i = 2; i < length; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return length;
}

static void write_ascii(FILE *stream, unsigned char c)
{
	static const char short_forms[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	size_t i;

	for (i = 0; i + 1 < sizeof(short_forms); i += 2) {
		if (short_forms[i] == (char)c) {
			putc('\\', stream);
			putc(short_forms[i + 1], stream);
			return;
		}
	}
	if (c < 0x20 || c == 0x7f)
		fprintf(stream, "\\u%04x", c);
	else
		putc(c, stream);
}

static void write_string(FILE *stream, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t i, length;

	putc('"', stream);
	for (i = 0; i < s.len; i += length ? length : 1) {
		length = utf8_length(p + i, s.len - i);
		if (!length)
			fputs("\xef\xbf\xbd", stream);
		else if (length == 1)
			write_ascii(stream, p[i]);
		else
			fwrite(p + i, 1, length, stream);
	}
	putc('"', stream);
}

static void begin_value(struct json *json, const char *key)
{
	if (json->depth) {
		if (json->has_items)
			putc(',', json->stream);
		new_line(json);
	}
	if (key) {
		write_string(json->stream, str_of(key));
		fputs(json->indent ? ": " : ":", json->stream);
	}
}

static void end_value(struct json *json)
{
	json->has_items = true;
	if (!json->depth)
		putc('\n', json->stream);
}

static void open_container(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	putc(bracket, json->stream);
	json->depth++;
	json->has_items = false;
}

static void close_container(struct json *json, char bracket)
{
	json->depth--;
	if (json->has_items)
		new_line(json);
	putc(bracket, json->stream);
	end_value(json);
}

void json_object(struct json *json, const char *key)
{
	open_container(json, key, '{');
}

void json_array(struct json *json, const char *key)
{
	open_container(json, key, '[');
}

void json_end_object(struct json *json)
{
	close_container(json, '}');
}

void json_end_array(struct json *json)
{
	close_container(json, ']');
}

void json_string(struct json *json, const char *key, struct str value)
{
	begin_value(json, key);
	write_string(json->stream, value);
	end_value(json);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	fprintf(json->stream, "%" PRIu64, value);
	end_value(json);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	fprintf(json->stream, "%" PRId64, value);
	end_value(json);
}

void json_double(struct json *json, const char *key, double value)
{
	char text[32];
	int digits;

	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	/* 17 digits always read back the same. */
	for (digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	begin_value(json, key);
	fputs(text, json->stream);
	end_value(json);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->stream);
	end_value(json);
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	fputs("null", json->stream);
	end_value(json);
}
