/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of report_text as JSON: all rows, unrounded, with standard errors
 * and numbers of samples.
 */
#include "config.h"

#include "libjeheap/base/json.h"
#include "libjeheap/profile/estimate.h"
#include "libjeheap/report/amount.h"
#include "libjeheap/report/lifetimes.h"

static const char *const granularity_names[] = {
	[BY_FUNCTION] = "functions",
	[BY_FILE] = "files",
	[BY_LINE] = "lines",
	[BY_ADDRESS] = "addresses",
};

static void put_value(struct json *json, const char *key, struct value value)
{
	json_object(json, key);
	json_double(json, "value", value.total);
	json_double(json, "standard_error", standard_error(value));
	json_end_object(json);
}

static void put_source(struct json *json, const struct profile *profile,
		       const struct report_options *options,
		       struct arena *arena)
{
	json_string(json, "source",
		    str_of(report_title(profile, options, arena)));
	json_string(json, "type", str_of(sample_type_names[options->type]));
	json_string(json, "unit", str_of(sample_type_units[options->type]));
	json_string(json, "granularity",
		    str_of(granularity_names[options->granularity]));
	json_bool(json, "difference", options->difference);
	json_uint(json, "period_bytes", profile->period_bytes);
	json_double(json, "samples", report_samples(profile, options->type));
	json_uint(json, "time_ns", profile->time_ns);
	if (profile->peak_bytes)
		json_uint(json, "peak_bytes", profile->peak_bytes);
	json_int(json, "pid", profile->pid);
	json_string(json, "command", profile->command);
	if (options->selection)
		json_string(json, "selection", str_of(options->selection));
}

static void put_rows(struct json *json, const struct graph *graph,
		     unsigned limit)
{
	json_array(json, "rows");
	for (size_t i = 0; i < graph->node_count && (!limit || i < limit);
	     i++) {
		const struct graph_node *node = &graph->nodes[i];

		json_object(json, NULL);
		json_string(json, "name", node->name);
		json_string(json, "file", node->file);
		put_value(json, "flat", node->flat);
		put_value(json, "cum", node->cum);
		json_double(json, "flat_samples", node->flat_samples);
		json_double(json, "cum_samples", node->cum_samples);
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_nameless(struct json *json, const struct profile *profile,
			 const struct report_options *options,
			 struct arena *arena)
{
	struct nameless_list list;

	find_nameless(profile, options->type, arena, &list);
	json_object(json, "unresolved");
	put_value(json, "leaf", list.leaf);
	put_value(json, "any", list.any);
	json_array(json, "files");
	for (size_t i = 0; i < list.count; i++) {
		const struct nameless *row = &list.rows[i];

		json_object(json, NULL);
		json_string(json, "file", row->file);
		json_string(json, "reason",
			    str_of(unresolved_reason(row->reason)));
		put_value(json, "leaf", row->leaf);
		put_value(json, "any", row->any);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void put_lifetime_row(struct json *json, const struct lifetimes *row)
{
	json_object(json, NULL);
	json_string(json, "name", row->name);
	json_string(json, "file", row->file);
	json_double(json, "freed", row->freed);
	json_double(json, "freed_elsewhere", row->elsewhere);
	json_double(json, "freed_samples", row->samples);
	json_double(json, "median_ns", lifetimes_quantile(row, 0.5));
	json_double(json, "p90_ns", lifetimes_quantile(row, 0.9));
	json_array(json, "histogram");
	for (unsigned i = 0; i < LIVES_WORDS; i++)
		json_double(json, NULL, row->words[i]);
	json_end_array(json);
	json_end_object(json);
}

/* Nothing where none are known. */
static void put_lifetimes(struct json *json, const struct profile *profile,
			  const struct report_options *options,
			  struct arena *arena)
{
	struct lifetime_list list;
	size_t limit;

	if (!lifetimes_find(profile, options, arena, &list))
		return;
	limit = options->node_count ? options->node_count : list.count;
	json_object(json, "lifetimes");
	json_uint(json, "histogram_from_lg_ns", LIVES_LG_MIN);
	json_array(json, "rows");
	for (size_t i = 0; i < list.count && i < limit; i++)
		put_lifetime_row(json, &list.rows[i]);
	json_end_array(json);
	json_end_object(json);
}

bool report_json(const struct profile *profile,
		 const struct report_options *options, FILE *stream,
		 struct diag *diag)
{
	struct arena arena = {NULL, NULL, NULL};
	struct graph *graph = graph_new(profile, options, false, &arena);
	struct json json = {.stream = stream, .indent = 1};

	(void)diag;
	json_object(&json, NULL);
	put_source(&json, profile, options, &arena);
	put_value(&json, "total", graph->total);
	put_value(&json, "whole",
		  options->whole ? options->whole[options->type]
				 : graph->total);
	put_rows(&json, graph, options->node_count);
	put_lifetimes(&json, profile, options, &arena);
	put_nameless(&json, profile, options, &arena);
	json_double(&json, "dropped_samples", profile->dropped_samples);
	json_double(&json, "dropped_bytes", profile->dropped_bytes);
	json_end_object(&json);
	fputc('\n', stream);
	arena_free(&arena);
	return true;
}
