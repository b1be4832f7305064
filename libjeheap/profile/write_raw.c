/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The symbolized text that jeprof --raw stands for: names, then the estimates
 * as an exact "heap profile:", which every reader sums as it is. "# " lines,
 * which only we read, keep threads, sizes and variances (extension.c).
 */
#include "config.h"

#include "libjeheap/profile/write.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "libjeheap/base/diag.h"

struct raw_writer {
	const struct profile *profile;
	struct arena arena;
	FILE *stream;
	size_t *first, *next; /* samples by stack: a list; SIZE_MAX ends it */
};

/* A line's text must have no line end. */
static void put_masked(struct raw_writer *w, struct str s)
{
	char *copy = str_cstring(&w->arena, s);

	mask_text(copy, s.len);
	fputs(copy, w->stream);
}

/* With control characters and backslashes as \xNN (extension.c). */
static void put_escaped(struct raw_writer *w, const char *what, struct str s)
{
	size_t i;

	fputs(what, w->stream);
	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < ' ' || c == 0x7f || c == '\\')
			fprintf(w->stream, "\\x%02x", c);
		else
			fputc(c, w->stream);
	}
	fputc('\n', w->stream);
}

/* With "- -" for the "--" that ends a name. */
static void put_name(struct raw_writer *w, struct str name)
{
	struct arena_mark mark = arena_mark(&w->arena);
	size_t at;

	while ((at = str_find(name, STR("--"))) != SIZE_MAX) {
		put_masked(w, (struct str){name.ptr, at});
		fputs("- -", w->stream);
		name = (struct str){name.ptr + at + 2, name.len - at - 2};
	}
	put_masked(w, name);
	arena_rewind(&w->arena, mark);
}

static void put_symbol(struct raw_writer *w, uint64_t address,
		       const struct location *location)
{
	uint32_t i = location->line_count;

	fprintf(w->stream, "0x%016" PRIx64, address);
	while (i-- > 0) {
		fputs(i + 1 == location->line_count ? " " : "--", w->stream);
		put_name(w, w->profile->functions[location->lines[i].function]
				    .name);
	}
	fputc('\n', w->stream);
}

/*
 * A reader looks up the leaf by its return address, others by what is before
 * it; a location may stand in both places.
 */
static void put_symbols(struct raw_writer *w)
{
	const struct profile *p = w->profile;
	bool *is_leaf = ARENA_ARRAY(&w->arena, p->location_count, bool);
	bool *is_caller = ARENA_ARRAY(&w->arena, p->location_count, bool);
	const struct stack *stack;
	size_t i;
	uint32_t k;

	for (i = 0; i < p->sample_count; i++) {
		stack = &p->stacks[p->samples[i].stack];
		for (k = 0; k < stack->count; k++)
			(k ? is_caller : is_leaf)[p->frames[stack->first + k]] =
				true;
	}
	fputs("--- symbol\n", w->stream);
	if (p->mapping_count) {
		fputs("binary=", w->stream);
		put_masked(w, p->files[p->mappings[0].file].path);
		fputc('\n', w->stream);
	}
	for (i = 0; i < p->location_count; i++) {
		if (is_leaf[i] && p->locations[i].line_count)
			put_symbol(w, p->locations[i].address + 1,
				   &p->locations[i]);
		if (is_caller[i] && p->locations[i].line_count)
			put_symbol(w, p->locations[i].address,
				   &p->locations[i]);
	}
	fputs("---\n", w->stream);
}

/*
 * The format knows no negative counts: of a difference, other readers see what
 * grew; the "# value" lines hold all.
 */
static uint64_t to_count(double value)
{
	if (value >= 9e18)
		return INT64_MAX;
	return value > 0 ? (uint64_t)llround(value) : 0;
}

static void put_counts(struct raw_writer *w, const double *totals)
{
	fprintf(w->stream,
		"%6" PRIu64 ": %8" PRIu64 " [%6" PRIu64 ": %8" PRIu64 "] @",
		to_count(totals[INUSE_OBJECTS]), to_count(totals[INUSE_SPACE]),
		to_count(totals[ALLOC_OBJECTS]), to_count(totals[ALLOC_SPACE]));
}

static void put_thread_of(struct raw_writer *w, const char *what,
			  const struct sample *sample)
{
	if (sample->thread == NONE)
		fprintf(w->stream, "# %s t*:", what);
	else
		fprintf(w->stream, "# %s t%" PRIu64 ":", what,
			w->profile->threads[sample->thread].uid);
}

/* What a difference took away is left out. */
static void put_lives(struct raw_writer *w, const struct sample *sample)
{
	const struct lives *lives = sample->lives;
	unsigned i;

	if (!lives || lives->freed <= 0)
		return;
	put_thread_of(w, "freed", sample);
	fprintf(w->stream, " %" PRIu64 " %" PRIu64 " %" PRIu64,
		sample->block_bytes, to_count(lives->freed),
		to_count(lives->elsewhere));
	for (i = 0; i < LIVES_WORDS; i++)
		if (lives->words[i] > 0)
			fprintf(w->stream, " %u:%" PRIu64, LIVES_LG_MIN + i,
				to_count(lives->words[i]));
	fputc('\n', w->stream);
}

