/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text dumps: jemalloc's and liballoc's heap_v2, and gperftools' "heap
 * profile:" in its variants. Turns sampled counts into estimates; where only
 * (count, bytes) are there, by the mean size of the stack's blocks.
 *
 * heap_v2 has a line for all threads (t*) and one for each. A stack's estimate
 * is made from t*, as jeprof does, and shared out among the threads in
 * proportion, so that totals with and without threads agree.
 */
#include "config.h"

#include "libjeheap/profile/heap_text.h"

#include <math.h>
#include <stdlib.h>

#include "libjeheap/profile/counts.h"
#include "libjeheap/profile/estimate.h"
#include "libjeheap/profile/read.h"

enum sampling {
	SAMPLING_NONE,	  /* every block was recorded */
	SAMPLING_POISSON, /* heap_v2: 1 - exp(-size / period) */
	SAMPLING_LINEAR,  /* gperftools' first: size / period, at most 1 */
};

/* What gperftools sampled by where its header does not say. */
#define DEFAULT_PERIOD 131072

struct counts {
	uint64_t in_count, in_bytes, alloc_count, alloc_bytes;
};

struct thread_counts {
	uint32_t thread;
	struct counts counts;
};

struct heap_reader {
	struct profile *profile;
	struct cursor *c;
	struct arena scratch;
	enum sampling sampling;
	bool has_spectra; /* each stack so far had its exact sizes */

	/* The stack being read. */
	bool has_stack;
	uint64_t *addresses;
	size_t address_count, address_capacity;
	bool has_total;
	struct counts total;
	struct thread_counts *threads;
	size_t thread_count, thread_capacity;
	struct extension_samples extensions;
};

static bool bad_line(struct heap_reader *r, struct str line, const char *what)
{
	int shown = line.len < 60 ? (int)line.len : 60;

	return cursor_fail_line(r->c,
				"%s: \"%.*s\"; the dump is damaged: take "
				"another",
				what, shown, line.ptr);
}

/* "C: B [AC: AB]", of which the part in brackets may be missing. */
static bool take_counts(struct str *line, struct counts *counts)
{
	*counts = (struct counts){0};
	take_spaces(line);
	if (!take_decimal(line, &counts->in_count) || !take_char(line, ':'))
		return false;
	take_spaces(line);
	if (!take_decimal(line, &counts->in_bytes))
		return false;
	take_spaces(line);
	if (!take_char(line, '['))
		return true;
	take_spaces(line);
	if (!take_decimal(line, &counts->alloc_count) || !take_char(line, ':'))
		return false;
	take_spaces(line);
	if (!take_decimal(line, &counts->alloc_bytes))
		return false;
	take_spaces(line);
	return take_char(line, ']');
}

static bool take_addresses(struct heap_reader *r, struct str line)
{
	struct str whole = line;
	uint64_t address;

	r->address_count = 0;
	for (take_spaces(&line); line.len; take_spaces(&line)) {
		if (!take_hex(&line, &address) ||
		    (line.len && *line.ptr != ' ' && *line.ptr != '\t'))
			return bad_line(r, whole, "an address is expected");
		if (r->address_count == HEAP_TEXT_MAX_FRAMES)
			return bad_line(r, whole, "a stack of too many frames");
		*ARENA_PUSH(&r->scratch, r->addresses, r->address_count,
			    r->address_capacity) = address;
	}
	return true;
}

/* Addresses are return addresses, the leaf's too: the call is before it. */
static uint32_t make_stack(struct heap_reader *r)
{
	struct arena_mark mark = arena_mark(&r->scratch);
	size_t count = r->address_count ? r->address_count : 1, i;
	uint32_t *locations = ARENA_ARRAY(&r->scratch, count, uint32_t);
	uint32_t stack;

	/* A stack that could not be unwound: one frame that is nowhere. */
	if (!r->address_count)
		locations[0] = profile_location(r->profile, 0);
	for (i = 0; i < r->address_count; i++)
		locations[i] = profile_location(
			r->profile, r->addresses[i] - (r->addresses[i] != 0));
	stack = profile_stack(r->profile, locations, count);
	arena_rewind(&r->scratch, mark);
	return stack;
}

