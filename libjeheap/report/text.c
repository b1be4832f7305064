/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table that jeprof's and pprof's users know, with standard errors, and a
 * footer that says what has no name and what was lost.
 */
#include "config.h"

#include <math.h>

#include "libjeheap/base/table.h"
#include "libjeheap/profile/estimate.h"
#include "libjeheap/report/amount.h"

#define NAMELESS_SHOWN 8

struct page {
	const struct profile *profile;
	const struct report_options *options;
	const struct graph *graph;
	double whole;
	struct arena *arena;
	FILE *stream;
};

static struct str masked(struct arena *arena, struct str s)
{
	char *text = str_cstring(arena, s);

	mask_text(text, s.len);
	return (struct str){text, s.len};
}

static char *amount(const struct page *page, char *buffer, double v)
{
	return format_amount(buffer, page->options, v);
}

static char *percent(const struct page *page, char *buffer, double part)
{
	/* What is left of sums that cancel out is no part of anything. */
	if (fabs(part) < fabs(page->whole) * 1e-9)
		part = 0;
	return format_percent(buffer, part, fabs(page->whole));
}

static void print_head(const struct page *page)
{
	const struct profile *profile = page->profile;
	char time[32];
	struct str period = describe_period(profile, page->arena);

	fprintf(page->stream, "Type: %s  %.*s",
		sample_type_names[page->options->type], STR_ARG(period));
	if (!page->options->difference)
		fprintf(page->stream, "  Samples: %.0f",
			report_samples(profile, page->options->type));
	if (profile->pid)
		fprintf(page->stream, "  Process: %lld",
			(long long)profile->pid);
	if (*format_time(time, profile->time_ns))
		fprintf(page->stream, "  Time: %s", time);
	fputc('\n', page->stream);
}

static void print_value(const struct page *page, const char *label,
			struct value value)
{
	char number[NUMBER_BYTES], error[NUMBER_BYTES];

	fprintf(page->stream, "%s: %s ± %s", label,
		amount(page, number, value.total),
		amount(page, error, standard_error(value)));
}

static void print_peak(const struct page *page)
{
	char number[NUMBER_BYTES];

	if (page->profile->peak_bytes)
		fprintf(page->stream,
			"At the process's peak, of %s by the heap's own count\n",
			amount(page, number,
			       (double)page->profile->peak_bytes));
}

static void print_totals(const struct page *page)
{
	const struct report_options *options = page->options;
	char buffer[NUMBER_BYTES];

	if (options->difference) {
		print_value(page, "Total difference", page->graph->total);
		fprintf(page->stream, "  (100%% is the base's %s)\n",
			amount(page, buffer, page->whole));
	} else {
		print_value(page, "Total",
			    options->whole ? options->whole[options->type]
					   : page->graph->total);
		fputc('\n', page->stream);
	}
	if (!options->selection)
		return;
	print_value(page, "Selected", page->graph->total);
	fprintf(page->stream, " (%s of the total), by %.*s\n",
		percent(page, buffer, page->graph->total.total),
		STR_ARG(masked(page->arena, str_of(options->selection))));
}

static void print_heading(struct table *table)
{
	static const char *const heading[] = {"flat", "±", "flat%", "sum%",
					      "cum",  "±", "cum%",  "name"};

	for (size_t i = 0; i < sizeof(heading) / sizeof(heading[0]); i++)
		table_cell(table, str_of(heading[i]));
}

static void add_amount(const struct page *page, struct table *table,
		       double value)
{
	char buffer[NUMBER_BYTES];

	table_cellf(table, "%s", amount(page, buffer, value));
}

static void add_percent(const struct page *page, struct table *table,
			double part)
{
	char buffer[NUMBER_BYTES];

	table_cellf(table, "%s", percent(page, buffer, part));
}

static void add_row(const struct page *page, struct table *table,
		    const struct graph_node *node, double sum)
{
	add_amount(page, table, node->flat.total);
	add_amount(page, table, standard_error(node->flat));
	add_percent(page, table, node->flat.total);
	add_percent(page, table, sum);
	add_amount(page, table, node->cum.total);
	add_amount(page, table, standard_error(node->cum));
	add_percent(page, table, node->cum.total);
	table_cell(table, masked(page->arena, node->name));
}

