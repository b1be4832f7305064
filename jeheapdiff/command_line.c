/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of options, and what they must not be. Reads no input. */
#include "config.h"

#include "jeheapdiff/command_line.h"

#include <stdio.h>

#include "libjeheap/base/number.h"
#include "libjeheap/base/options.h"
#include "libjeheap/profile/read.h"

#define UNSET_COUNT UINT64_MAX

static struct command_line given;

static const struct option_row rows[] = {
	{.kind = OPTION_HEADING, .help = "What is compared:"},
	{OPTION_CHOICE, "inuse_space", &given.type, INUSE_SPACE, NULL,
	 "bytes in use (default)", 0},
	{OPTION_CHOICE, "inuse_objects", &given.type, INUSE_OBJECTS, NULL,
	 "objects in use", 0},
	{OPTION_CHOICE, "alloc_space", &given.type, ALLOC_SPACE, NULL,
	 "bytes allocated since the start", 0},
	{OPTION_CHOICE, "alloc_objects", &given.type, ALLOC_OBJECTS, NULL,
	 "objects allocated since the start", 0},
	{OPTION_STRING, "by", &given.rows, 0, "KIND",
	 "a row for each function (default), stack, file or line", 0},
	{OPTION_FLAG, "cum", &given.cumulative, 0, NULL,
	 "a row holds what was allocated below it too", 0},
	{OPTION_STRING, "focus", &given.filter.focus, 0, "REGEX",
	 "only stacks with a frame that matches", 0},
	{OPTION_STRING, "ignore", &given.filter.ignore, 0, "REGEX",
	 "no stacks with a frame that matches", 0},
	{OPTION_DOUBLE, "seconds", &given.seconds, 0, "N",
	 "with one process: read it, wait N seconds, and read it again", 0},

	{.kind = OPTION_HEADING, .help = "What counts as a change:"},
	{OPTION_DOUBLE, "fdr", &given.compare.false_discovery_rate, 0, "Q",
	 "accept a share of Q false alarms among the rows shown as changed "
	 "(default 0.05)",
	 0},
	{OPTION_CHOICE, "same-process", &given.compare.same_process, 1, NULL,
	 "both are of one process, though they do not say so", 0},
	{OPTION_CHOICE, "other-process", &given.compare.same_process, 0, NULL,
	 "treat them as of two processes", 0},
	{OPTION_STRING, "fail-above", &given.fail_above_text, 0, "SIZE",
	 "exit with 1 where a row, or the total, grew by more than SIZE beyond "
	 "noise",
	 0},

	{.kind = OPTION_HEADING, .help = "Output:"},
	{OPTION_CHOICE, "text", &given.format, OUTPUT_TEXT, NULL,
	 "table (default)", 0},
	{OPTION_CHOICE, "json", &given.format, OUTPUT_JSON, NULL,
	 "the table, standard errors and p-values as JSON", 0},
	{OPTION_CHOICE, "collapsed", &given.format, OUTPUT_COLLAPSED, NULL,
	 "a line for each stack with both values, for flamegraph.pl", 0},
	{OPTION_CHOICE, "flame", &given.format, OUTPUT_FLAME, NULL,
	 "flame graph of the difference, one HTML file", 0},
	{OPTION_CHOICE, "svg", &given.format, OUTPUT_SVG, NULL,
	 "call graph of the difference as SVG", 0},
	{OPTION_CHOICE, "png", &given.format, OUTPUT_PNG, NULL,
	 "call graph of the difference as PNG", 0},
	{OPTION_CHOICE, "dot", &given.format, OUTPUT_DOT, NULL,
	 "call graph of the difference in Graphviz' language", 0},
	{OPTION_STRING, "output", &given.output, 0, "FILE",
	 "write to FILE; without an output type, its ending tells the type",
	 'o'},
	{OPTION_FLAG, "all", &given.all, 0, NULL,
	 "rows within sampling noise too", 0},
	{OPTION_FLAG, "show_bytes", &given.show_bytes, 0, NULL,
	 "plain bytes rather than KiB, MiB, GiB", 0},
	{OPTION_UINT, "nodecount", &given.node_count, 0, "N",
	 "at most N rows (default: all), or nodes of a call graph (default "
	 "80); 0: all",
	 'n'},

	{.kind = OPTION_HEADING, .help = "Names and general:"},
	{OPTION_STRING, "lib_prefix", &given.lib_prefix, 0, "DIR,...",
	 "look for programs and libraries under these, too", 0},
	{OPTION_FLAG, "inlines", &given.inlines, 0, NULL,
	 "show inlined functions (default; --noinlines: do not)", 0},
	{OPTION_FLAG, "help", &given.help, 0, NULL, "print this and exit", 'h'},
	{OPTION_FLAG, "version", &given.version, 0, NULL,
	 "print the version and exit", 'V'},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const struct row_name {
	const char *name;
	enum row_kind kind;
	enum granularity granularity;
} row_names[] = {
	{"function", ROWS_BY_NAME, BY_FUNCTION},
	{"stack", ROWS_BY_STACK, BY_LINE},
	{"file", ROWS_BY_NAME, BY_FILE},
	{"line", ROWS_BY_NAME, BY_LINE},
};

static const struct ending {
	const char *text;
	enum output_format format;
} endings[] = {
	{".txt", OUTPUT_TEXT},
	{".json", OUTPUT_JSON},
	{".collapsed", OUTPUT_COLLAPSED},
	{".folded", OUTPUT_COLLAPSED},
	{".html", OUTPUT_FLAME},
	{".svg", OUTPUT_SVG},
	{".png", OUTPUT_PNG},
	{".dot", OUTPUT_DOT},
};

static bool choose_rows(struct diag *diag)
{
	size_t i;

	for (i = 0; i < sizeof(row_names) / sizeof(*row_names); i++) {
		if (strcmp(given.rows, row_names[i].name) == 0) {
			given.compare.kind = row_names[i].kind;
			given.compare.granularity = row_names[i].granularity;
			return true;
		}
	}
	return diag_set(diag,
			"--by=%s: it is function, stack, file or line; see "
			"--help",
			given.rows);
}

static void choose_format(void)
{
	size_t i;

	if (given.format != OUTPUT_UNSET)
		return;
	given.format = OUTPUT_TEXT;
	for (i = 0; given.output && i < sizeof(endings) / sizeof(*endings);
	     i++) {
		if (str_ends_with(str_of(given.output),
				  str_of(endings[i].text)))
			given.format = endings[i].format;
	}
}

static bool check_numbers(struct diag *diag)
{
	double q = given.compare.false_discovery_rate;

	if (q <= 0 || q >= 1)
		return diag_set(diag, "--fdr=%g: it lies between 0 and 1", q);
	if (given.seconds < 0 || given.seconds > 1e9)
		return diag_set(diag, "--seconds=%g: it lies between 0 and 1e9",
				given.seconds);
	if (given.fail_above_text &&
	    !parse_size(given.fail_above_text, &given.fail_above))
		return diag_set(diag,
				"--fail-above: '%s' is not a size, as 4096 or "
				"1.5MiB are",
				given.fail_above_text);
	return true;
}

static bool take_inputs(char **arguments, size_t count, struct diag *diag)
{
	int pid;

	if (given.seconds > 0) {
		if (count != 1 || !input_is_pid(arguments[0], &pid))
			return diag_set(diag, "--seconds needs one process: "
					      "jeheapdiff --seconds=N PID");
		given.inputs[OLD] = given.inputs[NEW] = arguments[0];
		return true;
	}
	if (count != 2)
		return diag_set(diag,
				"two profiles are needed, each a file or a "
				"process: jeheapdiff OLD NEW; see --help");
	given.inputs[OLD] = arguments[0];
	given.inputs[NEW] = arguments[1];
	if (!strcmp(arguments[0], "-") && !strcmp(arguments[1], "-"))
		return diag_set(diag, "only one profile can come from standard "
				      "input");
	return true;
}

static bool check(char **arguments, size_t count, struct diag *diag)
{
	if (given.help || given.version)
		return true;
	choose_format();
	given.compare.type = (enum sample_type)given.type;
	given.compare.cumulative = given.cumulative;
	given.node_count_given = given.node_count != UNSET_COUNT;
	if (!given.node_count_given)
		given.node_count = given.format >= OUTPUT_SVG ? 80 : 0;
	if (!choose_rows(diag) || !check_numbers(diag))
		return false;
	if (given.cumulative && given.compare.kind == ROWS_BY_STACK)
		return diag_set(diag, "--cum and --by=stack do not go "
				      "together: a stack has nothing below it");
	return take_inputs(arguments, count, diag);
}

bool command_line_parse(struct command_line *line, int argc, char **argv,
			struct diag *diag)
{
	char **arguments;
	size_t count;
	bool good;

	given = (struct command_line){
		.compare = {.false_discovery_rate = 0.05, .same_process = -1},
		.rows = "function",
		.type = INUSE_SPACE,
		.inlines = true,
		.node_count = UNSET_COUNT,
	};
	good = options_parse(rows, ROW_COUNT, argc, argv, &arguments, &count,
			     diag) &&
	       check(arguments, count, diag);
	*line = given;
	return good;
}

void command_line_help(void)
{
	puts("Usage: jeheapdiff [options] OLD NEW\n"
	     "       jeheapdiff [options] --seconds=N PID\n"
	     "Shows what grew and what shrank between two heap profiles, each "
	     "a dump file\n"
	     "(plain or packed), a process on liballoc, a core file of one, or - "
	     "for\nstandard input.");
	options_help(rows, ROW_COUNT);
}
