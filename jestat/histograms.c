/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The histograms that the process's ledger describes: each bucket in which
 * anything fell, by powers of two. One that a later liballoc adds appears here
 * without a change.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>

#include "jestat/print.h"
#include "libjeheap/base/number.h"
#include "libjeheap/base/table.h"

#define BAR_COLUMNS 40

/* A histogram is a metric of the process whose words are its buckets. */
static uint64_t bucket(const struct reading *reading,
		       const struct ledger_metric *metric, uint32_t i)
{
	struct ledger_metric word = *metric;

	word.offset += i * (uint32_t)sizeof(uint64_t);
	return ledger_view_get(&reading->view, &word, 0);
}

static double total(const struct reading *reading,
		    const struct ledger_metric *metric, uint64_t *most)
{
	double sum = 0;

	*most = 0;
	for (uint32_t i = 0; i < metric->count; i++) {
		uint64_t count = bucket(reading, metric, i);

		sum += (double)count;
		if (count > *most)
			*most = count;
	}
	return sum;
}

/* Where bucket i begins: the first takes what is below, too. */
static double lower_end(uint32_t i)
{
	return i == 0 ? 0 : exp2(i);
}

static void format_end(char *buffer, const struct ledger_metric *metric,
		       const struct print_options *options, double value)
{
	if (metric->unit == LEDGER_UNIT_NS && !options->csv)
		format_duration_ns(buffer, value < 1.8e19 ? (uint64_t)value
							  : UINT64_MAX);
	else if (metric->unit == LEDGER_UNIT_BYTES && !options->csv)
		print_size(buffer, options, value);
	else
		snprintf(buffer, NUMBER_BYTES, "%.0f", value);
}

static void add_bucket(struct table *table, const struct ledger_metric *metric,
		       const struct print_options *options, uint32_t i,
		       uint64_t count, double sum, uint64_t most)
{
	static const char bar[BAR_COLUMNS + 1] =
		"########################################";
	bool is_last = i + 1 == metric->count;
	char from[NUMBER_BYTES], to[NUMBER_BYTES] = "", share[NUMBER_BYTES];

	format_end(from, metric, options, lower_end(i));
	if (!is_last)
		format_end(to, metric, options, exp2(i + 1));
	if (options->csv)
		table_cellf(table, "%s", metric->name);
	table_cellf(table, "%s", from);
	table_cellf(table, "%s", is_last && !options->csv ? "more" : to);
	table_cellf(table, "%" PRIu64, count);
	if (options->csv)
		return;
	table_cellf(table, "%s", format_percent(share, (double)count, sum));
	table_cellf(table, "%.*s",
		    (int)ceil((double)count * BAR_COLUMNS / (double)most), bar);
}

static void add_buckets(struct table *table, const struct reading *now,
			const struct ledger_metric *metric,
			const struct print_options *options)
{
	uint64_t most, count;
	double sum = total(now, metric, &most);

	for (uint32_t i = 0; i < metric->count; i++) {
		count = bucket(now, metric, i);
		if (count)
			add_bucket(table, metric, options, i, count, sum, most);
	}
}

static bool is_histogram(const struct ledger_metric *metric)
{
	return metric->kind == LEDGER_HISTOGRAM &&
	       metric->section == LEDGER_PROCESS && metric->count <= 64;
}

static void add_titles(struct table *table, const char *const *titles)
{
	for (size_t i = 0; i < table->columns; i++)
		table_cell(table, str_of(titles[i]));
}

static void print_one(const struct reading *now,
		      const struct ledger_metric *metric,
		      const struct print_options *options)
{
	static const char *const titles[] = {"from", "to", "count", "share",
					     ""};
	static const bool left[5] = {[4] = true};
	struct arena arena = {NULL, NULL, NULL};
	struct table table = {.arena = &arena, .columns = 5, .left = left};
	uint64_t most;

	printf("%s: %s, %.0f in all\n", metric->name, metric->help,
	       total(now, metric, &most));
	if (most) {
		add_titles(&table, titles);
		add_buckets(&table, now, metric, options);
		table_print(&table, stdout);
	}
	arena_free(&arena);
}

void print_histograms(const struct reading *now,
		      const struct print_options *options)
{
	static const char *const titles[] = {"histogram", "from", "to",
					     "count"};
	static const bool left[4] = {true};
	struct arena arena = {NULL, NULL, NULL};
	struct table csv = {.arena = &arena, .columns = 4, .left = left};
	bool first = true;
	uint64_t i;

	add_titles(&csv, titles);
	for (i = 0; i < now->view.count[LEDGER_METRICS]; i++) {
		const struct ledger_metric *metric =
			ledger_row(&now->view, LEDGER_METRICS, i);

		if (!is_histogram(metric))
			continue;
		if (!first && !options->csv)
			putchar('\n');
		first = false;
		if (options->csv)
			add_buckets(&csv, now, metric, options);
		else
			print_one(now, metric, options);
	}
	if (options->csv)
		table_print_csv(&csv, stdout);
	arena_free(&arena);
}
