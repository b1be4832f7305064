/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer of JSON. Knows nothing of what is written. */
#include "config.h"

#include "liballoc/prof/json.h"

#include <stddef.h>

void json_start(struct json *json, void (*write)(void *, const char *),
		void *opaque)
{
	print_start(&json->print, write, opaque);
	json->comma = false;
}

void json_finish(struct json *json)
{
	print_end(&json->print);
}

/* Bytes of the character at text, 0 where it is no UTF-8 (RFC 3629). */
static size_t character_bytes(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t bytes = *c < 0x80   ? 1
		       : *c < 0xc2 ? 0
		       : *c < 0xe0 ? 2
		       : *c < 0xf0 ? 3
		       : *c < 0xf5 ? 4
				   : 0;

	for (size_t i = 1; i < bytes; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) ||
	    (*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f))
		return 0;
	return bytes;
}

static void put_string(struct print *out, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t bytes;

	print_text(out, "\"");
	for (; *text; text += bytes ? bytes : 1) {
		unsigned char c = (unsigned char)*text;
		char escape[] = {'\\',	      'u',	    '0', '0',
				 hex[c >> 4], hex[c & 0xf], '\0'};

		bytes = character_bytes(text);
		if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
			print_text(out, escape);
		else if (bytes)
			print_bytes(out, text, bytes);
		else
			print_text(out, "?");
	}
	print_text(out, "\"");
}

static void begin(struct json *json, const char *key)
{
	if (json->comma)
		print_text(&json->print, ",");
	if (key) {
		put_string(&json->print, key);
		print_text(&json->print, ":");
	}
	json->comma = true;
}

static void begin_with(struct json *json, const char *key, const char *bracket)
{
	begin(json, key);
	print_text(&json->print, bracket);
	json->comma = false;
}

static void end_with(struct json *json, const char *bracket)
{
	print_text(&json->print, bracket);
	json->comma = true;
}

void json_object(struct json *json, const char *key)
{
	begin_with(json, key, "{");
}

void json_end_object(struct json *json)
{
	end_with(json, "}");
}

void json_array(struct json *json, const char *key)
{
	begin_with(json, key, "[");
}

void json_end_array(struct json *json)
{
	end_with(json, "]");
}

void json_unsigned(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	print_unsigned(&json->print, value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
	begin(json, key);
	print_signed(&json->print, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	print_text(&json->print, value ? "true" : "false");
}

void json_string(struct json *json, const char *key, const char *value)
{
	begin(json, key);
	put_string(&json->print, value);
}

void json_address(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	print_text(&json->print, "\"0x");
	print_hex(&json->print, value);
	print_text(&json->print, "\"");
}
