/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jeheapdiff: what grew and what shrank between two heap profiles, and
 * whether that is more than sampling noise. Connects the readers, the
 * symbolizer, the comparison and the reports; alone ends the process.
 */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "jeheapdiff/command_line.h"
#include "jeheapdiff/compare.h"
#include "jeheapdiff/print.h"
#include "libjeheap/base/file.h"
#include "libjeheap/base/number.h"
#include "libjeheap/profile/estimate.h"
#include "libjeheap/profile/read.h"
#include "libjeheap/report/report.h"
#include "libjeheap/symbol/symbol.h"

#define GATE_FAILED 1
#define TROUBLE 2

struct run {
	struct command_line line;
	struct arena arena;
	struct profile *profiles[SIDES];
	struct comparison *comparison;
	struct print_options print;
	struct diag diag;
};

static bool read_side(struct run *run, unsigned side)
{
	const char *input = run->line.inputs[side];
	enum sample_type type = run->line.compare.type;
	bool alloc = type == ALLOC_OBJECTS || type == ALLOC_SPACE;

	run->profiles[side] = profile_read(input, &run->diag);
	if (!run->profiles[side])
		return false;
	if (run->profiles[side]->unsettled)
		warn("jeheapdiff",
		     "%s stands still while it rewrites its tables: samples "
		     "of threads that ended may be missing or count twice",
		     input);
	if (alloc && !run->profiles[side]->has_alloc)
		return diag_set(&run->diag,
				"%s holds no accumulated counts for --%s: run "
				"the program with MALLOC_CONF=prof_accum:true",
				input, sample_type_names[type]);
	return true;
}

