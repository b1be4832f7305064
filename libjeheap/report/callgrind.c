/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callgrind's format, for kcachegrind: costs by source line, and calls with
 * their inclusive cost. Source: valgrind.org, "Callgrind Format
 * Specification". It knows no negative cost, so it cannot show a difference.
 *
 * A call between two lines counts once a stack, and a function's call of
 * itself is left out, so that recursion does not multiply costs.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "libjeheap/report/amount.h"
#include "libjeheap/report/frames.h"

/* A function's line: indices of interned names, and the line's number. */
struct place {
	uint32_t function, file, object, line;
};

struct costs {
	double amount[SAMPLE_TYPES];
};

struct call {
	uint32_t caller, callee; /* places */
};

struct callgrind {
	const struct profile *profile;
	enum sample_type events[SAMPLE_TYPES];
	size_t event_count;
	struct arena *arena;
	FILE *stream;
	struct intern functions, files, objects; /* names */
	bool *printed_function, *printed_file, *printed_object;
	struct intern places; /* struct place */
	struct costs *self;   /* by place */
	size_t self_count, self_capacity;
	struct intern calls; /* struct call */
	struct costs *inclusive;
	uint64_t *seen; /* by call: 1 + the sample that last made it */
	size_t call_count, call_capacity, seen_capacity;
};

static struct place place_at(const struct callgrind *c, uint32_t index)
{
	struct place place;

	memcpy(&place, c->places.strings[index].ptr, sizeof(place));
	return place;
}

static struct call call_at(const struct callgrind *c, uint32_t index)
{
	struct call call;

	memcpy(&call, c->calls.strings[index].ptr, sizeof(call));
	return call;
}

static uint32_t object_of(struct callgrind *c, const struct location *location)
{
	if (location->file == NONE)
		return intern(&c->objects, STR("[unknown]"));
	return intern(&c->objects, c->profile->files[location->file].path);
}

static uint32_t place_of(struct callgrind *c, uint32_t l, uint32_t line)
{
	const struct location *location = &c->profile->locations[l];
	struct arena scratch = {NULL, NULL, NULL};
	struct str name =
		frame_name(c->profile, l, line, BY_FUNCTION, &scratch);
	struct str file = {NULL, 0};
	struct place place = {.function = intern(&c->functions, name),
			      .object = object_of(c, location)};
	uint32_t index;

	if (line < location->line_count) {
		const struct line *at = &location->lines[line];

		file = c->profile->functions[at->function].filename;
		place.line = at->line;
	}
	place.file = intern(&c->files, file.len ? file : STR("???"));
	index = intern(&c->places,
		       (struct str){(const char *)&place, sizeof(place)});
	if (index == c->self_count)
		ARENA_PUSH(c->arena, c->self, c->self_count, c->self_capacity);
	arena_free(&scratch);
	return index;
}

static void add_costs(struct costs *costs, const struct sample *sample)
{
	for (int i = 0; i < SAMPLE_TYPES; i++)
		costs->amount[i] += sample->value[i].total;
}

static void add_call(struct callgrind *c, size_t index, uint32_t caller,
		     uint32_t callee)
{
	struct call call = {caller, callee};
	uint32_t i;
	size_t seen_count = c->call_count;

	if (place_at(c, caller).function == place_at(c, callee).function)
		return;
	i = intern(&c->calls, (struct str){(const char *)&call, sizeof(call)});
	if (i == c->call_count) {
		*ARENA_PUSH(c->arena, c->seen, seen_count, c->seen_capacity) =
			0;
		ARENA_PUSH(c->arena, c->inclusive, c->call_count,
			   c->call_capacity);
	}
	if (c->seen[i] == index + 1)
		return;
	c->seen[i] = index + 1;
	add_costs(&c->inclusive[i], &c->profile->samples[index]);
}

/* places: of each location's lines, from first[location] on. */
static void add_sample(struct callgrind *c, size_t index,
		       const uint32_t *places, const size_t *first)
{
	const struct profile *profile = c->profile;
	const struct sample *sample = &profile->samples[index];
	const struct stack *stack = &profile->stacks[sample->stack];
	uint32_t callee = NONE;

	for (uint32_t i = 0; i < stack->count; i++) {
		uint32_t l = profile->frames[stack->first + i];
		uint32_t steps = location_steps(&profile->locations[l]);

		for (uint32_t j = 0; j < steps; j++) {
			uint32_t place = places[first[l] + j];

			if (callee == NONE)
				add_costs(&c->self[place], sample);
			else
				add_call(c, index, place, callee);
			callee = place;
		}
	}
}

static void add_samples(struct callgrind *c)
{
	const struct profile *profile = c->profile;
	size_t *first = ARENA_ARRAY(c->arena, profile->location_count, size_t);
	uint32_t *places;
	size_t steps = 0;

	for (size_t i = 0; i < profile->location_count; i++) {
		first[i] = steps;
		steps += location_steps(&profile->locations[i]);
	}
	places = ARENA_ARRAY(c->arena, steps, uint32_t);
	for (size_t i = 0; i < profile->location_count; i++)
		for (uint32_t j = 0; j < location_steps(&profile->locations[i]);
		     j++)
			places[first[i] + j] = place_of(c, (uint32_t)i, j);
	for (size_t i = 0; i < profile->sample_count; i++)
		add_sample(c, i, places, first);
}

/* "fn=(3) name" the first time, "fn=(3)" from then on. */
static void put_name(const struct callgrind *c, const char *key,
		     const struct intern *names, bool *printed, uint32_t index)
{
	struct str name = names->strings[index];
	char *text;

	fprintf(c->stream, "%s=(%u)", key, index + 1);
	if (!printed[index]) {
		text = str_cstring(c->arena, name);
		mask_text(text, name.len);
		fprintf(c->stream, " %s", text);
	}
	printed[index] = true;
	fputc('\n', c->stream);
}

