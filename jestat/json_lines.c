/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reading as one JSON object on one line. Each metric stands under the name
 * that the process's ledger gives it: one that a later liballoc adds appears
 * here without a change.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "jestat/print.h"
#include "libjeheap/base/json.h"

static void write_word(struct json *json, const struct reading *reading,
		       const char *key, const struct ledger_metric *metric,
		       uint64_t row)
{
	uint64_t word = ledger_view_get(&reading->view, metric, row);

	if (metric->unit == LEDGER_UNIT_MS)
		json_int(json, key, (int64_t)word);
	else
		json_uint(json, key, word);
}

/* A histogram's words lie one behind the other. */
static void write_histogram(struct json *json, const struct reading *reading,
			    const struct ledger_metric *metric, uint64_t row)
{
	struct ledger_metric word = *metric;
	uint32_t i;

	json_array(json, metric->name);
	word.count = 1;
	for (i = 0; i < metric->count; i++) {
		write_word(json, reading, NULL, &word, row);
		word.offset += (uint32_t)sizeof(uint64_t);
	}
	json_end_array(json);
}

/* All metrics of a row of values. */
static void write_row(struct json *json, const struct reading *reading,
		      unsigned section, uint64_t row)
{
	uint64_t i;

	for (i = 0; i < reading->view.count[LEDGER_METRICS]; i++) {
		const struct ledger_metric *metric =
			ledger_row(&reading->view, LEDGER_METRICS, i);

		if (metric->section != section)
			continue;
		if (metric->count > 1)
			write_histogram(json, reading, metric, row);
		else
			write_word(json, reading, metric->name, metric, row);
	}
}

/* Is it of threads that had a row before, and told with that of its threads? */
static bool is_past(const struct ledger_metric *metric)
{
	return metric->section == LEDGER_THREADS &&
	       strncmp(metric->name, READING_PAST, strlen(READING_PAST)) == 0;
}

static uint64_t total_of(const struct reading *reading,
			 const struct ledger_metric *metric)
{
	return metric->section == LEDGER_THREADS
		       ? reading_thread_total(reading, metric->name)
		       : ledger_view_sum(&reading->view, metric);
}

/* The sums over all rows, where the metric may be added up. */
static void write_totals(struct json *json, const struct reading *reading,
			 const char *key, unsigned section)
{
	uint64_t i;

	json_object(json, key);
	for (i = 0; i < reading->view.count[LEDGER_METRICS]; i++) {
		const struct ledger_metric *metric =
			ledger_row(&reading->view, LEDGER_METRICS, i);

		if (metric->section == section && metric->summable &&
		    metric->count == 1 && !is_past(metric))
			json_uint(json, metric->name,
				  total_of(reading, metric));
	}
	json_end_object(json);
}

static void write_arenas(struct json *json, const struct reading *reading)
{
	uint64_t i;

	json_array(json, "arenas");
	for (i = 0; i < reading->view.count[LEDGER_ARENAS]; i++) {
		json_object(json, NULL);
		json_uint(json, "index", i);
		write_row(json, reading, LEDGER_ARENAS, i);
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_bins(struct json *json, const struct reading *reading)
{
	const struct ledger_view *view = &reading->view;
	uint64_t i, j;

	json_array(json, "bins");
	for (i = 0; i < view->count[LEDGER_CLASSES]; i++) {
		const struct ledger_class *class =
			ledger_row(view, LEDGER_CLASSES, i);

		json_object(json, NULL);
		json_uint(json, "size", class->size_bytes);
		json_uint(json, "regions_per_slab", class->regions_per_slab);
		json_uint(json, "slab_bytes", class->slab_bytes);
		for (j = 0; j < view->count[LEDGER_METRICS]; j++) {
			const struct ledger_metric *metric =
				ledger_row(view, LEDGER_METRICS, j);

			if (metric->section == LEDGER_ARENA_CLASSES &&
			    metric->summable && metric->count == 1)
				json_double(json, metric->name,
					    reading_class_sum(reading,
							      metric->name, i));
		}
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_figures(struct json *json, const struct figures *f)
{
	json_double(json, "allocated", f->allocated);
	json_double(json, "active", f->active);
	json_double(json, "resident", f->resident);
	json_double(json, "rss", f->rss);
	json_double(json, "swap", f->swap);
	json_double(json, "dirty", f->dirty);
	json_double(json, "metadata", f->metadata);
	json_double(json, "fragmentation", f->fragmentation);
	json_double(json, "mallocs_per_second", f->mallocs_per_second);
	json_double(json, "bytes_per_second", f->bytes_per_second);
	json_double(json, "threads", f->threads);
	json_double(json, "elapsed_seconds", f->elapsed_seconds);
}

void print_json_reading(const struct reading *now, const struct reading *before,
			const struct print_options *options)
{
	struct json json = {.stream = stdout};
	struct figures figures = reading_figures(now, before);
	char time[32];

	json_object(&json, NULL);
	json_string(&json, "time", str_of(format_utc(time, now->time_ns)));
	json_int(&json, "pid", now->pid);
	json_string(&json, "command", str_of(now->info.command));
	json_string(&json, "liballoc", str_of(now->view.header.version));
	json_bool(&json, "snapshot", ledger_view_is_snapshot(&now->view));
	json_bool(&json, "since_start", before == NULL);
	write_figures(&json, &figures);
	json_object(&json, "process");
	if (now->view.count[LEDGER_PROCESS])
		write_row(&json, now, LEDGER_PROCESS, 0);
	json_end_object(&json);
	write_totals(&json, now, "arena_totals", LEDGER_ARENAS);
	write_totals(&json, now, "class_totals", LEDGER_ARENA_CLASSES);
	write_totals(&json, now, "thread_totals", LEDGER_THREADS);
	if (options->arenas)
		write_arenas(&json, now);
	if (options->bins)
		write_bins(&json, now);
	json_end_object(&json);
}