static void wait_seconds(double seconds)
{
	struct timespec left = {(time_t)seconds, 0};

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static bool name_side(struct run *run, unsigned side)
{
	struct symbol_options options = {.lib_prefix = run->line.lib_prefix,
					 .no_inlines = !run->line.inlines};
	struct symbol_stats stats = {0};
	struct profile *profile = run->profiles[side];

	input_is_pid(run->line.inputs[side], &options.pid);
	symbolize(profile, &options, &stats);
	profile_drop_allocator(profile);
	return profile_filter(profile, &run->line.filter, &run->diag);
}

static bool load(struct run *run)
{
	if (!read_side(run, OLD))
		return false;
	if (run->line.seconds > 0)
		wait_seconds(run->line.seconds);
	return read_side(run, NEW) && name_side(run, OLD) &&
	       name_side(run, NEW);
}

static bool write_report(struct run *run, FILE *stream)
{
	struct comparison *c = run->comparison;
	struct value whole[SAMPLE_TYPES];
	struct report_options options = {
		.type = c->options.type,
		.granularity = c->options.kind == ROWS_BY_STACK
				       ? BY_FUNCTION
				       : c->options.granularity,
		.cumulative = true,
		.show_bytes = run->line.show_bytes,
		.node_count = (unsigned)run->line.node_count,
		.node_fraction = 0.005,
		.edge_fraction = 0.001,
		.max_degree = 8,
		.difference = true,
		.whole = whole,
	};
	struct str title = str_of(arena_printf(
		c->arena, "%.*s -> %.*s", STR_ARG(run->profiles[OLD]->source),
		STR_ARG(run->profiles[NEW]->source)));
	struct profile *profile;
	unsigned type;

	for (type = 0; type < SAMPLE_TYPES; type++)
		whole[type] = profile_total(run->profiles[OLD],
					    (enum sample_type)type);
	profile = compare_to_profile(c);
	profile->source = title;
	switch (run->line.format) {
	case OUTPUT_FLAME:
		return report_flame(profile, &options, stream, &run->diag);
	case OUTPUT_DOT:
		return report_dot(profile, &options, stream, &run->diag);
	default:
		return report_graphviz(profile, &options,
				       run->line.format == OUTPUT_SVG ? "svg"
								      : "png",
				       stream, &run->diag);
	}
}

static bool write_output(struct run *run, FILE *stream)
{
	switch (run->line.format) {
	case OUTPUT_TEXT:
		print_table(run->comparison, &run->print, stream);
		return true;
	case OUTPUT_JSON:
		print_json(run->comparison, &run->print, stream);
		return true;
	case OUTPUT_COLLAPSED:
		print_collapsed(run->comparison, stream);
		return true;
	default:
		return write_report(run, stream);
	}
}

static bool refuse_terminal(struct run *run)
{
	const char *output = run->line.output;

	if (run->line.format != OUTPUT_PNG || (output && strcmp(output, "-")) ||
	    !isatty(STDOUT_FILENO))
		return true;
	return diag_set(&run->diag,
			"--png is binary and standard output is a terminal: "
			"name a file with -o FILE, or redirect");
}

static bool output(struct run *run)
{
	struct output out;

	if (!output_open(&out, run->line.output, &run->diag))
		return false;
	if (!write_output(run, out.stream)) {
		output_abandon(&out);
		return false;
	}
	return output_close(&out, &run->diag);
}

static bool exceeds(const struct run *run, const struct change *change,
		    const char *name)
{
	char change_text[NUMBER_BYTES], error_text[NUMBER_BYTES];
	char *copy;

	if ((change->verdict != GREW && change->verdict != APPEARED) ||
	    change_delta(change) <= (double)run->line.fail_above)
		return false;
	copy = arena_strdup(run->comparison->arena, name);
	mask_text(copy, strlen(copy));
	format_value(error_text, run->comparison, &run->print,
		     standard_error((struct value){0, change->variance}));
	fprintf(stderr, "jeheapdiff: %s: %s +- %s, above %s\n", copy,
		format_change(change_text, run->comparison, &run->print,
			      change_delta(change)),
		error_text, run->line.fail_above_text);
	return true;
}

/* Names each row that is over the limit, and the total. */
static bool gate_fails(const struct run *run)
{
	const struct comparison *c = run->comparison;
	bool fails = false;
	size_t i;

	if (!run->line.fail_above_text)
		return false;
	for (i = 0; i < c->row_count; i++)
		fails |= exceeds(run, &c->rows[i].change,
				 str_cstring(c->arena, c->rows[i].name));
	return exceeds(run, &c->total, "total") || fails;
}

static void warn_if_empty(const struct run *run)
{
	if (!run->profiles[OLD]->sample_count &&
	    !run->profiles[NEW]->sample_count)
		warn("jeheapdiff", "neither profile has a stack%s",
		     run->line.filter.focus || run->line.filter.ignore
			     ? " that --focus and --ignore leave"
			     : "");
}

static bool compare_and_print(struct run *run)
{
	if (!refuse_terminal(run) || !load(run))
		return false;
	warn_if_empty(run);
	run->print = (struct print_options){
		.all = run->line.all,
		.show_bytes = run->line.show_bytes,
		.row_limit = run->line.node_count,
		.rows = run->line.rows,
	};
	run->comparison = compare(run->profiles[OLD], run->profiles[NEW],
				  &run->line.compare, &run->arena);
	return output(run);
}

static bool help_or_version(struct run *run)
{
	if (run->line.help)
		command_line_help();
	else
		puts("jeheapdiff (" PACKAGE_NAME ") " PACKAGE_VERSION);
	return fflush(stdout) == 0 ||
	       diag_errno(&run->diag, "cannot write standard output");
}

static void release(struct run *run)
{
	unsigned side;

	for (side = OLD; side < SIDES; side++) {
		if (run->profiles[side])
			profile_free(run->profiles[side]);
	}
	arena_free(&run->arena);
}

int main(int argc, char **argv)
{
	static struct run run;
	int status = 0;
	bool good;

	setlocale(LC_CTYPE, "");
	good = command_line_parse(&run.line, argc, argv, &run.diag);
	if (good && (run.line.help || run.line.version))
		good = help_or_version(&run);
	else if (good)
		good = compare_and_print(&run);
	if (!good) {
		diag_print("jeheapdiff", &run.diag);
		status = TROUBLE;
	} else if (run.comparison && gate_fails(&run)) {
		status = GATE_FAILED;
	}
	release(&run);
	return status;
}
