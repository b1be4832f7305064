/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cursor: its error is sticky and says where, and numbers do not
 * overflow.
 */
#include "config.h"

#include "libjeheap/base/cursor.h"
#include "tap/tap.h"

static void test_binary(void)
{
	static const uint8_t data[] = {1, 2, 0, 0, 0, 3,    0, 0,
				       0, 0, 0, 0, 0, 0xac, 2};
	struct diag diag = {0};
	struct cursor c = cursor_over(data, sizeof(data), "f", &diag);

	is_uint(cursor_u8(&c), 1, "u8");
	is_uint(cursor_u32(&c), 2, "u32 is little-endian");
	is_uint(cursor_u64(&c), 3, "u64");
	is_uint(cursor_varint(&c), 300, "varint");
	is_uint(cursor_left(&c), 0, "nothing is left");
	is_uint(cursor_u8(&c), 0, "beyond the end is 0");
	ok(c.failed, "and an error");
	is_string(diag.text,
		  "f: at byte 15: 1 bytes are wanted and 0 are left; the "
		  "file is truncated or damaged",
		  "which names the byte");
	is_uint(cursor_bytes(&c, 0).len, 0, "later reads give nothing");
	ok(!cursor_fail(&c, "again"), "and do not overwrite the error");
}

static uint64_t varint(const char *bytes, size_t size, bool *failed)
{
	struct diag diag = {0};
	struct cursor c = cursor_over(bytes, size, "f", &diag);
	uint64_t value = cursor_varint(&c);

	*failed = c.failed;
	return value;
}

static void test_varint(void)
{
	bool failed;

	is_uint(varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, &failed),
		UINT64_MAX, "the largest varint");
	ok(!failed, "is fine");
	varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &failed);
	ok(failed, "65 bits are an error");
	varint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, &failed);
	ok(failed, "11 bytes are an error");
	varint("\x80", 1, &failed);
	ok(failed, "a cut varint is an error");
}

static void test_lines(void)
{
	static const char data[] = "one\r\ntwo\n\nlast";
	struct diag diag = {0};
	struct cursor c = cursor_over(data, sizeof(data) - 1, "f", &diag);
	struct str line;

	ok(cursor_line(&c, &line) && str_equal(line, STR("one")), "CRLF");
	ok(cursor_line(&c, &line) && str_equal(line, STR("two")), "LF");
	ok(cursor_line(&c, &line) && line.len == 0, "an empty line");
	ok(cursor_line(&c, &line) && str_equal(line, STR("last")),
	   "a last line without its end");
	ok(!cursor_line(&c, &line), "the end");
	cursor_fail_line(&c, "no %s", "more");
	is_string(diag.text, "f:4: no more", "an error names the line");
}

static void test_numbers(void)
{
	struct str s = STR("18446744073709551615 18446744073709551616 -5x");
	uint64_t u = 0;
	int64_t i = 0;

	ok(take_decimal(&s, &u) && u == UINT64_MAX, "the largest decimal");
	take_spaces(&s);
	ok(!take_decimal(&s, &u) && *s.ptr == '1', "one more is refused");
	s = STR("-9223372036854775807 9223372036854775808");
	ok(take_signed(&s, &i) && i == -INT64_MAX, "a negative number");
	take_spaces(&s);
	ok(!take_signed(&s, &i), "a signed one that is too large");
	s = STR("0xFfg");
	ok(take_hex(&s, &u) && u == 255 && *s.ptr == 'g', "hex with 0x");
	s = STR("0x");
	ok(take_hex(&s, &u) && u == 0 && *s.ptr == 'x', "0x alone is a 0");
	s = STR("10000000000000000");
	ok(!take_hex(&s, &u), "17 hex digits are refused");
	s = STR("");
	ok(!take_decimal(&s, &u) && !take_hex(&s, &u) && !take_signed(&s, &i),
	   "nothing is no number");
}

static void test_words(void)
{
	struct str s = STR("  ab\tcd"), word;

	ok(!take_word(&s, &word), "a space is no word");
	take_spaces(&s);
	ok(take_word(&s, &word) && str_equal(word, STR("ab")), "a word");
	ok(!take_char(&s, 'x') && take_char(&s, '\t'), "a character");
	ok(!take_literal(&s, "cde") && take_literal(&s, "cd"), "a literal");
	ok(!take_char(&s, 'x') && s.len == 0, "the end");
}

int main(void)
{
	plan(34);
	test_binary();
	test_varint();
	test_lines();
	test_numbers();
	test_words();
	return done_testing();
}
