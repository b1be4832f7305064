/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of cells, printed aligned, or as CSV (RFC 4180, lines end in "\n").
 * Widths follow the contents; wide characters count as a terminal shows them.
 */
#ifndef LIBJEHEAP_BASE_TABLE_H
#define LIBJEHEAP_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/str.h"

/* Start with the first three set and the others zero. */
struct table {
	struct arena *arena;
	size_t columns;
	const bool *left;  /* per column: align left (else right) */
	struct str *cells; /* rows * columns */
	size_t count, capacity;
};

/*
 * Adds the next cell, row by row: a copy, with control characters and broken
 * UTF-8 masked, since names come from files that may be hostile.
 */
void table_cell(struct table *table, struct str text);
void table_cellf(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The last column is not padded; a row that is not complete ends early. */
void table_print(const struct table *table, FILE *stream);
void table_print_csv(const struct table *table, FILE *stream);

/* Columns that a terminal shows the text in: UTF-8, wide and combining. */
size_t text_columns(struct str text);

#endif