static void put_value(struct raw_writer *w, const struct sample *sample)
{
	unsigned t;

	put_thread_of(w, "value", sample);
	fprintf(w->stream, " %" PRIu64 " %.17g %.17g", sample->block_bytes,
		sample->inuse_samples, sample->alloc_samples);
	for (t = 0; t < SAMPLE_TYPES; t++)
		fprintf(w->stream, " %.17g %.17g", sample->value[t].total,
			sample->value[t].variance);
	fputc('\n', w->stream);
}

static void sort_by_stack(struct raw_writer *w)
{
	const struct profile *p = w->profile;
	size_t i, *first;

	w->first = ARENA_ARRAY(&w->arena, p->stack_count, size_t);
	w->next = ARENA_ARRAY(&w->arena, p->sample_count, size_t);
	memset(w->first, 0xff, p->stack_count * sizeof(*w->first));
	for (i = p->sample_count; i-- > 0;) {
		first = &w->first[p->samples[i].stack];
		w->next[i] = *first;
		*first = i;
	}
}

static void put_stack(struct raw_writer *w, size_t number)
{
	const struct profile *p = w->profile;
	const struct stack *stack = &p->stacks[number];
	double totals[SAMPLE_TYPES] = {0};
	uint32_t k;
	size_t i, t;

	if (w->first[number] == SIZE_MAX)
		return;
	for (i = w->first[number]; i != SIZE_MAX; i = w->next[i])
		for (t = 0; t < SAMPLE_TYPES; t++)
			totals[t] += p->samples[i].value[t].total;
	put_counts(w, totals);
	for (k = 0; k < stack->count; k++)
		fprintf(w->stream, " 0x%016" PRIx64,
			p->locations[p->frames[stack->first + k]].address + 1);
	fputc('\n', w->stream);
	for (i = w->first[number]; i != SIZE_MAX; i = w->next[i]) {
		put_value(w, &p->samples[i]);
		put_lives(w, &p->samples[i]);
	}
}

static void put_thread(struct raw_writer *w, const struct thread_info *thread)
{
	if (!thread->name.len)
		return;
	fprintf(w->stream, "# thread %" PRIu64, thread->uid);
	put_escaped(w, " ", thread->name);
}

static void put_header(struct raw_writer *w)
{
	const struct profile *p = w->profile;
	double totals[SAMPLE_TYPES];
	size_t i;
	unsigned t;

	for (t = 0; t < SAMPLE_TYPES; t++)
		totals[t] = profile_total(p, t).total;
	fputs("--- heap\nheap profile: ", w->stream);
	put_counts(w, totals);
	fputs(" heapprofile\n# jeheap 1\n", w->stream);
	fprintf(w->stream, "# period_bytes %" PRIu64 "\n# exact_sizes %d\n",
		p->period_bytes, p->exact_sizes);
	if (p->time_ns)
		fprintf(w->stream, "# time_ns %" PRIu64 "\n", p->time_ns);
	if (p->start_time_ns)
		fprintf(w->stream, "# start_time_ns %" PRIu64 "\n",
			p->start_time_ns);
	if (p->peak_bytes)
		fprintf(w->stream, "# peak_bytes %" PRIu64 "\n", p->peak_bytes);
	if (p->pid)
		fprintf(w->stream, "# pid %" PRId64 "\n", p->pid);
	if (p->dropped_samples > 0)
		fprintf(w->stream, "# dropped %" PRIu64 " %" PRIu64 "\n",
			to_count(p->dropped_samples),
			to_count(p->dropped_bytes));
	if (p->command.len)
		put_escaped(w, "# command ", p->command);
	for (i = 0; i < p->comment_count; i++)
		put_escaped(w, "# comment ", p->comments[i]);
	for (i = 0; i < p->thread_count; i++)
		put_thread(w, &p->threads[i]);
}

static void put_build_id(struct raw_writer *w, const struct mapping *mapping)
{
	const struct object_file *file = &w->profile->files[mapping->file];
	size_t i;

	if (!file->build_id.len)
		return;
	fprintf(w->stream, "# build_id %" PRIx64 "-%" PRIx64 " ",
		mapping->start, mapping->limit);
	for (i = 0; i < file->build_id.len; i++)
		fprintf(w->stream, "%02x",
			(unsigned char)file->build_id.ptr[i]);
	fputc(' ', w->stream);
	put_masked(w, file->path);
	fputc('\n', w->stream);
}

static void put_maps(struct raw_writer *w)
{
	const struct profile *p = w->profile;
	const struct mapping *m;
	size_t i;

	for (i = 0; i < p->mapping_count; i++)
		put_build_id(w, &p->mappings[i]);
	fputs("\nMAPPED_LIBRARIES:\n", w->stream);
	for (i = 0; i < p->mapping_count; i++) {
		m = &p->mappings[i];
		fprintf(w->stream,
			"%" PRIx64 "-%" PRIx64 " r-xp %08" PRIx64
			" 00:00 0                          ",
			m->start, m->limit, m->offset);
		put_masked(w, p->files[m->file].path);
		fputs(p->files[m->file].deleted ? " (deleted)\n" : "\n",
		      w->stream);
	}
}

void write_raw(const struct profile *profile, FILE *stream)
{
	struct raw_writer w = {.profile = profile, .stream = stream};
	size_t i;

	sort_by_stack(&w);
	put_symbols(&w);
	put_header(&w);
	for (i = 0; i < profile->stack_count; i++)
		put_stack(&w, i);
	put_maps(&w);
	arena_free(&w.arena);
}
