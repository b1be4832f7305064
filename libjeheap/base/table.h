/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of cells, printed aligned, or as CSV. Widths follow the contents;
 * wide characters count as a terminal shows them.
 */
#ifndef LIBJEHEAP_BASE_TABLE_H
#define LIBJEHEAP_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/str.h"

struct table {
	struct arena *arena;
	size_t columns;
	const bool *left;  /* per column: align left (else right) */
	struct str *cells; /* rows * columns */
	size_t count, capacity;
};

void table_cell(struct table *table, struct str text);
void table_cellf(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The last column is not padded. */
void table_print(const struct table *table, FILE *stream);
void table_print_csv(const struct table *table, FILE *stream);

#endif
