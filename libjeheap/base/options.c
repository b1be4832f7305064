/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line parser, and --help. What it collects lies in one arena of
 * the process. Knows no option by name, prints no error itself.
 */
#include "config.h"

#include "libjeheap/base/options.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/number.h"
#include "libjeheap/base/str.h"

#define HELP_COLUMN 27
#define HELP_WIDTH 80

static struct arena option_arena; /* never freed: targets point into it */

/* One option as it stands on the command line. */
struct given {
	struct str name;
	const char *dashes; /* the argument itself, for messages */
	const char *value;  /* behind the =, or NULL */
};

struct match {
	const struct option_row *row;
	bool negated;
	bool exact;
};

static char fold(char c)
{
	return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

/* Whether the given name is the start of the full one; *exact: all of it. */
static bool name_starts(const char *full, struct str given, bool *exact)
{
	size_t i;

	for (i = 0; i < given.len; i++) {
		if (!full[i] || fold(full[i]) != fold(given.ptr[i]))
			return false;
	}
	*exact = !full[i];
	return true;
}

/* The same, where the full name has a prefix: "no" or "no-". */
static bool negation_starts(const char *prefix, const char *full,
			    struct str given, bool *exact)
{
	size_t len = strlen(prefix);
	bool prefix_exact;

	*exact = false;
	if (given.len <= len) /* "no" alone is the start of every negation */
		return name_starts(prefix, given, &prefix_exact);
	return name_starts(prefix, (struct str){given.ptr, len},
			   &prefix_exact) &&
	       name_starts(full, (struct str){given.ptr + len, given.len - len},
			   exact);
}

static bool match_row(const struct option_row *row, struct str name,
		      struct match *match)
{
	*match = (struct match){.row = row};
	if (row->kind == OPTION_HEADING || !name.len)
		return false;
	if (row->letter && name.len == 1 && *name.ptr == row->letter) {
		match->exact = true;
		return true;
	}
	if (name_starts(row->name, name, &match->exact))
		return true;
	match->negated = true;
	return row->kind == OPTION_FLAG &&
	       (negation_starts("no", row->name, name, &match->exact) ||
		negation_starts("no-", row->name, name, &match->exact));
}

static bool ambiguous(const struct option_row *rows, size_t row_count,
		      const struct given *given, struct diag *diag)
{
	struct text names = {.arena = &option_arena};
	struct match match;
	size_t i;

	for (i = 0; i < row_count; i++) {
		if (match_row(&rows[i], given->name, &match))
			text_printf(&names, "%s--%s%s", names.len ? ", " : "",
				    match.negated ? "no" : "", rows[i].name);
	}
	return diag_set(diag, "option %s is ambiguous: %.*s; see --help",
			given->dashes, STR_ARG(text_str(&names)));
}

/* An exact name wins, else there must be one row that starts so. */
static bool find_row(const struct option_row *rows, size_t row_count,
		     const struct given *given, struct match *found,
		     struct diag *diag)
{
	struct match match;
	size_t count = 0, i;

	for (i = 0; i < row_count; i++) {
		if (!match_row(&rows[i], given->name, &match))
			continue;
		*found = match;
		if (match.exact)
			return true;
		count++;
	}
	if (count == 1)
		return true;
	if (count)
		return ambiguous(rows, row_count, given, diag);
	return diag_set(diag, "unknown option %s; see --help", given->dashes);
}

static void add_to_list(struct option_list *list, const char *value)
{
	*ARENA_PUSH(&option_arena, list->values, list->count, list->capacity) =
		value;
}

static bool bad_value(const struct option_row *row, const char *value,
		      const char *wanted, struct diag *diag)
{
	return diag_set(diag, "--%s: '%s' is not %s; see --help", row->name,
			value, wanted);
}

static bool store_value(const struct option_row *row, const char *value,
			struct diag *diag)
{
	switch (row->kind) {
	case OPTION_STRING:
	case OPTION_OPTIONAL:
		*(const char **)row->target = value;
		return true;
	case OPTION_LIST:
		add_to_list(row->target, value);
		return true;
	case OPTION_UINT:
		return parse_uint(value, row->target) ||
		       bad_value(row, value, "a whole number", diag);
	case OPTION_DOUBLE:
		return parse_double(value, row->target) ||
		       bad_value(row, value, "a number", diag);
	case OPTION_SIZE:
		return parse_size(value, row->target) ||
		       bad_value(row, value, "a size, as 4096 or 1.5MiB are",
				 diag);
	default:
		return false;
	}
}

static bool store_switch(const struct match *match, const struct given *given,
			 struct diag *diag)
{
	if (given->value)
		return diag_set(diag, "--%s takes no value; see --help",
				match->row->name);
	if (match->row->kind == OPTION_FLAG)
		*(bool *)match->row->target = !match->negated;
	else
		*(int *)match->row->target = match->row->choice;
	return true;
}

/* The dashes are off; takes the next argument where the option needs it. */
static bool parse_option(const struct option_row *rows, size_t row_count,
			 const char *text, char **argv, int *next,
			 struct diag *diag)
{
	struct given given = {.dashes = argv[*next - 1]};
	struct match match = {.row = NULL};

	given.value = strchr(text, '=');
	given.name.ptr = text;
	given.name.len =
		given.value ? (size_t)(given.value++ - text) : strlen(text);
	if (!find_row(rows, row_count, &given, &match, diag))
		return false;
	assert(match.row);
	if (match.row->kind == OPTION_FLAG || match.row->kind == OPTION_CHOICE)
		return store_switch(&match, &given, diag);
	if (match.row->kind == OPTION_OPTIONAL && !given.value)
		given.value = "";
	else if (!given.value && argv[*next])
		given.value = argv[(*next)++];
	if (!given.value ||
	    (!*given.value && match.row->kind != OPTION_OPTIONAL))
		return diag_set(diag, "--%s needs a value: --%s=%s",
				match.row->name, match.row->name,
				match.row->argument ? match.row->argument
						    : "VALUE");
	return store_value(match.row, given.value, diag);
}

bool options_parse(const struct option_row *rows, size_t row_count, int argc,
		   char **argv, char ***arguments, size_t *argument_count,
		   struct diag *diag)
{
	bool ended = false;
	int next = 1;

	*arguments = ARENA_ARRAY(&option_arena, (size_t)argc + 1, char *);
	*argument_count = 0;
	while (next < argc) {
		char *text = argv[next++];

		if (ended || text[0] != '-' || !text[1]) {
			(*arguments)[(*argument_count)++] = text;
			continue;
		}
		if (strcmp(text, "--") == 0)
			ended = true;
		else if (!parse_option(rows, row_count,
				       text + (text[1] == '-' ? 2 : 1), argv,
				       &next, diag))
			return false;
	}
	return true;
}

/* "  -h, --help" or "      --focus=REGEX"; the columns it took. */
static int print_name(const struct option_row *row)
{
	int n = row->letter ? printf("  -%c, ", row->letter) : printf("      ");

	n += printf("--%s", row->name);
	if (row->argument)
		n += printf(row->kind == OPTION_OPTIONAL ? "[=%s]" : "=%s",
			    row->argument);
	return n;
}

/* Words from `column` on, on lines that begin at HELP_COLUMN. */
static void print_wrapped(struct str help, int column)
{
	struct str rest;

	for (; help.len; help = rest) {
		struct str word = str_split(help, ' ', &rest);
		bool first = column <= HELP_COLUMN;

		if (!first && column + 1 + (int)word.len > HELP_WIDTH) {
			putchar('\n');
			column = 0;
			first = true;
		}
		if (first)
			column += printf("%*s", HELP_COLUMN - column, "");
		column += printf("%s%.*s", first ? "" : " ", STR_ARG(word));
	}
	putchar('\n');
}

static void print_row(const struct option_row *row)
{
	int column;

	if (row->kind == OPTION_HEADING) {
		printf("\n%s\n", row->help);
		return;
	}
	column = print_name(row);
	if (column >= HELP_COLUMN) {
		putchar('\n');
		column = 0;
	}
	print_wrapped(str_of(row->help), column);
}

void options_help(const struct option_row *rows, size_t row_count)
{
	size_t i;

	for (i = 0; i < row_count; i++)
		print_row(&rows[i]);
}
