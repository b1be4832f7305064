/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What jeheapdiff prints itself. Rows that are within sampling noise are left
 * out of the table, and counted below it.
 */
#include "config.h"

#include "jeheapdiff/print.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/base/json.h"
#include "libjeheap/base/number.h"
#include "libjeheap/base/table.h"
#include "libjeheap/profile/estimate.h"

#define CALLERS_SHOWN 3
#define TABLE_COLUMNS 6

static bool is_space(enum sample_type type)
{
	return type == INUSE_SPACE || type == ALLOC_SPACE;
}

static bool is_shown(const struct print_options *options,
		     const struct change *change)
{
	return options->all ||
	       (change->verdict != NOISE && change->verdict != UNCHANGED);
}

char *format_value(char *buffer, const struct comparison *c,
		   const struct print_options *options, double value)
{
	if (is_space(c->options.type) && !options->show_bytes)
		return format_bytes(buffer, value);
	return format_count(buffer, value);
}

char *format_change(char *buffer, const struct comparison *c,
		    const struct print_options *options, double delta)
{
	char text[NUMBER_BYTES];

	format_value(text, c, options, delta);
	snprintf(buffer, NUMBER_BYTES, "%s%.30s", delta > 0 ? "+" : "", text);
	return buffer;
}

static double standard_error_of(const struct change *change)
{
	return standard_error((struct value){0, change->variance});
}

static const char *relation_text(const struct comparison *c)
{
	switch (c->relation) {
	case SAME_PROCESS:
		return c->has_births ? "the same process"
				     : "the same process, without births and "
				       "deaths (prof_accum:false)";
	case OTHER_BUILD:
		return "another build of the program";
	default:
		return "another process";
	}
}

/* ", 30 s apart", where both times are known. */
static void add_distance(const struct comparison *c, struct text *text)
{
	uint64_t before = c->profiles[OLD]->time_ns;
	uint64_t after = c->profiles[NEW]->time_ns;
	char buffer[NUMBER_BYTES];

	if (!before || !after)
		return;
	if (after >= before)
		text_printf(text, ", %s apart",
			    format_duration_ns(buffer, after - before));
	else
		text_printf(text, "; NEW was taken %s before OLD",
			    format_duration_ns(buffer, before - after));
}

static void print_masked(struct text *text, FILE *stream)
{
	struct str s = text_str(text);
	char *line = str_cstring(text->arena, s);

	mask_text(line, s.len);
	fprintf(stream, "%s\n", line);
}

static void print_title(const struct comparison *c, FILE *stream)
{
	struct text text = {.arena = c->arena};
	char old_period[NUMBER_BYTES], new_period[NUMBER_BYTES];
	double periods[SIDES] = {(double)c->profiles[OLD]->period_bytes,
				 (double)c->profiles[NEW]->period_bytes};

	text_printf(&text, "%.*s -> %.*s: %s, %s",
		    STR_ARG(c->profiles[OLD]->source),
		    STR_ARG(c->profiles[NEW]->source),
		    sample_type_names[c->options.type], relation_text(c));
	add_distance(c, &text);
	if (periods[OLD] == periods[NEW] && periods[OLD] > 1)
		text_printf(&text, "; one sample per %s",
			    format_bytes(old_period, periods[OLD]));
	else if (periods[OLD] != periods[NEW])
		text_printf(&text, "; one sample per %s, then per %s",
			    format_bytes(old_period, periods[OLD]),
			    format_bytes(new_period, periods[NEW]));
	print_masked(&text, stream);
}

static void add_cells(struct table *table, const struct comparison *c,
		      const struct print_options *options,
		      const struct change *change)
{
	char b[NUMBER_BYTES];

	table_cellf(table, "%s",
		    format_value(b, c, options, change->value[OLD].total));
	table_cellf(table, "%s",
		    format_value(b, c, options, change->value[NEW].total));
	table_cellf(table, "%s",
		    format_change(b, c, options, change_delta(change)));
	table_cellf(table, "%s",
		    format_value(b, c, options, standard_error_of(change)));
	table_cellf(table, "%s", verdict_names[change->verdict]);
}

/* "leaf < caller < its caller < ..." of the stack that changed most. */
static struct str name_with_callers(const struct comparison *c,
				    const struct diff_row *row)
{
	const struct diff_stack *stack = &c->stacks[row->top];
	struct frames *frames = c->frames[stack->side];
	size_t depth = frames_expand(frames, stack->stack), shown = 0, i;
	struct text text = {.arena = c->arena};
	uint32_t last;

	text_add(&text, row->name);
	if (c->options.cumulative || !depth)
		return text_str(&text);
	last = frames->steps[0].name;
	for (i = 1; i < depth && shown < CALLERS_SHOWN; i++) {
		if (frames->steps[i].name == last)
			continue;
		last = frames->steps[i].name;
		text_printf(&text, " < %.*s",
			    STR_ARG(frames->names.strings[last]));
		shown++;
	}
	if (i < depth)
		text_add(&text, STR(" < ..."));
	return text_str(&text);
}

