/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks as lines, for flame graph programs: "root;...;leaf value". Lines that
 * read the same are one; they are sorted.
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "libjeheap/report/amount.h"
#include "libjeheap/report/frames.h"

struct collapsed_line {
	struct str stack;
	double total;
};

/* ';' separates frames, a line break lines: a name may hold neither. */
static void add_frame(struct text *text, struct str name)
{
	size_t start = text->len;

	text_add(text, name);
	for (size_t i = start; i < text->len; i++)
		if (text->ptr[i] == ';')
			text->ptr[i] = ':';
	mask_text(text->ptr + start, text->len - start);
}

static struct str stack_text(struct frames *frames, uint32_t stack,
			     struct text *text)
{
	size_t depth = frames_expand(frames, stack);

	text->len = 0;
	for (size_t i = depth; i-- > 0;) {
		if (text->len)
			text_add_char(text, ';');
		add_frame(text, frames->names.strings[frames->steps[i].name]);
	}
	return text_str(text);
}

static int compare_lines(const void *left, const void *right)
{
	const struct collapsed_line *a = left, *b = right;

	return str_compare(a->stack, b->stack);
}

static void print_lines(struct collapsed_line *lines, size_t count,
			FILE *stream)
{
	if (count)
		qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++) {
		double rounded = round(lines[i].total);

		if (rounded != 0)
			fprintf(stream, "%.*s %.0f\n", STR_ARG(lines[i].stack),
				rounded);
	}
}

bool report_collapsed(const struct profile *profile,
		      const struct report_options *options, FILE *stream,
		      struct diag *diag)
{
	struct arena arena = {NULL, NULL, NULL};
	struct frames *frames =
		frames_new(profile, options->granularity, &arena);
	struct intern stacks = {.arena = &arena};
	struct text text = {.arena = &arena};
	struct collapsed_line *lines = NULL;
	size_t count = 0, capacity = 0;

	(void)diag;
	for (size_t i = 0; i < profile->sample_count; i++) {
		const struct sample *sample = &profile->samples[i];
		uint32_t line = intern(
			&stacks, stack_text(frames, sample->stack, &text));

		if (line == count)
			ARENA_PUSH(&arena, lines, count, capacity)->stack =
				stacks.strings[line];
		assert(lines);
		lines[line].total += sample->value[options->type].total;
	}
	print_lines(lines, count, stream);
	arena_free(&arena);
	return true;
}
