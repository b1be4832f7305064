/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jeprof: where a program's memory is, from its heap profile. Parses no
 * format and draws nothing; it connects the command line, the readers, the
 * symbolizer and the reports, and alone ends the process.
 */
#include "config.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jeprof/load.h"
#include "libjeheap/base/file.h"
#include "libjeheap/base/number.h"
#include "libjeheap/profile/write.h"

#define TROUBLE 2

struct run {
	struct command_line line;
	struct loaded loaded;
	struct report_options options;
	struct arena arena;
	struct output output;
	struct diag diag;
};

typedef bool report_function(const struct profile *profile,
			     const struct report_options *options, FILE *stream,
			     struct diag *diag);

static bool pprof_report(const struct profile *profile,
			 const struct report_options *options, FILE *stream,
			 struct diag *diag)
{
	(void)options;
	(void)diag;
	write_pprof(profile, stream);
	return true;
}

static bool raw_report(const struct profile *profile,
		       const struct report_options *options, FILE *stream,
		       struct diag *diag)
{
	(void)options;
	(void)diag;
	write_raw(profile, stream);
	return true;
}

static const struct format {
	const char *name;
	report_function *report; /* or, where it is NULL: */
	const char *graphviz;	 /* report_graphviz()'s format */
	bool binary;		 /* not for a terminal */
	bool tells_losses;	 /* what the profiler lost is in it */
} formats[OUTPUT_FORMATS] = {
	[OUTPUT_TEXT] = {"text", report_text, NULL, false, true},
	[OUTPUT_DOT] = {"dot", report_dot, NULL, false, false},
	[OUTPUT_SVG] = {"svg", NULL, "svg", false, false},
	[OUTPUT_PNG] = {"png", NULL, "png", true, false},
	[OUTPUT_PDF] = {"pdf", NULL, "pdf", true, false},
	[OUTPUT_PS] = {"ps", NULL, "ps", false, false},
	[OUTPUT_COLLAPSED] = {"collapsed", report_collapsed, NULL, false,
			      false},
	[OUTPUT_FLAME] = {"flame", report_flame, NULL, false, true},
	[OUTPUT_PPROF] = {"pprof", pprof_report, NULL, true, false},
	[OUTPUT_RAW] = {"raw", raw_report, NULL, false, true},
	[OUTPUT_CALLGRIND] = {"callgrind", report_callgrind, NULL, false,
			      false},
	[OUTPUT_JSON] = {"json", report_json, NULL, false, true},
	[OUTPUT_LIFETIMES] = {"lifetimes", report_lifetimes, NULL, false,
			      false},
};

/* On standard error where the format has no place for it; pprof has comments.
 */
static void tell_losses(struct run *run)
{
	struct profile *profile = run->loaded.profile;
	struct str losses = report_losses(profile, "in it", &run->arena);

	if (!losses.len || formats[run->line.format].tells_losses)
		return;
	warn("jeprof", "%.*s: %.*s", STR_ARG(profile->source), STR_ARG(losses));
	if (run->line.format == OUTPUT_PPROF)
		profile_comment(profile, losses);
}

static bool write_profile(struct run *run, const struct profile *profile)
{
	const struct format *format = &formats[run->line.format];
	FILE *stream = run->output.stream;

	if (format->report)
		return format->report(profile, &run->options, stream,
				      &run->diag);
	return report_graphviz(profile, &run->options, format->graphviz, stream,
			       &run->diag);
}

static void add_selection(struct text *text, const char *name,
			  const char *value)
{
	if (value)
		text_printf(text, "%s%s=%s", text->len ? " " : "", name, value);
}

/* "thread=3 (worker) focus=RE"; NULL where nothing was selected. */
static const char *describe_selection(struct run *run, const uint64_t *uid)
{
	const struct filter *filter = &run->line.filter;
	struct text text = {.arena = &run->arena};
	struct str name;

	if (uid) {
		text_printf(&text, "thread=%" PRIu64, *uid);
		name = thread_name(run->loaded.profile, *uid);
		if (name.len)
			text_printf(&text, " (%.*s)", STR_ARG(name));
	}
	add_selection(&text, "focus", filter->focus);
	add_selection(&text, "ignore", filter->ignore);
	add_selection(&text, "retain", filter->retain);
	add_selection(&text, "exclude", filter->exclude);
	return text.len ? text_str(&text).ptr : NULL;
}

