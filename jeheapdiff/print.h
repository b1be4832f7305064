/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A comparison as a table, as JSON, and as folded stacks. Decides nothing;
 * writes to a stream that the caller opened.
 */
#ifndef JEHEAPDIFF_PRINT_H
#define JEHEAPDIFF_PRINT_H

#include <stdio.h>

#include "jeheapdiff/compare.h"

struct print_options {
	bool all;	    /* noise and unchanged rows too */
	bool show_bytes;    /* plain bytes rather than IEC units */
	uint64_t row_limit; /* 0: none */
	const char *rows;   /* heading of the names: "function" */
};

/*
 * "1.50 MiB", "12", and of a change "+1.50 MiB", "-12"; into buffer (at least
 * NUMBER_BYTES), which is returned.
 */
char *format_value(char *buffer, const struct comparison *comparison,
		   const struct print_options *options, double value);
char *format_change(char *buffer, const struct comparison *comparison,
		    const struct print_options *options, double delta);

void print_table(const struct comparison *comparison,
		 const struct print_options *options, FILE *stream);
void print_json(const struct comparison *comparison,
		const struct print_options *options, FILE *stream);
/* "root;...;leaf OLD NEW" a line, as flamegraph.pl and inferno read it. */
void print_collapsed(const struct comparison *comparison, FILE *stream);

#endif
