/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines as Perl's Getopt::Long takes them, and their errors. */
#include "config.h"

#include "libjeheap/base/options.h"

#include <stdint.h>
#include <stdlib.h>

#include "tap/tap.h"

static struct {
	bool cum, lines_only, help;
	int output;
	const char *focus, *http;
	uint64_t nodecount, limit;
	double fraction;
	struct option_list lib;
} got;

static const struct option_row rows[] = {
	{OPTION_HEADING, "", NULL, 0, NULL, "Options:", 0},
	{OPTION_FLAG, "cum", &got.cum, 0, NULL, "sum up", 0},
	{OPTION_FLAG, "lines_only", &got.lines_only, 0, NULL, "lines", 0},
	{OPTION_CHOICE, "text", &got.output, 1, NULL, "as text", 0},
	{OPTION_CHOICE, "svg", &got.output, 2, NULL, "as a picture", 0},
	{OPTION_CHOICE, "svgz", &got.output, 3, NULL, "packed", 0},
	{OPTION_STRING, "focus", &got.focus, 0, "RE", "only these", 0},
	{OPTION_OPTIONAL, "http", &got.http, 0, "ADDRESS", "serve", 0},
	{OPTION_UINT, "nodecount", &got.nodecount, 0, "N", "most nodes", 'n'},
	{OPTION_DOUBLE, "nodefraction", &got.fraction, 0, "F", "least", 0},
	{OPTION_SIZE, "limit", &got.limit, 0, "SIZE", "gate", 0},
	{OPTION_LIST, "lib", &got.lib, 0, "FILE", "a library", 0},
	{OPTION_FLAG, "help", &got.help, 0, NULL, "help", 'h'},
};

static char **arguments;
static size_t argument_count;
static struct diag diag;

/* Parses a line of words; no word holds a space. */
static bool parse(const char *line)
{
	static char copy[256];
	char *argv[32] = {copy};
	int argc = 1;
	char *p;

	memset(&got, 0, sizeof(got));
	diag_clear(&diag);
	snprintf(copy, sizeof(copy), "%s", line);
	for (p = copy; *p; p++) {
		if (*p == ' ')
			*p = '\0';
		else if (p == copy || !p[-1])
			argv[argc++] = p;
	}
	return options_parse(rows, sizeof(rows) / sizeof(*rows), argc, argv,
			     &arguments, &argument_count, &diag);
}

static void fails(const char *line, const char *part)
{
	bool good = !parse(line) && diag.set && strstr(diag.text, part);

	if (!ok(good, "'%s' is an error", line))
		tap_line("# got '%s', want '%s'\n", diag.text, part);
}

static void test_names(void)
{
	ok(parse("--cum") && got.cum, "a flag");
	ok(parse("-cum") && got.cum, "one dash");
	ok(parse("--CuM") && got.cum, "case does not matter");
	ok(parse("--cu") && got.cum, "an abbreviation");
	ok(parse("--cum --nocum") && !got.cum, "turned off");
	ok(parse("--cum --no-cum") && !got.cum, "turned off with a dash");
	ok(parse("--cum --noCU") && !got.cum, "an abbreviated negation");
	ok(parse("--lines-only") && got.lines_only, "a dash for underscore");
	ok(parse("--svg") && got.output == 2, "an exact name wins");
	ok(parse("--text --svgz") && got.output == 3, "the last choice wins");
	ok(parse("-h") && got.help, "a letter");
	ok(parse("-n 3") && got.nodecount == 3, "a letter with a value");
	ok(parse("--nodec=3") && got.nodecount == 3,
	   "an option that begins with no");
}

static void test_values(void)
{
	ok(parse("--focus=a=b") && !strcmp(got.focus, "a=b"), "after =");
	ok(parse("--focus a.heap") && !strcmp(got.focus, "a.heap") &&
		   argument_count == 0,
	   "the next argument");
	ok(parse("--focus --cum") && !strcmp(got.focus, "--cum") && !got.cum,
	   "the next argument, whatever it is");
	ok(parse("--http x") && got.http && !*got.http && argument_count == 1,
	   "an optional value is not the next argument");
	ok(parse("--http=:80") && !strcmp(got.http, ":80"), "but after =");
	ok(parse("--nodefraction=.25") && got.fraction == .25, "a fraction");
	ok(parse("--limit=1.5M") && got.limit == 1572864, "a size");
	ok(parse("--lib a --lib=b") && got.lib.count == 2 &&
		   !strcmp(got.lib.values[0], "a") &&
		   !strcmp(got.lib.values[1], "b"),
	   "a list");
}

static void test_arguments(void)
{
	ok(parse("old --cum new") && got.cum && argument_count == 2 &&
		   !strcmp(arguments[0], "old") && !strcmp(arguments[1], "new"),
	   "options and arguments mix");
	ok(parse("- -- --cum") && !got.cum && argument_count == 2 &&
		   !strcmp(arguments[0], "-") && !strcmp(arguments[1], "--cum"),
	   "a lone dash, and -- ends the options");
	ok(parse("") && argument_count == 0, "nothing at all");
}

static void test_errors(void)
{
	fails("--nosuch", "unknown option --nosuch; see --help");
	fails("--noteext", "unknown option --noteext");
	fails("--notext", "unknown option --notext");
	fails("--sv", "ambiguous: --svg, --svgz");
	fails("--node 3", "ambiguous: --nodecount, --nodefraction");
	fails("--cum=1", "--cum takes no value");
	fails("--focus", "--focus needs a value: --focus=RE");
	fails("--focus=", "--focus needs a value");
	fails("--nodecount=-3", "--nodecount: '-3' is not a whole number");
	fails("--nodefraction=x", "--nodefraction: 'x' is not a number");
	fails("--limit=5x", "--limit: '5x' is not a size");
	fails("---cum", "unknown option ---cum");
	fails("-=3", "-=3");
}

int main(void)
{
	plan(13 + 8 + 3 + 13);
	test_names();
	test_values();
	test_arguments();
	test_errors();
	return done_testing();
}