static void put_costs(const struct callgrind *c, uint32_t line,
		      const struct costs *costs)
{
	fprintf(c->stream, "%u", line);
	for (size_t i = 0; i < c->event_count; i++)
		fprintf(c->stream, " %.0f", round(costs->amount[c->events[i]]));
	fputc('\n', c->stream);
}

static void put_call(const struct callgrind *c, uint32_t index)
{
	struct call call = call_at(c, index);
	struct place caller = place_at(c, call.caller);
	struct place callee = place_at(c, call.callee);
	const struct costs *costs = &c->inclusive[index];
	double count = c->profile->has_alloc ? costs->amount[ALLOC_OBJECTS]
					     : costs->amount[INUSE_OBJECTS];

	if (callee.object != caller.object)
		put_name(c, "cob", &c->objects, c->printed_object,
			 callee.object);
	if (callee.file != caller.file)
		put_name(c, "cfi", &c->files, c->printed_file, callee.file);
	put_name(c, "cfn", &c->functions, c->printed_function, callee.function);
	fprintf(c->stream, "calls=%.0f %u\n", fmax(1, round(count)),
		callee.line);
	put_costs(c, caller.line, costs);
}

/* Calls by their caller: indices in the order of places. */
struct by_caller {
	uint32_t caller, call;
};

static int compare_callers(const void *left, const void *right)
{
	const struct by_caller *a = left, *b = right;

	if (a->caller != b->caller)
		return a->caller < b->caller ? -1 : 1;
	return (a->call > b->call) - (a->call < b->call);
}

static struct by_caller *calls_by_caller(const struct callgrind *c)
{
	struct by_caller *order =
		ARENA_ARRAY(c->arena, c->call_count + 1, struct by_caller);

	for (size_t i = 0; i < c->call_count; i++)
		order[i] = (struct by_caller){call_at(c, (uint32_t)i).caller,
					      (uint32_t)i};
	order[c->call_count].caller = NONE;
	qsort(order, c->call_count, sizeof(*order), compare_callers);
	return order;
}

static void put_places(struct callgrind *c)
{
	const struct by_caller *next = calls_by_caller(c);

	c->printed_function = ARENA_ARRAY(c->arena, c->functions.count, bool);
	c->printed_file = ARENA_ARRAY(c->arena, c->files.count, bool);
	c->printed_object = ARENA_ARRAY(c->arena, c->objects.count, bool);
	for (uint32_t i = 0; i < c->self_count; i++) {
		struct place place = place_at(c, i);

		fputc('\n', c->stream);
		put_name(c, "ob", &c->objects, c->printed_object, place.object);
		put_name(c, "fl", &c->files, c->printed_file, place.file);
		put_name(c, "fn", &c->functions, c->printed_function,
			 place.function);
		put_costs(c, place.line, &c->self[i]);
		for (; next->caller == i; next++)
			put_call(c, next->call);
	}
}

static void choose_events(struct callgrind *c, enum sample_type type)
{
	static const enum sample_type order[] = {INUSE_SPACE, INUSE_OBJECTS,
						 ALLOC_SPACE, ALLOC_OBJECTS};

	c->events[c->event_count++] = type;
	for (size_t i = 0; i < SAMPLE_TYPES; i++)
		if (order[i] != type &&
		    (c->profile->has_alloc || order[i] == INUSE_SPACE ||
		     order[i] == INUSE_OBJECTS))
			c->events[c->event_count++] = order[i];
}

static void put_head(struct callgrind *c, const struct report_options *options)
{
	char *command = str_cstring(c->arena, c->profile->command);

	mask_text(command, strlen(command));
	fprintf(c->stream,
		"# callgrind format\nversion: 1\ncreator: jeprof %s\n",
		PACKAGE_VERSION);
	if (c->profile->pid)
		fprintf(c->stream, "pid: %lld\n", (long long)c->profile->pid);
	if (*command)
		fprintf(c->stream, "cmd: %s\n", command);
	fprintf(c->stream, "desc: Source: %s\npositions: line\nevents:",
		report_title(c->profile, options, c->arena));
	for (size_t i = 0; i < c->event_count; i++)
		fprintf(c->stream, " %s", sample_type_names[c->events[i]]);
	fputs("\nsummary:", c->stream);
	for (size_t i = 0; i < c->event_count; i++)
		fprintf(c->stream, " %.0f",
			round(profile_total(c->profile, c->events[i]).total));
	fputc('\n', c->stream);
}

static bool has_negative(const struct callgrind *c)
{
	for (size_t i = 0; i < c->self_count; i++)
		for (size_t j = 0; j < c->event_count; j++)
			if (round(c->self[i].amount[c->events[j]]) < 0)
				return true;
	return false;
}

bool report_callgrind(const struct profile *profile,
		      const struct report_options *options, FILE *stream,
		      struct diag *diag)
{
	struct arena arena = {NULL, NULL, NULL};
	struct callgrind c = {
		.profile = profile, .arena = &arena, .stream = stream};
	bool good;

	c.functions.arena = c.files.arena = c.objects.arena = &arena;
	c.places.arena = c.calls.arena = &arena;
	choose_events(&c, options->type);
	add_samples(&c);
	good = !has_negative(&c) ||
	       diag_set(diag, "callgrind's format knows no negative cost: use "
			      "--drop_negative, or --flame for a difference");
	if (good) {
		put_head(&c, options);
		put_places(&c);
	}
	arena_free(&arena);
	return good;
}
