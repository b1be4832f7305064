/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pprof's profile.proto, gzip. Holds only what the samples use. The same
 * profile gives the same bytes.
 */
#include "config.h"

#include "libjeheap/profile/write.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <zlib.h>

#include "libjeheap/profile/index.h"
#include "libjeheap/profile/protobuf.h"

const char *const mean_sizes_comment =
	"block sizes (label bytes) are means over a stack";

const char *const process_comment = "process (pid, start in ns): ";

/* What the locations of a mapping have. */
struct mapping_use {
	bool used, has_functions, has_filenames, has_lines, has_inlines;
};

struct pprof_writer {
	const struct profile *profile;
	struct arena arena, scratch;
	struct arena_mark between; /* of scratch, between two messages */
	struct text out;
	struct intern strings;
	bool *locations, *functions; /* used? */
	struct mapping_use *mappings;
};

static uint64_t string_number(struct pprof_writer *w, struct str s)
{
	return intern(&w->strings, s);
}

static struct text new_message(struct pprof_writer *w)
{
	return (struct text){.arena = &w->scratch};
}

/* Appends the message, and forgets it. */
static void put_message(struct pprof_writer *w, struct text *out,
			uint32_t number, struct text *message)
{
	proto_put_element(out, number, text_str(message));
	if (out == &w->out)
		arena_rewind(&w->scratch, w->between);
}

static void put_value_type(struct pprof_writer *w, uint32_t number,
			   const char *type, const char *unit)
{
	struct text message = new_message(w);

	proto_put_uint(&message, 1, string_number(w, str_of(type)));
	proto_put_uint(&message, 2, string_number(w, str_of(unit)));
	put_message(w, &w->out, number, &message);
}

static void mark_location(struct pprof_writer *w, uint32_t number)
{
	const struct location *location = &w->profile->locations[number];
	struct mapping_use nowhere = {0}, *use = &nowhere;
	const struct line *line;
	uint32_t i;

	w->locations[number] = true;
	if (location->mapping != NONE)
		use = &w->mappings[location->mapping];
	use->used = true;
	for (i = 0; i < location->line_count; i++) {
		line = &location->lines[i];
		w->functions[line->function] = true;
		use->has_functions = true;
		use->has_filenames |=
			w->profile->functions[line->function].filename.len != 0;
		use->has_lines |= line->line != 0;
		use->has_inlines |= i > 0;
	}
}

static void mark_used(struct pprof_writer *w)
{
	const struct profile *p = w->profile;
	const struct stack *stack;
	size_t i;
	uint32_t k;

	w->locations = ARENA_ARRAY(&w->arena, p->location_count, bool);
	w->functions = ARENA_ARRAY(&w->arena, p->function_count, bool);
	w->mappings =
		ARENA_ARRAY(&w->arena, p->mapping_count, struct mapping_use);
	/* The first is what viewers take for the program. */
	if (p->mapping_count)
		w->mappings[0].used = true;
	for (i = 0; i < p->sample_count; i++) {
		stack = &p->stacks[p->samples[i].stack];
		for (k = 0; k < stack->count; k++)
			mark_location(w, p->frames[stack->first + k]);
	}
}

static int by_key(const void *a, const void *b)
{
	const struct sample *x = *(const struct sample *const *)a;
	const struct sample *y = *(const struct sample *const *)b;

	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->block_bytes != y->block_bytes)
		return x->block_bytes < y->block_bytes ? -1 : 1;
	/* Their order in the profile, so that sums are the same each time. */
	return (x > y) - (x < y);
}

static bool same_key(const struct sample *a, const struct sample *b)
{
	return a->stack == b->stack && a->thread == b->thread &&
	       a->block_bytes == b->block_bytes;
}

static uint64_t to_integer(double value)
{
	if (!(fabs(value) < 9e18))
		return (uint64_t)(value < 0 ? INT64_MIN : INT64_MAX);
	return (uint64_t)llround(value);
}

static void put_label(struct pprof_writer *w, struct text *sample,
		      const char *key, struct str text, uint64_t number,
		      const char *unit)
{
	struct text label = new_message(w);

	proto_put_uint(&label, 1, string_number(w, str_of(key)));
	proto_put_uint(&label, 2, string_number(w, text));
	proto_put_uint(&label, 3, number);
	if (unit)
		proto_put_uint(&label, 4, string_number(w, str_of(unit)));
	put_message(w, sample, 3, &label);
}