/* For gperftools' first sampling: a block of s bytes with p = s / period. */
static struct estimate estimate_linear(double n, double bytes, double period)
{
	struct estimate e = {{n, 0}, {bytes, 0}};
	double size = n > 0 ? bytes / n : 0, p = size / period;

	if (p <= 0 || p >= 1)
		return e;
	e.objects.total = n / p;
	e.bytes.total = bytes / p;
	e.objects.variance = n * (1 - p) / (p * p);
	e.bytes.variance = e.objects.variance * size * size;
	return e;
}

static struct estimate make_estimate(const struct heap_reader *r, uint64_t n,
				     uint64_t bytes)
{
	double period = (double)r->profile->period_bytes;

	if (r->sampling == SAMPLING_NONE)
		period = 1;
	if (r->sampling == SAMPLING_LINEAR)
		return estimate_linear((double)n, (double)bytes, period);
	return estimate_from_samples((double)n, (double)bytes, period);
}

static uint64_t mean_size(const struct counts *counts)
{
	double size = 0;

	if (counts->in_count)
		size = (double)counts->in_bytes / (double)counts->in_count;
	else if (counts->alloc_count)
		size = (double)counts->alloc_bytes /
		       (double)counts->alloc_count;
	return size < 1e18 ? (uint64_t)llround(size) : (uint64_t)1e18;
}

static struct value share(struct value v, double part, double whole)
{
	double factor = whole > 0 ? part / whole : 0;

	return (struct value){v.total * factor, v.variance * factor};
}

/* Adds a thread's part of the stack's estimates, part of whole. */
static void add_part(struct heap_reader *r, uint32_t stack, uint32_t thread,
		     const struct counts *part, const struct counts *whole,
		     const struct estimate *in, const struct estimate *alloc)
{
	struct sample *s;

	if (!part->in_count && !part->in_bytes && !part->alloc_count &&
	    !part->alloc_bytes)
		return;
	s = profile_add_sample(r->profile, stack, thread, mean_size(part));
	s->value[INUSE_OBJECTS] = share(in->objects, (double)part->in_count,
					(double)whole->in_count);
	s->value[INUSE_SPACE] = share(in->bytes, (double)part->in_bytes,
				      (double)whole->in_bytes);
	s->value[ALLOC_OBJECTS] =
		share(alloc->objects, (double)part->alloc_count,
		      (double)whole->alloc_count);
	s->value[ALLOC_SPACE] = share(alloc->bytes, (double)part->alloc_bytes,
				      (double)whole->alloc_bytes);
	s->inuse_samples = (double)part->in_count;
	s->alloc_samples = (double)part->alloc_count;
}

static bool add_counts(struct counts *sum, const struct counts *more)
{
	return !__builtin_add_overflow(sum->in_count, more->in_count,
				       &sum->in_count) &&
	       !__builtin_add_overflow(sum->in_bytes, more->in_bytes,
				       &sum->in_bytes) &&
	       !__builtin_add_overflow(sum->alloc_count, more->alloc_count,
				       &sum->alloc_count) &&
	       !__builtin_add_overflow(sum->alloc_bytes, more->alloc_bytes,
				       &sum->alloc_bytes);
}

/* Have the threads all that the total has a kind of? Else it is lost. */
static bool covers(const struct counts *threads, const struct counts *total)
{
	return (threads->in_count || !total->in_count) &&
	       (threads->in_bytes || !total->in_bytes) &&
	       (threads->alloc_count || !total->alloc_count) &&
	       (threads->alloc_bytes || !total->alloc_bytes);
}