/* In a difference, most did not change. */
static bool is_nothing(const struct graph_node *node)
{
	return fabs(node->flat.total) < 0.5 && fabs(node->cum.total) < 0.5;
}

static void print_rows(const struct page *page)
{
	static const bool left[8] = {[7] = true};
	struct table table = {.arena = page->arena, .columns = 8, .left = left};
	const struct graph *graph = page->graph;
	unsigned limit = page->options->node_count;
	double sum = 0;

	print_heading(&table);
	for (size_t i = 0; i < graph->node_count && (!limit || i < limit);
	     i++) {
		const struct graph_node *node = &graph->nodes[i];

		sum += node->flat.total;
		if (!page->options->difference || !is_nothing(node))
			add_row(page, &table, node, sum);
	}
	table_print(&table, page->stream);
	if (limit && graph->node_count > limit)
		fprintf(page->stream, "... and %zu more (--nodecount=0: all)\n",
			graph->node_count - limit);
}

static void print_nameless_row(const struct page *page,
			       const struct nameless *row)
{
	const char *remedy = unresolved_remedy(row->reason);
	char buffer[NUMBER_BYTES];
	struct str file = row->file.len ? row->file : STR("[unknown]");

	fprintf(page->stream, "  %s in %.*s: %s",
		amount(page, buffer, row->any.total),
		STR_ARG(masked(page->arena, file)),
		unresolved_reason(row->reason));
	if (remedy)
		fprintf(page->stream, " (%s)", remedy);
	fputc('\n', page->stream);
}

static void print_nameless(const struct page *page)
{
	struct nameless_list list;
	char leaf[NUMBER_BYTES], leaf_part[NUMBER_BYTES], any[NUMBER_BYTES];
	char any_part[NUMBER_BYTES];

	find_nameless(page->profile, page->options->type, page->arena, &list);
	if (!list.count)
		return;
	fprintf(page->stream,
		"\nWithout a name: the leaf of %s (%s), some frame of %s "
		"(%s):\n",
		amount(page, leaf, list.leaf.total),
		percent(page, leaf_part, list.leaf.total),
		amount(page, any, list.any.total),
		percent(page, any_part, list.any.total));
	for (size_t i = 0; i < list.count && i < NAMELESS_SHOWN; i++)
		print_nameless_row(page, &list.rows[i]);
	if (list.count > NAMELESS_SHOWN)
		fprintf(page->stream, "  ... and %zu more files\n",
			list.count - NAMELESS_SHOWN);
}

struct str report_losses(const struct profile *profile, const char *where,
			 struct arena *arena)
{
	char buffer[NUMBER_BYTES];
	struct estimate lost;

	if (profile->dropped_samples <= 0)
		return STR("");
	lost = estimate_from_samples(profile->dropped_samples,
				     profile->dropped_bytes,
				     (double)profile->period_bytes);
	return str_of(arena_printf(
		arena,
		"the profiler lost %.0f samples, of about %s, which are not "
		"%s: its tables were full, or the stacks could not be unwound",
		profile->dropped_samples,
		format_bytes(buffer, lost.bytes.total), where));
}

static void print_losses(const struct page *page)
{
	struct str losses = report_losses(page->profile, "above", page->arena);

	if (losses.len)
		fprintf(page->stream, "\nT%.*s\n", (int)losses.len - 1,
			losses.ptr + 1);
}

bool report_text(const struct profile *profile,
		 const struct report_options *options, FILE *stream,
		 struct diag *diag)
{
	struct arena arena = {NULL, NULL, NULL};
	struct page page = {.profile = profile,
			    .options = options,
			    .whole = report_whole(profile, options),
			    .arena = &arena,
			    .stream = stream};

	(void)diag;
	page.graph = graph_new(profile, options, false, &arena);
	print_head(&page);
	print_peak(&page);
	print_totals(&page);
	print_rows(&page);
	print_nameless(&page);
	print_losses(&page);
	arena_free(&arena);
	return true;
}