/* Text, since readers take a number of 0 for no label. */
static void put_labels(struct pprof_writer *w, struct text *message,
		       const struct sample *sample)
{
	const struct thread_info *thread;
	struct text name = new_message(w);

	if (sample->block_bytes)
		put_label(w, message, "bytes", (struct str){0},
			  sample->block_bytes, "bytes");
	if (sample->thread == NONE)
		return;
	thread = &w->profile->threads[sample->thread];
	text_printf(&name, "%" PRIu64 "%s", thread->uid,
		    thread->name.len ? " " : "");
	text_add(&name, thread->name);
	put_label(w, message, "thread", text_str(&name), 0, NULL);
}

static void put_sample(struct pprof_writer *w, const struct sample *sample,
		       const double *totals)
{
	const struct stack *stack = &w->profile->stacks[sample->stack];
	struct text message = new_message(w), ids = message, values = message;
	uint32_t i;

	for (i = 0; i < stack->count; i++)
		proto_put_varint(&ids,
				 w->profile->frames[stack->first + i] + 1);
	for (i = 0; i < SAMPLE_TYPES; i++)
		proto_put_varint(&values, to_integer(totals[i]));
	proto_put_bytes(&message, 1, text_str(&ids));
	proto_put_bytes(&message, 2, text_str(&values));
	put_labels(w, &message, sample);
	put_message(w, &w->out, PPROF_SAMPLE, &message);
}

/* Samples of one stack, thread and size become one. */
static void put_samples(struct pprof_writer *w)
{
	size_t count = w->profile->sample_count, i, t;
	const struct sample **sorted =
		arena_array(&w->arena, count, sizeof(*sorted));
	double totals[SAMPLE_TYPES] = {0};

	for (i = 0; i < count; i++)
		sorted[i] = &w->profile->samples[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), by_key);
	for (i = 0; i < count; i++) {
		for (t = 0; t < SAMPLE_TYPES; t++)
			totals[t] += sorted[i]->value[t].total;
		if (i + 1 < count && same_key(sorted[i], sorted[i + 1]))
			continue;
		put_sample(w, sorted[i], totals);
		memset(totals, 0, sizeof(totals));
	}
}

/* As hex, unless it is text already, like Go's own. */
static struct str build_id_text(struct pprof_writer *w, struct str id)
{
	struct text hex = {.arena = &w->arena};
	size_t i, printable = 0;

	for (i = 0; i < id.len; i++)
		printable += id.ptr[i] > ' ' && id.ptr[i] < 0x7f;
	if (printable == id.len)
		return id;
	for (i = 0; i < id.len; i++)
		text_printf(&hex, "%02x", (unsigned char)id.ptr[i]);
	return text_str(&hex);
}

static void put_mapping(struct pprof_writer *w, size_t number)
{
	const struct mapping *mapping = &w->profile->mappings[number];
	const struct object_file *file = &w->profile->files[mapping->file];
	const struct mapping_use *use = &w->mappings[number];
	struct text message = new_message(w);
	struct text path = {.arena = &w->arena};

	text_add(&path, file->path);
	if (file->deleted)
		text_add(&path, STR(" (deleted)"));
	proto_put_uint(&message, 1, number + 1);
	proto_put_uint(&message, 2, mapping->start);
	proto_put_uint(&message, 3, mapping->limit);
	proto_put_uint(&message, 4, mapping->offset);
	proto_put_uint(&message, 5, string_number(w, text_str(&path)));
	proto_put_uint(&message, 6,
		       string_number(w, build_id_text(w, file->build_id)));
	proto_put_uint(&message, 7, use->has_functions);
	proto_put_uint(&message, 8, use->has_filenames);
	proto_put_uint(&message, 9, use->has_lines);
	proto_put_uint(&message, 10, use->has_inlines);
	put_message(w, &w->out, PPROF_MAPPING, &message);
}

static void put_location(struct pprof_writer *w, size_t number)
{
	const struct location *location = &w->profile->locations[number];
	struct text message = new_message(w);
	uint32_t i;

	proto_put_uint(&message, 1, number + 1);
	if (location->mapping != NONE)
		proto_put_uint(&message, 2, (uint64_t)location->mapping + 1);
	proto_put_uint(&message, 3, location->address);
	for (i = 0; i < location->line_count; i++) {
		const struct line *line = &location->lines[i];
		struct text inner = new_message(w);

		proto_put_uint(&inner, 1, (uint64_t)line->function + 1);
		proto_put_uint(&inner, 2, line->line);
		proto_put_uint(&inner, 3, line->column);
		put_message(w, &message, 4, &inner);
	}
	put_message(w, &w->out, PPROF_LOCATION, &message);
}

