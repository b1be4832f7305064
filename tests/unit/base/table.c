/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables: alignment by what a terminal shows, CSV quoting, masking. */
#include "config.h"

#include "libjeheap/base/table.h"

#include <stdlib.h>

#include "tap/tap.h"

static struct arena arena;
static const bool left[] = {true, false, true};

static char *printed(const struct table *table,
		     void print(const struct table *, FILE *))
{
	static char *text;
	size_t size;
	FILE *stream;

	free(text);
	stream = open_memstream(&text, &size);
	print(table, stream);
	fclose(stream);
	return text;
}

static void test_alignment(void)
{
	struct table table = {.arena = &arena, .columns = 3, .left = left};

	table_cell(&table, STR("name"));
	table_cell(&table, STR("size"));
	table_cell(&table, STR("note"));
	table_cellf(&table, "%s", "\xe6\xbc\xa2"); /* two columns wide */
	table_cellf(&table, "%d", 123456);
	table_cell(&table, STR("x"));
	table_cell(&table, STR("e\xcc\x81t\xc3\xa9")); /* combining accent */
	table_cell(&table, (struct str){NULL, 0});
	is_string(printed(&table, table_print),
		  "name    size  note\n"
		  "\xe6\xbc\xa2    123456  x\n"
		  "e\xcc\x81t\xc3\xa9         \n",
		  "columns line up");
}

static void test_csv(void)
{
	struct table table = {.arena = &arena, .columns = 3, .left = left};

	table_cell(&table, STR("std::map<int, int>"));
	table_cell(&table, STR(""));
	table_cell(&table, STR("say \"hi\""));
	table_cell(&table, STR("plain"));
	table_cell(&table, STR("1"));
	table_cell(&table, STR("2"));
	is_string(printed(&table, table_print_csv),
		  "\"std::map<int, int>\",,\"say \"\"hi\"\"\"\nplain,1,2\n",
		  "fields are quoted where they must be");
}

static void test_masking(void)
{
	struct table table = {.arena = &arena, .columns = 1, .left = left};

	table_cell(&table, STR("a\033[31mb\n\xff"));
	table_cellf(&table, "%*s|", 400, "\x01");
	is_string(table.cells[0].ptr, "a?[31mb??", "no escape sequences");
	ok(table.cells[1].len == 401 && table.cells[1].ptr[399] == '?',
	   "long cells are whole, and masked");
}

static void test_columns(void)
{
	is_uint(text_columns(STR("abc")), 3, "ASCII");
	is_uint(text_columns(STR("\xed\x95\x9c\xea\xb8\x80")), 4, "Hangul");
	is_uint(text_columns(STR("\xf0\x9f\x98\x80")), 2, "an emoji");
	is_uint(text_columns(STR("\xe2\x80\x8b")), 0, "a zero-width space");
	is_uint(text_columns((struct str){NULL, 0}), 0, "nothing");
}

int main(void)
{
	plan(9);
	test_alignment();
	test_csv();
	test_masking();
	test_columns();
	arena_free(&arena);
	return done_testing();
}
