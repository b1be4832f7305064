/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings, growing text and interning.
 */
#include "config.h"

#include "libjeheap/base/str.h"
#include "tap/tap.h"

static void test_compare(void)
{
	ok(str_compare(STR("a"), STR("b")) < 0, "a comes before b");
	ok(str_compare(STR("ab"), STR("a")) > 0, "a start comes first");
	ok(str_compare(STR("\xff"), STR("a")) > 0, "bytes are unsigned");
	ok(str_equal((struct str){0}, STR("")), "NULL of length 0 is empty");
	ok(!str_equal(STR("ab"), STR("ac")), "ab is not ac");
}

static void test_parts(void)
{
	struct str rest;

	ok(str_starts_with(STR("abc"), STR("ab")), "abc starts with ab");
	ok(!str_starts_with(STR("a"), STR("ab")), "a does not start with ab");
	ok(str_ends_with(STR("abc"), STR("bc")), "abc ends with bc");
	ok(!str_ends_with(STR("c"), STR("bc")), "c does not end with bc");
	is_uint(str_find(STR("hello"), STR("lo")), 3, "lo is at 3");
	is_uint(str_find(STR("hello"), STR("ol")), SIZE_MAX, "ol is not there");
	is_uint(str_find((struct str){0}, STR("x")), SIZE_MAX,
		"nothing is in the empty string");
	ok(str_equal(str_trim(STR(" \ta b\r\n")), STR("a b")), "trim");
	ok(str_trim(STR(" \n ")).len == 0, "trim of white space is empty");
	ok(str_equal(str_basename(STR("/a/b.c")), STR("b.c")), "basename");
	ok(str_equal(str_basename(STR("b.c")), STR("b.c")),
	   "basename without a slash");
	ok(str_equal(str_split(STR("a:b:c"), ':', &rest), STR("a")) &&
		   str_equal(rest, STR("b:c")),
	   "split takes the first part");
	ok(str_equal(str_split(STR("abc"), ':', &rest), STR("abc")) &&
		   rest.len == 0,
	   "split without a separator takes all");
}

static void test_text(struct arena *arena)
{
	struct text text = {.arena = arena};
	size_t i;

	for (i = 0; i < 1000; i++)
		text_printf(&text, "%zu,", i % 10);
	text_add(&text, STR("end"));
	text_add_char(&text, '.');
	is_uint(text_str(&text).len, 2004, "text grows");
	is_string(text_str(&text).ptr + 1994, "7,8,9,end.", "and ends well");
	ok(str_equal(text_str(&(struct text){.arena = arena}), STR("")),
	   "an empty text is an empty string");
}

static void test_intern(struct arena *arena)
{
	struct intern table = {.arena = arena};
	char name[16];
	unsigned i, wrong = 0;
	int n;

	for (i = 0; i < 3000; i++) {
		n = snprintf(name, sizeof(name), "s%u", i % 1500);
		wrong += intern(&table, (struct str){name, (size_t)n}) !=
			 i % 1500;
	}
	is_uint(wrong, 0, "numbers follow the order of first sight");
	is_uint(table.count, 1500, "equal strings share a number");
	ok(str_equal(table.strings[1499], STR("s1499")), "strings are kept");
	is_uint(intern(&table, (struct str){0}), 1500, "the empty one too");
}

int main(void)
{
	struct arena arena = {0};

	plan(25);
	test_compare();
	test_parts();
	test_text(&arena);
	test_intern(&arena);
	arena_free(&arena);
	return done_testing();
}