static void put_function(struct pprof_writer *w, size_t number)
{
	const struct function *function = &w->profile->functions[number];
	struct str system_name = function->system_name;
	struct text message = new_message(w);

	if (!system_name.len)
		system_name = function->name;
	proto_put_uint(&message, 1, number + 1);
	proto_put_uint(&message, 2, string_number(w, function->name));
	proto_put_uint(&message, 3, string_number(w, system_name));
	proto_put_uint(&message, 4, string_number(w, function->filename));
	proto_put_uint(&message, 5, function->start_line);
	put_message(w, &w->out, PPROF_FUNCTION, &message);
}

static void put_places(struct pprof_writer *w)
{
	size_t i;

	for (i = 0; i < w->profile->mapping_count; i++)
		if (w->mappings[i].used)
			put_mapping(w, i);
	for (i = 0; i < w->profile->location_count; i++)
		if (w->locations[i])
			put_location(w, i);
	for (i = 0; i < w->profile->function_count; i++)
		if (w->functions[i])
			put_function(w, i);
}

static void put_comments(struct pprof_writer *w)
{
	struct text ids = {.arena = &w->arena};
	struct text command = {.arena = &w->arena};
	struct text process = {.arena = &w->arena};
	size_t i;

	for (i = 0; i < w->profile->comment_count; i++)
		proto_put_varint(&ids,
				 string_number(w, w->profile->comments[i]));
	if (!w->profile->exact_sizes)
		proto_put_varint(&ids,
				 string_number(w, str_of(mean_sizes_comment)));
	if (w->profile->pid && w->profile->start_time_ns) {
		text_printf(&process, "%s%" PRId64 " %" PRIu64, process_comment,
			    w->profile->pid, w->profile->start_time_ns);
		proto_put_varint(&ids, string_number(w, text_str(&process)));
	}
	if (w->profile->command.len) {
		text_add(&command, STR("command: "));
		text_add(&command, w->profile->command);
		proto_put_varint(&ids, string_number(w, text_str(&command)));
	}
	proto_put_bytes(&w->out, PPROF_COMMENT, text_str(&ids));
}

static void put_profile(struct pprof_writer *w)
{
	const struct profile *p = w->profile;
	size_t i;

	/* Keeps a block, rather than one made anew for each message. */
	arena_alloc(&w->scratch, 1);
	w->between = arena_mark(&w->scratch);
	string_number(w, STR(""));
	mark_used(w);
	for (i = 0; i < SAMPLE_TYPES; i++)
		put_value_type(w, PPROF_SAMPLE_TYPE, sample_type_names[i],
			       sample_type_units[i]);
	put_samples(w);
	put_places(w);
	proto_put_uint(&w->out, PPROF_TIME_NANOS, p->time_ns);
	proto_put_uint(&w->out, PPROF_DURATION_NANOS, p->duration_ns);
	put_value_type(w, PPROF_PERIOD_TYPE, "space", "bytes");
	proto_put_uint(&w->out, PPROF_PERIOD, p->period_bytes);
	put_comments(w);
	proto_put_uint(
		&w->out, PPROF_DEFAULT_SAMPLE_TYPE,
		string_number(w, str_of(sample_type_names[INUSE_SPACE])));
	for (i = 0; i < w->strings.count; i++)
		proto_put_element(&w->out, PPROF_STRING_TABLE,
				  w->strings.strings[i]);
}

static void write_gzip(struct str data, FILE *stream)
{
	z_stream z = {0};
	unsigned char packed[65536];
	int status = Z_OK;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		out_of_memory();
	z.next_in = (z_const Bytef *)(uintptr_t)data.ptr;
	while (status != Z_STREAM_END) {
		/* avail_in holds 32 bits. */
		size_t left = data.len - z.total_in;

		z.avail_in = left < (1u << 30) ? (uInt)left : 1u << 30;
		z.next_out = packed;
		z.avail_out = sizeof(packed);
		status =
			deflate(&z, left <= (1u << 30) ? Z_FINISH : Z_NO_FLUSH);
		fwrite(packed, 1, sizeof(packed) - z.avail_out, stream);
	}
	deflateEnd(&z);
}

void write_pprof(const struct profile *profile, FILE *stream)
{
	struct pprof_writer w = {.profile = profile};

	w.out.arena = w.strings.arena = &w.arena;
	put_profile(&w);
	write_gzip(text_str(&w.out), stream);
	arena_free(&w.scratch);
	arena_free(&w.arena);
}
