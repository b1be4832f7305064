/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of text. Knows how many columns of a terminal a character takes,
 * from its own table, since wcwidth() depends on a locale that may be "C".
 */
#include "config.h"

#include "libjeheap/base/table.h"

#include <stdarg.h>
#include <stdint.h>

#include "libjeheap/base/diag.h"

struct width_range {
	uint32_t first, last;
	unsigned columns;
};

/* Unicode's East Asian Width W and F, and the usual zero-width blocks. */
static const struct width_range widths[] = {
	{0x300, 0x36f, 0},     {0x483, 0x489, 0},     {0x591, 0x5bd, 0},
	{0x610, 0x61a, 0},     {0x64b, 0x65f, 0},     {0x1100, 0x115f, 2},
	{0x1ab0, 0x1aff, 0},   {0x1dc0, 0x1dff, 0},   {0x200b, 0x200f, 0},
	{0x20d0, 0x20ff, 0},   {0x231a, 0x231b, 2},   {0x2e80, 0x303e, 2},
	{0x3041, 0xa4cf, 2},   {0xa960, 0xa97f, 2},   {0xac00, 0xd7a3, 2},
	{0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},
	{0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},
	{0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2},
	{0x20000, 0x3fffd, 2},
};

static unsigned char_columns(uint32_t c)
{
	size_t i;

	for (i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		if (c < widths[i].first)
			return 1;
		if (c <= widths[i].last)
			return widths[i].columns;
	}
	return 1;
}

size_t text_columns(struct str text)
{
	size_t columns = 0, i = 0;

	while (i < text.len) {
		unsigned char lead = (unsigned char)text.ptr[i++];
		uint32_t c = lead < 0xe0 ? lead & 0x1fu : lead & 0x0fu;

		if (lead < 0x80) {
			columns++;
			continue;
		}
		while (i < text.len && (text.ptr[i] & 0xc0) == 0x80)
			c = c << 6 | (unsigned char)(text.ptr[i++] & 0x3f);
		columns += char_columns(c);
	}
	return columns;
}

/* Takes the text over. */
static void push_cell(struct table *table, char *text, size_t len)
{
	mask_text(text, len);
	*ARENA_PUSH(table->arena, table->cells, table->count, table->capacity) =
		(struct str){text, len};
}

void table_cell(struct table *table, struct str text)
{
	push_cell(table, str_cstring(table->arena, text), text.len);
}

void table_cellf(struct table *table, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		n = 0;
	text = arena_alloc(table->arena, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	push_cell(table, text, (size_t)n);
}

static void write_spaces(FILE *stream, size_t count)
{
	while (count--)
		putc(' ', stream);
}

static void print_cell(const struct table *table, size_t cell, size_t width,
		       FILE *stream)
{
	size_t column = cell % table->columns;
	size_t padding = width - text_columns(table->cells[cell]);

	if (column)
		write_spaces(stream, 2);
	if (!table->left[column])
		write_spaces(stream, padding);
	fwrite(table->cells[cell].ptr, 1, table->cells[cell].len, stream);
	if (table->left[column] && column + 1 < table->columns)
		write_spaces(stream, padding);
}

static bool ends_row(const struct table *table, size_t cell)
{
	return (cell + 1) % table->columns == 0 || cell + 1 == table->count;
}

void table_print(const struct table *table, FILE *stream)
{
	size_t *width;
	size_t i;

	width = ARENA_ARRAY(table->arena, table->columns, size_t);
	for (i = 0; i < table->count; i++) {
		size_t columns = text_columns(table->cells[i]);

		if (columns > width[i % table->columns])
			width[i % table->columns] = columns;
	}
	for (i = 0; i < table->count; i++) {
		print_cell(table, i, width[i % table->columns], stream);
		if (ends_row(table, i))
			putc('\n', stream);
	}
}

static void write_csv_field(struct str s, FILE *stream)
{
	size_t i;

	if (s.len == 0 || !strpbrk(s.ptr, ",\"\r\n")) {
		fwrite(s.ptr, 1, s.len, stream);
		return;
	}
	putc('"', stream);
	for (i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"')
			putc('"', stream);
		putc(s.ptr[i], stream);
	}
	putc('"', stream);
}

void table_print_csv(const struct table *table, FILE *stream)
{
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (i % table->columns)
			putc(',', stream);
		write_csv_field(table->cells[i], stream);
		if (ends_row(table, i))
			putc('\n', stream);
	}
}
