/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of jeheapdiff, parsed and checked against each other. */
#ifndef JEHEAPDIFF_COMMAND_LINE_H
#define JEHEAPDIFF_COMMAND_LINE_H

#include "jeheapdiff/compare.h"
#include "libjeheap/base/diag.h"
#include "libjeheap/profile/transform.h"

enum output_format {
	OUTPUT_UNSET, /* by the ending of the output's name */
	OUTPUT_TEXT,
	OUTPUT_JSON,
	OUTPUT_COLLAPSED,
	OUTPUT_FLAME,
	OUTPUT_SVG,
	OUTPUT_PNG,
	OUTPUT_DOT,
	OUTPUT_FORMATS
};

struct command_line {
	bool help, version;
	int format; /* enum output_format */
	const char *output;
	struct compare_options compare;
	const char *rows; /* --by */
	int type;	  /* enum sample_type */
	struct filter filter;
	bool all, show_bytes, inlines, cumulative;
	uint64_t node_count;
	bool node_count_given;
	const char *fail_above_text; /* NULL: no gate */
	uint64_t fail_above;	     /* bytes, or objects */
	double seconds;		     /* > 0: one process, read twice */
	const char *lib_prefix;
	const char *inputs[SIDES];
};

bool command_line_parse(struct command_line *line, int argc, char **argv,
			struct diag *diag);
void command_line_help(void);

#endif