static bool finish_counts(struct heap_reader *r, uint32_t stack)
{
	struct counts sum = {0};
	struct estimate in, alloc;
	size_t i;

	for (i = 0; i < r->thread_count; i++)
		if (!add_counts(&sum, &r->threads[i].counts))
			return cursor_fail_line(
				r->c, "the counts of the stack above do not "
				      "fit in 64 bits; the dump is damaged: "
				      "take another");
	if (!r->has_total)
		r->total = sum;
	in = make_estimate(r, r->total.in_count, r->total.in_bytes);
	alloc = make_estimate(r, r->total.alloc_count, r->total.alloc_bytes);
	if (!r->thread_count || !covers(&sum, &r->total)) {
		add_part(r, stack, NONE, &r->total, &r->total, &in, &alloc);
		return true;
	}
	for (i = 0; i < r->thread_count; i++)
		add_part(r, stack, r->threads[i].thread, &r->threads[i].counts,
			 &sum, &in, &alloc);
	return true;
}

/* True sample counts of one size: each is an estimate of its own. */
static void add_extension(struct heap_reader *r, uint32_t stack,
			  const struct extension_sample *row)
{
	struct sampled_counts counts = {
		.inuse_count = row->in_count,
		.inuse_bytes = row->in_bytes,
		.alloc_count = row->alloc_count,
		.alloc_bytes = row->alloc_bytes,
		.inuse_squares = row->in_squares,
		.alloc_squares = row->alloc_squares,
		.lives = row->lives,
	};
	double period = row->period_bytes > 0
				? row->period_bytes
				: (double)r->profile->period_bytes;
	struct sample *s;

	if (!row->is_estimate) {
		profile_add_counts(r->profile, stack, row->thread, &counts,
				   r->sampling == SAMPLING_POISSON ? period
								   : 1);
		return;
	}
	s = profile_add_sample(r->profile, stack, row->thread,
			       row->block_bytes);
	memcpy(s->value, row->value.value, sizeof(s->value));
	s->inuse_samples = row->value.inuse_samples;
	s->alloc_samples = row->value.alloc_samples;
	if (row->lives)
		s->lives = arena_copy(r->profile->arena, row->lives,
				      sizeof(*row->lives));
}

static bool is_zero(const struct counts *counts)
{
	static const struct counts zero;

	return !memcmp(counts, &zero, sizeof(zero));
}

static bool finish_stack(struct heap_reader *r)
{
	bool good = true;
	uint32_t stack;
	size_t i;

	if (!r->has_stack)
		return true;
	r->has_stack = false;
	if (r->extensions.count) {
		stack = make_stack(r);
		for (i = 0; i < r->extensions.count; i++)
			add_extension(r, stack, &r->extensions.rows[i]);
	} else if (!is_zero(&r->total) || r->thread_count) {
		stack = make_stack(r);
		r->has_spectra = false;
		good = finish_counts(r, stack);
	}
	r->has_total = false;
	r->total = (struct counts){0};
	r->thread_count = 0;
	r->extensions.count = r->extensions.line = 0;
	return good;
}

/* "t*: ..." or "t<uid>: ... name", of the whole dump or of a stack. */
static bool thread_line(struct heap_reader *r, struct str line)
{
	struct str whole = line;
	struct thread_counts *row;
	struct counts counts;
	uint64_t uid = 0;
	uint32_t thread = NONE;
	bool all = take_literal(&line, "t*:");

	if (!all && (!take_char(&line, 't') || !take_decimal(&line, &uid) ||
		     !take_char(&line, ':')))
		return bad_line(r, whole, "neither a stack nor a count");
	if (!take_counts(&line, &counts) || (all && line.len))
		return bad_line(r, whole, "counts are expected");
	if (counts.alloc_count)
		r->profile->has_alloc = true;
	if (!all)
		thread = profile_thread(r->profile, uid, str_trim(line));
	if (!r->has_stack)
		return true;
	if (all) {
		r->has_total = true;
		return add_counts(&r->total, &counts) ||
		       bad_line(r, whole, "counts of more than 64 bits");
	}
	row = ARENA_PUSH(&r->scratch, r->threads, r->thread_count,
			 r->thread_capacity);
	*row = (struct thread_counts){thread, counts};
	return true;
}

