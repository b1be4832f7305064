/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON writer: commas, indentation, escapes, numbers that read back. */
#include "config.h"

#include "libjeheap/base/json.h"

#include <math.h>
#include <stdlib.h>

#include "tap/tap.h"

static char *output;
static size_t output_size;

static struct json start(unsigned indent)
{
	free(output);
	output = NULL;
	return (struct json){.stream = open_memstream(&output, &output_size),
			     .indent = indent};
}

static const char *finish(struct json *json)
{
	fclose(json->stream);
	return output;
}

static void write_sample(struct json *json)
{
	json_object(json, NULL);
	json_uint(json, "a", UINT64_MAX);
	json_array(json, "list");
	json_object(json, NULL);
	json_end_object(json);
	json_int(json, NULL, -5);
	json_bool(json, NULL, true);
	json_end_array(json);
	json_array(json, "empty");
	json_end_array(json);
	json_null(json, "last");
	json_end_object(json);
}

static void test_structure(void)
{
	struct json json = start(0);

	write_sample(&json);
	is_string(finish(&json),
		  "{\"a\":18446744073709551615,\"list\":[{},-5,true],"
		  "\"empty\":[],\"last\":null}\n",
		  "one line");
	json = start(2);
	write_sample(&json);
	is_string(finish(&json),
		  "{\n  \"a\": 18446744073709551615,\n  \"list\": [\n"
		  "    {},\n    -5,\n    true\n  ],\n  \"empty\": [],\n"
		  "  \"last\": null\n}\n",
		  "indented");
}

static void test_lines(void)
{
	struct json json = start(0);

	json_object(&json, NULL);
	json_end_object(&json);
	json_object(&json, NULL);
	json_uint(&json, "n", 1);
	json_end_object(&json);
	is_string(finish(&json), "{}\n{\"n\":1}\n", "JSON Lines");
}

/* Deeper than any fixed table of open containers would be. */
static void test_depth(void)
{
	struct json json = start(0);
	int i;

	for (i = 0; i < 1000; i++)
		json_array(&json, NULL);
	json_uint(&json, NULL, 1);
	for (i = 0; i < 1000; i++)
		json_end_array(&json);
	finish(&json);
	ok(output_size == 2002 && strspn(output, "[") == 1000 &&
		   !strchr(output, ','),
	   "a thousand levels");
}

static void is_escaped(struct str s, const char *want, const char *what)
{
	struct json json = start(0);

	json_string(&json, NULL, s);
	is_string(finish(&json), want, what);
}

static void test_strings(void)
{
	is_escaped(STR("a\"b\\c/\n\t\r\b\f"),
		   "\"a\\\"b\\\\c/\\n\\t\\r\\b\\f\"\n", "short escapes");
	is_escaped(STR("\0\x1f\x7f"), "\"\\u0000\\u001f\\u007f\"\n",
		   "control characters");
	is_escaped(STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		   "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\n",
		   "UTF-8 as it is");
	is_escaped(STR("\xff.\xc0\x80.\xed\xa0\x80.\xe2\x82"),
		   "\"\xef\xbf\xbd.\xef\xbf\xbd\xef\xbf\xbd."
		   "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd."
		   "\xef\xbf\xbd\xef\xbf\xbd\"\n",
		   "bytes that are not UTF-8");
}

static void test_doubles(void)
{
	static const double values[] = {0,     1,	0.1,	       1.0 / 3,
					1e300, -2.5e-9, 123456789.125, 5e-324};
	struct json json;
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		json = start(0);
		json_double(&json, NULL, values[i]);
		good &= strtod(finish(&json), NULL) == values[i];
	}
	ok(good, "doubles read back the same");
	json = start(0);
	json_array(&json, NULL);
	json_double(&json, NULL, 0.1);
	json_double(&json, NULL, NAN);
	json_double(&json, NULL, -INFINITY);
	json_end_array(&json);
	is_string(finish(&json), "[0.1,null,null]\n",
		  "short, and null where not finite");
}

int main(void)
{
	plan(10);
	test_structure();
	test_lines();
	test_depth();
	test_strings();
	test_doubles();
	free(output);
	return done_testing();
}