static void add_empty_cells(struct table *table)
{
	unsigned i;

	for (i = 1; i < TABLE_COLUMNS; i++)
		table_cell(table, (struct str){NULL, 0});
}

/* The leaf on the row's own line, each caller on a line below it. */
static void add_stack(struct table *table, const struct comparison *c,
		      const struct diff_row *row)
{
	const struct diff_stack *stack = &c->stacks[row->top];
	struct frames *frames = c->frames[stack->side];
	size_t depth = frames_expand(frames, stack->stack), i;

	table_cell(table, row->name);
	for (i = 1; i < depth; i++) {
		add_empty_cells(table);
		table_cellf(
			table, "  %.*s",
			STR_ARG(frames->names.strings[frames->steps[i].name]));
	}
}

static void add_heading(struct table *table,
			const struct print_options *options)
{
	table_cell(table, STR("old"));
	table_cell(table, STR("new"));
	table_cell(table, STR("change"));
	table_cell(table, STR("+-"));
	table_cell(table, STR("verdict"));
	table_cell(table, str_of(options->rows));
}

struct counts {
	size_t shown, within_noise, over_limit;
};

static struct counts add_rows(struct table *table, const struct comparison *c,
			      const struct print_options *options)
{
	struct counts counts = {0, 0, 0};
	size_t i;

	for (i = 0; i < c->row_count; i++) {
		const struct diff_row *row = &c->rows[i];

		if (!is_shown(options, &row->change)) {
			counts.within_noise += row->change.verdict == NOISE;
			continue;
		}
		if (options->row_limit && counts.shown == options->row_limit) {
			counts.over_limit++;
			continue;
		}
		counts.shown++;
		add_cells(table, c, options, &row->change);
		if (c->options.kind == ROWS_BY_STACK)
			add_stack(table, c, row);
		else
			table_cell(table, name_with_callers(c, row));
	}
	return counts;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void print_counts(const struct comparison *c, struct counts counts,
			 FILE *stream)
{
	char percent[NUMBER_BYTES];

	if (counts.over_limit)
		fprintf(stream,
			"%zu more row%s; --nodecount=0 shows "
			"all of them\n",
			counts.over_limit, plural(counts.over_limit));
	if (counts.within_noise)
		fprintf(stream,
			"%zu row%s within sampling noise (false discovery rate "
			"%s); --all shows them\n",
			counts.within_noise,
			counts.within_noise == 1 ? " is" : "s are",
			format_percent(percent, c->options.false_discovery_rate,
				       1));
}

/* What stands in the way of a good comparison. */
static void print_cautions(const struct comparison *c, FILE *stream)
{
	double dropped = c->profiles[OLD]->dropped_samples +
			 c->profiles[NEW]->dropped_samples;
	size_t nameless = c->matcher.nameless[OLD] + c->matcher.nameless[NEW];

	if (c->matcher.rebuilt_files)
		fprintf(stream,
			"%zu file%s rebuilt in between: there, stacks are "
			"matched by function names\n",
			c->matcher.rebuilt_files,
			c->matcher.rebuilt_files == 1 ? " was" : "s were");
	if (nameless)
		fprintf(stream,
			"%zu frame%s of rebuilt files without a name cannot be "
			"matched, and count%s as gone and new: keep both "
			"builds, or their debug files\n",
			nameless, plural(nameless), nameless == 1 ? "s" : "");
	if (dropped > 0)
		fprintf(stream,
			"the profiler had no room for %.0f samples: what they "
			"held is missing\n",
			dropped);
}

void print_table(const struct comparison *c,
		 const struct print_options *options, FILE *stream)
{
	static const bool left[TABLE_COLUMNS] = {false, false, false,
						 false, true,  true};
	struct table table = {
		.arena = c->arena, .columns = TABLE_COLUMNS, .left = left};
	struct counts counts;

	print_title(c, stream);
	add_heading(&table, options);
	counts = add_rows(&table, c, options);
	add_cells(&table, c, options, &c->total);
	table_cell(&table, STR("total"));
	table_print(&table, stream);
	print_counts(c, counts, stream);
	print_cautions(c, stream);
}

static void json_side(struct json *json, const char *key,
		      const struct profile *profile)
{
	json_object(json, key);
	json_string(json, "source", profile->source);
	if (profile->pid)
		json_int(json, "pid", profile->pid);
	if (profile->command.len)
		json_string(json, "command", profile->command);
	if (profile->time_ns)
		json_uint(json, "time_ns", profile->time_ns);
	json_uint(json, "period_bytes", profile->period_bytes);
	json_end_object(json);
}

static void json_change(struct json *json, const struct change *change)
{
	json_double(json, "old", change->value[OLD].total);
	json_double(json, "new", change->value[NEW].total);
	json_double(json, "change", change_delta(change));
	json_double(json, "standard_error", standard_error_of(change));
	json_double(json, "old_samples", change->samples[OLD]);
	json_double(json, "new_samples", change->samples[NEW]);
	json_double(json, "p", change->p);
	json_double(json, "q", change->q);
	json_string(json, "verdict", str_of(verdict_names[change->verdict]));
}

static void json_row(struct json *json, const struct comparison *c,
		     const struct diff_row *row)
{
	const struct diff_stack *stack = &c->stacks[row->top];
	struct frames *frames = c->frames[stack->side];
	size_t depth = frames_expand(frames, stack->stack), i;

	json_object(json, NULL);
	json_string(json, "name", row->name);
	json_change(json, &row->change);
	json_array(json, "stack");
	for (i = 0; i < depth; i++)
		json_string(json, NULL,
			    frames->names.strings[frames->steps[i].name]);
	json_end_array(json);
	json_end_object(json);
}

void print_json(const struct comparison *c, const struct print_options *options,
		FILE *stream)
{
	static const char *const relations[] = {
		[SAME_PROCESS] = "same process",
		[OTHER_RUN] = "another process",
		[OTHER_BUILD] = "another build",
	};
	struct json json = {.stream = stream, .indent = 2};
	size_t hidden = 0, shown = 0, i;

	json_object(&json, NULL);
	json_side(&json, "old", c->profiles[OLD]);
	json_side(&json, "new", c->profiles[NEW]);
	json_string(&json, "relation", str_of(relations[c->relation]));
	json_string(&json, "type", str_of(sample_type_names[c->options.type]));
	json_string(&json, "unit", str_of(sample_type_units[c->options.type]));
	json_double(&json, "false_discovery_rate",
		    c->options.false_discovery_rate);
	json_object(&json, "total");
	json_change(&json, &c->total);
	json_end_object(&json);
	json_string(&json, "by", str_of(options->rows));
	json_array(&json, "rows");
	for (i = 0; i < c->row_count; i++) {
		if (!is_shown(options, &c->rows[i].change) ||
		    (options->row_limit && shown == options->row_limit)) {
			hidden++;
			continue;
		}
		shown++;
		json_row(&json, c, &c->rows[i]);
	}
	json_end_array(&json);
	json_uint(&json, "hidden_rows", hidden);
	json_end_object(&json);
}

struct folded {
	struct str stack;
	double total[SIDES];
};

static int compare_folded(const void *left, const void *right)
{
	const struct folded *a = left, *b = right;

	return str_compare(a->stack, b->stack);
}

/* Root first; a ';' or a line's end within a name would break the line. */
static struct str fold_stack(const struct comparison *c,
			     const struct diff_stack *stack,
			     struct arena *arena)
{
	struct frames *frames = c->frames[stack->side];
	size_t i = frames_expand(frames, stack->stack);
	struct text text = {.arena = arena};

	while (i-- > 0) {
		struct str name = frames->names.strings[frames->steps[i].name];
		char *copy = str_cstring(arena, name);
		char *p;

		mask_text(copy, name.len);
		for (p = strchr(copy, ';'); p; p = strchr(p, ';'))
			*p = ':';
		text_add(&text, (struct str){copy, name.len});
		if (i)
			text_add_char(&text, ';');
	}
	return text_str(&text);
}

void print_collapsed(const struct comparison *c, FILE *stream)
{
	struct arena arena = {NULL, NULL, NULL};
	struct intern names = {.arena = &arena};
	struct folded *lines =
		ARENA_ARRAY(&arena, c->stack_count, struct folded);
	size_t i;
	unsigned side;

	for (i = 0; i < c->stack_count; i++) {
		const struct diff_stack *stack = &c->stacks[i];
		uint32_t line = intern(&names, fold_stack(c, stack, &arena));

		lines[line].stack = names.strings[line];
		for (side = OLD; side < SIDES; side++)
			lines[line].total[side] +=
				stack->change.value[side].total;
	}
	if (names.count)
		qsort(lines, names.count, sizeof(*lines), compare_folded);
	for (i = 0; i < names.count; i++)
		fprintf(stream, "%.*s %.0f %.0f\n", STR_ARG(lines[i].stack),
			lines[i].total[OLD], lines[i].total[NEW]);
	arena_free(&arena);
}