/* "C: B [AC: AB] @ ADDRESSES" */
static bool record_line(struct heap_reader *r, struct str line)
{
	struct str whole = line;
	struct counts counts;

	if (!take_counts(&line, &counts))
		return bad_line(r, whole, "neither a stack nor a count");
	take_spaces(&line);
	if (!take_char(&line, '@'))
		return bad_line(r, whole, "a record has no stack");
	if (!finish_stack(r) || !take_addresses(r, line))
		return false;
	r->has_stack = true;
	r->total = counts;
	r->has_total = true;
	if (counts.alloc_count)
		r->profile->has_alloc = true;
	return true;
}

static bool take_line(struct heap_reader *r, struct str line)
{
	if (take_literal(&line, "# "))
		return extension_line(r->profile, line, &r->extensions) ||
		       bad_line(r, line, "an extension line is malformed");
	take_spaces(&line);
	line = str_trim(line);
	if (line.len == 0 || *line.ptr == '#')
		return true;
	if (take_char(&line, '@')) {
		if (!finish_stack(r) || !take_addresses(r, line))
			return false;
		r->has_stack = true;
		return true;
	}
	if (*line.ptr == 't')
		return thread_line(r, line);
	return record_line(r, line);
}

/* "heap_v2/PERIOD" */
static bool v2_header(struct heap_reader *r, struct str line)
{
	struct str whole = line;

	r->sampling = SAMPLING_POISSON;
	if (!take_literal(&line, "heap_v2/") ||
	    !take_decimal(&line, &r->profile->period_bytes) || line.len ||
	    !r->profile->period_bytes)
		return bad_line(r, whole, "heap_v2/PERIOD is expected");
	return true;
}

/* What stands behind the '@' of a "heap profile:" line. */
static void sampling_of_type(struct heap_reader *r, struct str type)
{
	uint64_t period = 0;
	struct str rest, name = str_split(type, '/', &rest);

	if (!take_decimal(&rest, &period) || !period)
		period = DEFAULT_PERIOD;
	else if (str_find(name, STR("_v2")) == SIZE_MAX)
		period = period > 1 ? period / 2 : 1;
	if (str_equal(name, STR("heapprofile")) ||
	    str_find(name, STR("heap")) == SIZE_MAX)
		return;
	r->sampling = SAMPLING_LINEAR;
	if (str_find(name, STR("_v2")) != SIZE_MAX)
		r->sampling = SAMPLING_POISSON;
	r->profile->period_bytes = period;
}

/* "heap profile: C: B [AC: AB] @ TYPE" */
static bool legacy_header(struct heap_reader *r, struct str line)
{
	struct str whole = line;
	struct counts counts;

	take_literal(&line, "heap profile:");
	if (!take_counts(&line, &counts))
		return bad_line(r, whole, "counts are expected");
	take_spaces(&line);
	if (take_char(&line, '@') && str_trim(line).len) {
		sampling_of_type(r, str_trim(line));
	} else if (counts.in_count == counts.alloc_count &&
		   counts.in_bytes == counts.alloc_bytes) {
		/* The oldest, which named no type, were sampled ones. */
		r->sampling = SAMPLING_LINEAR;
		r->profile->period_bytes = DEFAULT_PERIOD;
	}
	r->profile->exact_sizes = r->sampling == SAMPLING_NONE;
	return true;
}

