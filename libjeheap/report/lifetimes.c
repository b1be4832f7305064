/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adds up the lifetimes of freed objects, each sample by what it stands for,
 * and writes them as a table.
 */
#include "config.h"

#include "libjeheap/report/lifetimes.h"

#include <math.h>
#include <stdlib.h>

#include "libjeheap/base/table.h"
#include "libjeheap/report/amount.h"
#include "libjeheap/report/frames.h"

/* Bytes or objects that one sampled object of these stands for. */
static double weight_of(const struct sample *sample, enum sample_type type)
{
	bool space = is_space(type);

	if (sample->alloc_samples != 0)
		return sample->value[space ? ALLOC_SPACE : ALLOC_OBJECTS]
			       .total /
		       sample->alloc_samples;
	if (sample->inuse_samples != 0)
		return sample->value[space ? INUSE_SPACE : INUSE_OBJECTS]
			       .total /
		       sample->inuse_samples;
	return 0;
}

static void add(struct lifetimes *row, const struct sample *sample,
		enum sample_type type)
{
	const struct lives *lives = sample->lives;
	double weight = weight_of(sample, type);

	row->in_use +=
		sample->value[is_space(type) ? INUSE_SPACE : INUSE_OBJECTS]
			.total;
	if (!lives)
		return;
	row->freed += weight * lives->freed;
	row->elsewhere += weight * lives->elsewhere;
	row->samples += lives->freed;
	for (unsigned i = 0; i < LIVES_WORDS; i++)
		row->words[i] += weight * lives->words[i];
}

static int compare(const void *left, const void *right)
{
	const struct lifetimes *a = left, *b = right;
	double x = fabs(a->freed), y = fabs(b->freed);

	return x != y ? (x < y) - (x > y) : str_compare(a->name, b->name);
}

/* By name: rows[i] is frames->names' i. A name counts once a stack. */
static void add_up(const struct profile *profile,
		   const struct report_options *options, struct frames *frames,
		   struct lifetime_list *list, uint64_t *seen)
{
	for (size_t i = 0; i < profile->sample_count; i++) {
		const struct sample *sample = &profile->samples[i];
		size_t depth = frames_expand(frames, sample->stack);

		add(&list->total, sample, options->type);
		for (size_t k = 0; k < depth; k++) {
			uint32_t name = frames->steps[k].name;

			if (k > 0 && !options->cumulative)
				break;
			if (seen[name] == i + 1)
				continue;
			seen[name] = i + 1;
			add(&list->rows[name], sample, options->type);
		}
	}
}

bool lifetimes_find(const struct profile *profile,
		    const struct report_options *options, struct arena *arena,
		    struct lifetime_list *list)
{
	struct frames *frames =
		frames_new(profile, options->granularity, arena);
	size_t names = frames->names.count, kept = 0;
	bool known = false;

	*list = (struct lifetime_list){
		.rows = ARENA_ARRAY(arena, names, struct lifetimes)};
	for (size_t i = 0; i < profile->sample_count && !known; i++)
		known = profile->samples[i].lives != NULL;
	if (!known)
		return false;
	add_up(profile, options, frames, list,
	       ARENA_ARRAY(arena, names, uint64_t));
	for (size_t i = 0; i < names; i++) {
		struct lifetimes row = list->rows[i];

		row.name = frames->names.strings[i];
		row.file = frames->files[i];
		if (row.samples != 0)
			list->rows[kept++] = row;
	}
	list->count = kept;
	/* What is left of sums that cancel out is nothing. */
	if (list->total.samples == 0)
		list->total = (struct lifetimes){0};
	if (kept)
		qsort(list->rows, kept, sizeof(*list->rows), compare);
	return true;
}

static double known_of(const struct lifetimes *row)
{
	double sum = 0;

	for (unsigned i = 0; i < LIVES_WORDS; i++)
		if (row->words[i] > 0)
			sum += row->words[i];
	return sum;
}

double lifetimes_quantile(const struct lifetimes *row, double part)
{
	double left = part * known_of(row);

	if (!(left > 0))
		return NAN;
	for (unsigned i = 0; i < LIVES_WORDS; i++) {
		double here = row->words[i] > 0 ? row->words[i] : 0;

		if (left <= here)
			return exp2(LIVES_LG_MIN + i + left / here);
		left -= here;
	}
	return exp2(LIVES_LG_MIN + LIVES_WORDS);
}