static bool report_selected(struct run *run, struct profile *profile,
			    const uint64_t *uid)
{
	run->options.selection = describe_selection(run, uid);
	return profile_filter(profile, &run->line.filter, &run->diag) &&
	       write_profile(run, profile);
}

static bool report_thread(struct run *run, uint64_t uid)
{
	struct profile *part =
		thread_part(run->loaded.profile, uid, &run->diag);
	bool good = part && report_selected(run, part, &uid);

	if (part)
		profile_free(part);
	return good;
}

static int compare_uids(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static bool report_each_thread(struct run *run)
{
	const struct profile *profile = run->loaded.profile;
	size_t count = profile->thread_count;
	uint64_t *uids = ARENA_ARRAY(&run->arena, count, uint64_t);

	if (!count)
		return diag_set(&run->diag, "%.*s does not tell threads apart",
				STR_ARG(profile->source));
	count = threads_with_samples(profile, uids);
	if (!count)
		return report_selected(run, run->loaded.profile, NULL);
	qsort(uids, count, sizeof(*uids), compare_uids);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			fputc('\n', run->output.stream);
		if (!report_thread(run, uids[i]))
			return false;
	}
	return true;
}

static bool report_all(struct run *run)
{
	const char *thread = run->line.thread;
	uint64_t uid;

	if (!thread)
		return report_selected(run, run->loaded.profile, NULL);
	if (!strcmp(thread, "*"))
		return report_each_thread(run);
	return parse_uint(thread, &uid) && report_thread(run, uid);
}

static void set_report_options(struct run *run)
{
	const struct command_line *line = &run->line;
	bool table = line->format == OUTPUT_TEXT ||
		     line->format == OUTPUT_JSON ||
		     line->format == OUTPUT_LIFETIMES;

	run->options = (struct report_options){
		.type = (enum sample_type)line->type,
		.granularity = (enum granularity)line->granularity,
		.cumulative = line->cumulative,
		.show_bytes = line->show_bytes,
		.node_count = (unsigned)line->node_count,
		.node_fraction = line->node_fraction,
		.edge_fraction = line->edge_fraction,
		.max_degree = (unsigned)line->max_degree,
		.difference = line->bases.count > 0,
		.whole = run->loaded.whole,
		.picture_scale = line->picture_scale,
		.stats = &run->loaded.stats,
	};
	if (table && !line->node_count_given)
		run->options.node_count = 0;
}

static bool refuse_terminal(const struct command_line *line, struct diag *diag)
{
	const struct format *format = &formats[line->format];
	bool to_stdout = !line->output || !strcmp(line->output, "-");

	if (!format->binary || !to_stdout || !isatty(STDOUT_FILENO))
		return true;
	return diag_set(diag,
			"--%s is binary and standard output is a terminal: "
			"name a file with -o FILE, or redirect",
			format->name);
}

static bool run_reports(struct run *run)
{
	bool good;

	if (!refuse_terminal(&run->line, &run->diag) ||
	    !load_profiles(&run->line, &run->loaded, &run->diag))
		return false;
	tell_losses(run);
	set_report_options(run);
	good = output_open(&run->output, run->line.output, &run->diag);
	if (good && !report_all(run)) {
		output_abandon(&run->output);
		good = false;
	} else if (good) {
		good = output_close(&run->output, &run->diag);
	}
	profile_free(run->loaded.profile);
	return good;
}

static bool show_help_or_version(struct run *run)
{
	if (run->line.help)
		command_line_help();
	else
		puts("jeprof (" PACKAGE_NAME ") " PACKAGE_VERSION);
	return fflush(stdout) == 0 ||
	       diag_errno(&run->diag, "cannot write standard output");
}

int main(int argc, char **argv)
{
	static struct run run;
	bool good;

	setlocale(LC_CTYPE, "");
	good = command_line_parse(&run.line, argc, argv, &run.diag);
	if (good && (run.line.help || run.line.version))
		good = show_help_or_version(&run);
	else if (good)
		good = run_reports(&run);
	if (!good)
		diag_print("jeprof", &run.diag);
	arena_free(&run.arena);
	return good ? 0 : TROUBLE;
}