/* Where a line begins with the marker; SIZE_MAX: nowhere. */
static size_t find_line(struct str text, struct str marker)
{
	size_t from = 0, at;

	for (;;) {
		at = str_find((struct str){text.ptr + from, text.len - from},
			      marker);
		if (at == SIZE_MAX)
			return SIZE_MAX;
		at += from;
		if (at == 0 || text.ptr[at - 1] == '\n')
			return at;
		from = at + 1;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct mapped_build_id *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static size_t collect_build_ids(struct heap_reader *r, struct str text,
				struct mapped_build_id **ids)
{
	size_t count = 0, capacity = 0, at;
	struct mapped_build_id id;
	struct str line;

	*ids = NULL;
	while ((at = find_line(text, STR("# build_id "))) != SIZE_MAX) {
		text = (struct str){text.ptr + at, text.len - at};
		line = str_trim(str_split(text, '\n', &text));
		if (extension_build_id(&r->scratch, line, &id))
			*ARENA_PUSH(&r->scratch, *ids, count, capacity) = id;
	}
	if (count)
		qsort(*ids, count, sizeof(**ids), by_start);
	return count;
}

/*
 * The maps end the dump, but are needed before its addresses: reads them, and
 * cuts them off the cursor.
 */
static bool take_maps(struct heap_reader *r, bool required)
{
	struct str text = {(const char *)r->c->next, cursor_left(r->c)};
	size_t at = find_line(text, STR("MAPPED_LIBRARIES:"));
	struct mapped_build_id *ids;
	struct str maps;
	size_t id_count;

	if (at == SIZE_MAX)
		at = find_line(text, STR("--- Memory map:"));
	if (at == SIZE_MAX)
		return !required ||
		       diag_set(r->c->diag,
				"%s: ends without MAPPED_LIBRARIES: the dump "
				"is truncated (its writer was killed, or the "
				"disk is full); take another",
				r->c->name);
	maps = (struct str){text.ptr + at, text.len - at};
	if (required && maps.ptr[maps.len - 1] != '\n')
		return diag_set(r->c->diag,
				"%s: ends within a line of MAPPED_LIBRARIES: "
				"the dump is truncated; take another",
				r->c->name);
	id_count = collect_build_ids(r, (struct str){text.ptr, at}, &ids);
	str_split(maps, '\n', &maps);
	read_maps(r->profile, maps, ids, id_count);
	r->c->end = r->c->next + at;
	return true;
}

bool heap_text_header(struct profile *profile, struct cursor *c,
		      struct str *line)
{
	while (cursor_line(c, line)) {
		if (!line->len || *line->ptr != '%')
			return true;
		profile_comment(profile, *line);
	}
	return false;
}

static bool parse(struct heap_reader *r, bool maps_required)
{
	struct str line;
	bool v2;

	if (!heap_text_header(r->profile, r->c, &line))
		return diag_set(r->c->diag, "%s: is empty", r->c->name);
	v2 = str_starts_with(line, STR("heap_v2/"));
	if (!v2 && !str_starts_with(line, STR("heap profile:")))
		return bad_line(r, line,
				"the header of a heap profile is "
				"expected");
	if (!(v2 ? v2_header(r, line) : legacy_header(r, line)) ||
	    !take_maps(r, v2 && maps_required))
		return false;
	while (cursor_line(r->c, &line))
		if (!take_line(r, line))
			return false;
	if (!finish_stack(r))
		return false;
	profile_order_samples(r->profile);
	return true;
}

bool heap_text_parse(struct profile *profile, struct cursor *c,
		     bool maps_required)
{
	struct heap_reader reader = {
		.profile = profile, .c = c, .has_spectra = true};
	bool good;

	reader.extensions.arena = &reader.scratch;
	good = parse(&reader, maps_required) && !c->failed;
	arena_free(&reader.scratch);
	if (reader.sampling == SAMPLING_POISSON)
		profile->exact_sizes = reader.has_spectra;
	return good;
}

struct profile *read_heap_text(struct str content, const char *name,
			       struct diag *diag)
{
	struct profile *profile = profile_new();
	struct cursor c = cursor_over(content.ptr, content.len, name, diag);

	profile->source = str_copy(profile->arena, str_of(name));
	if (heap_text_parse(profile, &c, true))
		return profile;
	profile_free(profile);
	return NULL;
}
