/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jeprof's command line: Perl jeprof's options, and ours. Reads nothing but
 * argv and the first bytes of what may be the program.
 */
#ifndef JEPROF_COMMAND_LINE_H
#define JEPROF_COMMAND_LINE_H

#include "libjeheap/base/options.h"
#include "libjeheap/profile/transform.h"
#include "libjeheap/report/report.h"

enum output_format {
	OUTPUT_UNSET,
	OUTPUT_TEXT,
	OUTPUT_DOT,
	OUTPUT_SVG,
	OUTPUT_PNG,
	OUTPUT_PDF,
	OUTPUT_PS,
	OUTPUT_COLLAPSED,
	OUTPUT_FLAME,
	OUTPUT_PPROF,
	OUTPUT_RAW,
	OUTPUT_CALLGRIND,
	OUTPUT_JSON,
	OUTPUT_LIFETIMES,
	OUTPUT_FORMATS
};

struct command_line {
	bool help, version;
	int format; /* enum output_format, never OUTPUT_UNSET */
	int type;   /* enum sample_type */
	int granularity;
	const char *output; /* NULL: stdout */
	bool peak;	    /* of the inputs; bases are as they are now */
	bool cumulative, show_bytes, drop_negative, inlines;
	uint64_t node_count, max_degree;
	bool node_count_given;
	double node_fraction, edge_fraction, picture_scale;
	struct filter filter;
	const char *thread; /* NULL, a uid, or "*" */
	const char *lib_prefix, *tools;
	bool debug_syms_by_id;
	struct option_list bases;
	const char *program; /* NULL: not named */
	char **inputs;
	size_t input_count; /* at least 1 */
};

/* False: a usage error. With help or version, the rest may be missing. */
bool command_line_parse(struct command_line *line, int argc, char **argv,
			struct diag *diag);
/* To stdout. */
void command_line_help(void);

#endif
