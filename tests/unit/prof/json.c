/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer of JSON: commas, escapes, and bytes that are no UTF-8. */
#include "config.h"

#include "liballoc/prof/json.h"
#include "tap/tap.h"

static char text[4096];

static void keep(void *unused, const char *piece)
{
	(void)unused;
	strcat(text, piece);
}

static const char *string(const char *value)
{
	struct json json;

	text[0] = '\0';
	json_start(&json, keep, NULL);
	json_string(&json, NULL, value);
	json_finish(&json);
	return text;
}

static void check_structure(void)
{
	struct json json;

	text[0] = '\0';
	json_start(&json, keep, NULL);
	json_object(&json, NULL);
	json_unsigned(&json, "most", UINT64_MAX);
	json_signed(&json, "least", INT64_MIN);
	json_array(&json, "none");
	json_end_array(&json);
	json_array(&json, "some");
	json_address(&json, NULL, 0);
	json_address(&json, NULL, 0xabcdef);
	json_object(&json, NULL);
	json_end_object(&json);
	json_end_array(&json);
	json_bool(&json, "yes", true);
	json_end_object(&json);
	json_finish(&json);
	is_string(text,
		  "{\"most\":18446744073709551615,"
		  "\"least\":-9223372036854775808,\"none\":[],"
		  "\"some\":[\"0x0\",\"0xabcdef\",{}],\"yes\":true}",
		  "objects, arrays and numbers");
}

static void check_long(void)
{
	char value[3000];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	is_uint(strlen(string(value)), sizeof(value) + 1,
		"longer than what is buffered");
}

int main(void)
{
	plan(10);
	check_structure();
	check_long();
	is_string(string("a \"b\" \\c"), "\"a \\u0022b\\u0022 \\u005cc\"",
		  "quotes and backslashes");
	is_string(string("\n\x7f"), "\"\\u000a\\u007f\"", "control characters");
	is_string(string("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7"),
		  "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7\"",
		  "UTF-8 stays");
	is_string(string("a\xff\xfe"), "\"a??\"", "what is none does not");
	is_string(string("\xc3"), "\"?\"", "nor does half a character");
	is_string(string("\xe2\x82"), "\"??\"", "or two thirds");
	is_string(string("\xc0\x80\xed\xa0\x80"), "\"?????\"",
		  "overlong ones and surrogates");
	is_string(string("\xf4\x90\x80\x80"), "\"????\"", "or beyond the last");
	return done_testing();
}