/* "< 8.19 us" of the shortest, "> 2h 26m" of the longest. */
static char *format_lifetime(char *buffer, size_t size, double ns)
{
	double shortest = exp2(LIVES_LG_MIN + 1);
	double longest = exp2(LIVES_LG_MIN + LIVES_WORDS - 1);
	char number[NUMBER_BYTES];

	if (isnan(ns))
		snprintf(buffer, size, "-");
	else if (ns <= shortest)
		snprintf(buffer, size, "< %s",
			 format_duration_ns(number, (uint64_t)shortest));
	else if (ns >= longest)
		snprintf(buffer, size, "> %s",
			 format_duration_ns(number, (uint64_t)longest));
	else
		snprintf(buffer, size, "%s",
			 format_duration_ns(number, (uint64_t)ns));
	return buffer;
}

static void print_head(const struct lifetimes *total,
		       const struct report_options *options, FILE *stream)
{
	char freed[NUMBER_BYTES], share[NUMBER_BYTES];
	char median[NUMBER_BYTES + 8], most[NUMBER_BYTES + 8];

	fprintf(stream,
		"Freed: %s, of %.0f samples; %s of it by another thread than "
		"allocated it\n"
		"Lifetime: half within %s, 90%% within %s; what is still in "
		"use does not count\n",
		format_amount(freed, options, total->freed), total->samples,
		format_percent(share, total->elsewhere, total->freed),
		format_lifetime(median, sizeof(median),
				lifetimes_quantile(total, 0.5)),
		format_lifetime(most, sizeof(most),
				lifetimes_quantile(total, 0.9)));
}

static void add_row(struct table *table, const struct lifetimes *row,
		    const struct lifetimes *total,
		    const struct report_options *options)
{
	char *name = str_cstring(table->arena, row->name);
	char b[NUMBER_BYTES + 8];

	mask_text(name, row->name.len);
	table_cellf(table, "%s", format_amount(b, options, row->freed));
	table_cellf(table, "%s", format_percent(b, row->freed, total->freed));
	table_cellf(
		table, "%s",
		format_lifetime(b, sizeof(b), lifetimes_quantile(row, 0.5)));
	table_cellf(
		table, "%s",
		format_lifetime(b, sizeof(b), lifetimes_quantile(row, 0.9)));
	table_cellf(table, "%s", format_percent(b, row->elsewhere, row->freed));
	table_cellf(table, "%s", format_amount(b, options, row->in_use));
	table_cell(table, (struct str){name, row->name.len});
}

static void print_rows(const struct lifetime_list *list,
		       const struct report_options *options,
		       struct arena *arena, FILE *stream)
{
	static const char *const heading[] = {"freed", "freed%",    "median",
					      "90%",   "elsewhere", "in use",
					      "name"};
	static const bool left[7] = {[6] = true};
	struct table table = {.arena = arena, .columns = 7, .left = left};
	size_t limit = options->node_count ? options->node_count : list->count;

	for (size_t i = 0; i < 7; i++)
		table_cell(&table, str_of(heading[i]));
	for (size_t i = 0; i < list->count && i < limit; i++)
		add_row(&table, &list->rows[i], &list->total, options);
	table_print(&table, stream);
	if (list->count > limit)
		fprintf(stream, "... and %zu more (--nodecount=0: all)\n",
			list->count - limit);
}

bool report_lifetimes(const struct profile *profile,
		      const struct report_options *options, FILE *stream,
		      struct diag *diag)
{
	struct arena arena = {NULL, NULL, NULL};
	struct lifetime_list list;
	bool known = lifetimes_find(profile, options, &arena, &list);

	if (known) {
		print_head(&list.total, options, stream);
		print_rows(&list, options, &arena, stream);
	} else {
		diag_set(diag,
			 "%.*s holds no lifetimes: nothing that was sampled "
			 "has been freed, or it is no profile of liballoc's",
			 STR_ARG(profile->source));
	}
	arena_free(&arena);
	return known;
}
