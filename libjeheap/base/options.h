/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines by table: one row an option, which is also its --help line.
 * Matching follows Perl's Getopt::Long, which jeprof's users are used to:
 * case does not matter, -name equals --name, an unambiguous start will do,
 * --noNAME and --no-NAME turn a flag off, --name=V and --name V both work (V
 * may begin with a dash), options and arguments may be mixed, `--` ends the
 * options. A lone `-` is an argument. Beyond Perl, '-' and '_' in a name are
 * the same. Of a letter, the case does matter.
 */
#ifndef LIBJEHEAP_BASE_OPTIONS_H
#define LIBJEHEAP_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "libjeheap/base/diag.h"

enum option_kind {
	OPTION_HEADING,	 /* a line of --help: help is its text */
	OPTION_FLAG,	 /* bool *: set; --noNAME clears */
	OPTION_CHOICE,	 /* int *: set to choice */
	OPTION_STRING,	 /* const char ** */
	OPTION_OPTIONAL, /* const char **: only --name=V; "" without */
	OPTION_UINT,	 /* uint64_t * */
	OPTION_DOUBLE,	 /* double * */
	OPTION_SIZE,	 /* uint64_t *: parse_size() */
	OPTION_LIST,	 /* struct option_list *: may come many times */
};

struct option_list {
	const char **values;
	size_t count, capacity;
};

struct option_row {
	enum option_kind kind;
	const char *name; /* without dashes; "" for a heading */
	void *target;
	int choice;	      /* OPTION_CHOICE's value */
	const char *argument; /* shown as --name=ARGUMENT */
	const char *help;
	char letter; /* a one-letter form, or 0 */
};

/*
 * Parses argv[1..argc); *arguments receives what is no option, in order
 * (argument_count of them, in memory that lives as long as the process).
 * False: a usage error, in diag.
 */
bool options_parse(const struct option_row *rows, size_t row_count, int argc,
		   char **argv, char ***arguments, size_t *argument_count,
		   struct diag *diag);
/* The rows, aligned and wrapped to 80 columns, to stdout. */
void options_help(const struct option_row *rows, size_t row_count);

#endif
