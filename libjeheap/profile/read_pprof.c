/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pprof's profile.proto. Its values are estimates already; their variances
 * are made from the period and the block size (label "bytes", else the mean).
 * Source: github.com/google/pprof, proto/profile.proto.
 */
#include "config.h"

#include "libjeheap/profile/read.h"

#include <math.h>

#include "libjeheap/profile/estimate.h"
#include "libjeheap/profile/heap_text.h"
#include "libjeheap/profile/index.h"
#include "libjeheap/profile/protobuf.h"

/*
 * Limits on what a small file can make us do: each function and comment has
 * its text hashed.
 */
#define MAX_STRING_BYTES 65536
#define MAX_COMMENTS 1000

/* The messages of one kind, in order. */
struct messages {
	struct cursor *list;
	size_t count, capacity;
};

/* From the file's ids to the model's indices. */
struct id_row {
	uint64_t id;
	uint32_t index;
};

struct id_map {
	struct slots slots;
	struct id_row *rows;
	size_t count, capacity;
};

struct pprof_reader {
	struct profile *profile;
	struct cursor c;
	struct arena scratch;
	struct str *strings;
	size_t string_count, string_capacity;
	struct messages messages[PPROF_FIELDS];
	struct id_map mapping_ids, location_ids, function_ids;
	uint64_t *comments;
	size_t comment_count, comment_capacity;
	int *columns; /* per value of a sample: an enum sample_type, or -1 */
	size_t column_count, column_capacity;
	uint32_t *frames; /* of the sample being read */
	size_t frame_count, frame_capacity;
	struct line *lines; /* of the location being read */
	size_t line_count, line_capacity;
};

struct wanted_id {
	const struct id_map *map;
	uint64_t id;
};

static bool same_id(const void *data, uint32_t number)
{
	const struct wanted_id *wanted = data;

	return wanted->map->rows[number].id == wanted->id;
}

static void id_enter(struct pprof_reader *r, struct id_map *map, uint64_t id,
		     uint32_t index)
{
	struct wanted_id wanted = {map, id};
	uint32_t fresh = to_index(map->count);

	if (slots_enter(&map->slots, &r->scratch, hash_words(&id, 1), same_id,
			&wanted, fresh) == fresh)
		*ARENA_PUSH(&r->scratch, map->rows, map->count, map->capacity) =
			(struct id_row){id, index};
}

/* NONE where no such id was there. */
static uint32_t id_find(const struct id_map *map, uint64_t id)
{
	struct wanted_id wanted = {map, id};
	uint32_t row =
		slots_find(&map->slots, hash_words(&id, 1), same_id, &wanted);

	return row == NONE ? NONE : map->rows[row].index;
}

/* Fails at the cursor of a part; the first error is what counts. */
static bool fail(struct pprof_reader *r, struct cursor *part, const char *what,
		 uint64_t number)
{
	part->failed = false;
	cursor_fail(part, "%s %ju; the file is damaged", what,
		    (uintmax_t)number);
	r->c.failed = true;
	return false;
}

static bool ended_well(struct pprof_reader *r, const struct cursor *part)
{
	r->c.failed |= part->failed;
	return !r->c.failed;
}

static struct str string_at(struct pprof_reader *r, struct cursor *part,
			    uint64_t index)
{
	struct str s = {0};

	if (index < r->string_count)
		s = r->strings[index];
	else if (index)
		fail(r, part, "there is no string", index);
	if (s.len > MAX_STRING_BYTES)
		fail(r, part, "more than 64 KiB are in string", index);
	return s;
}

static void add_message(struct pprof_reader *r, const struct proto_field *field)
{
	struct messages *messages = &r->messages[field->number];

	*ARENA_PUSH(&r->scratch, messages->list, messages->count,
		    messages->capacity) = field->bytes;
}

static void add_comments(struct pprof_reader *r, struct proto_field *field)
{
	uint64_t value;

	while (proto_packed(field, &value))
		*ARENA_PUSH(&r->scratch, r->comments, r->comment_count,
			    r->comment_capacity) = value;
	ended_well(r, &field->bytes);
}

static void take_top_field(struct pprof_reader *r, struct proto_field *field)
{
	switch (field->number) {
	case PPROF_SAMPLE_TYPE:
	case PPROF_SAMPLE:
	case PPROF_MAPPING:
	case PPROF_LOCATION:
	case PPROF_FUNCTION:
	case PPROF_PERIOD_TYPE:
		add_message(r, field);
		break;
	case PPROF_STRING_TABLE:
		*ARENA_PUSH(&r->scratch, r->strings, r->string_count,
			    r->string_capacity) = proto_str(field);
		break;
	case PPROF_TIME_NANOS:
		r->profile->time_ns = field->value;
		break;
	case PPROF_DURATION_NANOS:
		r->profile->duration_ns = field->value;
		break;
	case PPROF_PERIOD:
		r->profile->period_bytes = field->value;
		break;
	case PPROF_COMMENT:
		add_comments(r, field);
		break;
	}
}

static bool needs_bytes(uint32_t number)
{
	return (number >= PPROF_SAMPLE_TYPE && number <= PPROF_STRING_TABLE) ||
	       number == PPROF_PERIOD_TYPE;
}

static bool take_top(struct pprof_reader *r)
{
	struct proto_field field;

	while (proto_next(&r->c, &field)) {
		if (needs_bytes(field.number) && field.wire != PROTO_BYTES)
			return cursor_fail(&r->c,
					   "field %u of a profile.proto is a "
					   "message, and here a number; is it "
					   "the right file?",
					   field.number);
		take_top_field(r, &field);
	}
	return !r->c.failed;
}

/* A ValueType's two strings. */
static bool take_value_type(struct pprof_reader *r, struct cursor *part,
			    struct str *type, struct str *unit)
{
	struct proto_field field;

	*type = *unit = (struct str){0};
	while (proto_next(part, &field)) {
		if (field.number == 1)
			*type = string_at(r, part, field.value);
		if (field.number == 2)
			*unit = string_at(r, part, field.value);
	}
	return ended_well(r, part);
}

static int column_of(struct str type)
{
	int t;

	for (t = 0; t < SAMPLE_TYPES; t++)
		if (str_equal(type, str_of(sample_type_names[t])))
			return t;
	/* What Go makes of profiles that do not tell the two apart. */
	if (str_equal(type, STR("objects")))
		return INUSE_OBJECTS;
	return str_equal(type, STR("space")) ? INUSE_SPACE : -1;
}

static bool take_types(struct pprof_reader *r)
{
	const struct messages *types = &r->messages[PPROF_SAMPLE_TYPE];
	struct str type = {0}, unit;
	size_t i, known = 0;
	int column;

	for (i = 0; i < types->count; i++) {
		if (!take_value_type(r, &types->list[i], &type, &unit))
			return false;
		column = column_of(type);
		known += column >= 0;
		*ARENA_PUSH(&r->scratch, r->columns, r->column_count,
			    r->column_capacity) = column;
	}
	if (known)
		return true;
	r->c.failed = true;
	if (!types->count)
		return diag_set(r->c.diag,
				"%s: is no heap profile: as a profile.proto it "
				"has no sample type",
				r->c.name);
	return diag_set(r->c.diag,
			"%s: is no heap profile: its sample type is %.*s",
			r->c.name, (int)(type.len < 60 ? type.len : 60),
			type.ptr ? type.ptr : "");
}

static bool take_period(struct pprof_reader *r)
{
	const struct messages *types = &r->messages[PPROF_PERIOD_TYPE];
	struct str type = {0}, unit = {0};

	if (types->count &&
	    !take_value_type(r, &types->list[types->count - 1], &type, &unit))
		return false;
	/* Only a period of bytes tells how well the values are known. */
	if (!str_equal(unit, STR("bytes")) || !r->profile->period_bytes ||
	    r->profile->period_bytes > INT64_MAX)
		r->profile->period_bytes = 1;
	return true;
}

/* Hex, as we and Breakpad write it; Go's own ids are other text. */
static struct str build_id_of(struct pprof_reader *r, struct str text)
{
	struct str id;

	return decode_hex(&r->scratch, text, &id) ? id : text;
}

static bool take_mapping(struct pprof_reader *r, struct cursor part)
{
	static const struct str mark = {" (deleted)", 10};
	struct mapping mapping = {0};
	struct str path = {0}, build_id = {0};
	struct proto_field field;
	uint64_t id = 0;
	bool deleted;

	while (proto_next(&part, &field))
		switch (field.number) {
		case 1:
			id = field.value;
			break;
		case 2:
			mapping.start = field.value;
			break;
		case 3:
			mapping.limit = field.value;
			break;
		case 4:
			mapping.offset = field.value;
			break;
		case 5:
			path = string_at(r, &part, field.value);
			break;
		case 6:
			build_id = string_at(r, &part, field.value);
			break;
		}
	if (!ended_well(r, &part))
		return false;
	if (mapping.start >= mapping.limit || (!path.len && !build_id.len))
		return true;
	deleted = str_ends_with(path, mark);
	path.len -= deleted ? mark.len : 0;
	mapping.file = profile_file(r->profile, path, build_id_of(r, build_id),
				    deleted);
	id_enter(r, &r->mapping_ids, id, (uint32_t)r->profile->mapping_count);
	profile_add_mapping(r->profile, mapping.start, mapping.limit,
			    mapping.offset, mapping.file);
	return true;
}

static uint32_t to_line_number(uint64_t line)
{
	return line < UINT32_MAX ? (uint32_t)line : 0;
}

static bool take_function(struct pprof_reader *r, struct cursor part)
{
	struct str name = {0}, system_name = {0}, filename = {0};
	struct proto_field field;
	uint64_t id = 0, start_line = 0;

	while (proto_next(&part, &field))
		switch (field.number) {
		case 1:
			id = field.value;
			break;
		case 2:
			name = string_at(r, &part, field.value);
			break;
		case 3:
			system_name = string_at(r, &part, field.value);
			break;
		case 4:
			filename = string_at(r, &part, field.value);
			break;
		case 5:
			start_line = field.value;
			break;
		}
	if (!ended_well(r, &part))
		return false;
	id_enter(r, &r->function_ids, id,
		 profile_function(r->profile, name.len ? name : system_name,
				  system_name, filename,
				  to_line_number(start_line)));
	return true;
}

static bool take_line(struct pprof_reader *r, struct cursor part)
{
	struct line line = {.function = NONE};
	struct proto_field field;
	uint64_t id = 0;

	while (proto_next(&part, &field))
		switch (field.number) {
		case 1:
			id = field.value;
			line.function = id_find(&r->function_ids, id);
			break;
		case 2:
			line.line = to_line_number(field.value);
			break;
		case 3:
			line.column = to_line_number(field.value);
			break;
		}
	if (!ended_well(r, &part))
		return false;
	if (line.function == NONE)
		return fail(r, &part, "there is no function", id);
	*ARENA_PUSH(&r->scratch, r->lines, r->line_count, r->line_capacity) =
		line;
	return true;
}

static bool is_inside(const struct profile *profile, uint32_t mapping,
		      uint64_t address)
{
	return mapping != NONE && address >= profile->mappings[mapping].start &&
	       address < profile->mappings[mapping].limit;
}

static bool take_location(struct pprof_reader *r, struct cursor part)
{
	struct proto_field field;
	uint64_t id = 0, mapping_id = 0, address = 0;
	uint32_t mapping;

	r->line_count = 0;
	while (proto_next(&part, &field))
		switch (field.number) {
		case 1:
			id = field.value;
			break;
		case 2:
			mapping_id = field.value;
			break;
		case 3:
			address = field.value;
			break;
		case 4:
			if (field.wire == PROTO_BYTES &&
			    !take_line(r, field.bytes))
				return false;
			break;
		}
	if (!ended_well(r, &part))
		return false;
	mapping = id_find(&r->mapping_ids, mapping_id);
	if (!is_inside(r->profile, mapping, address))
		mapping = NONE;
	id_enter(r, &r->location_ids, id,
		 profile_location_in(r->profile, mapping, address, r->lines,
				     to_index(r->line_count)));
	return true;
}

/* What a sample's labels say. */
struct labels {
	uint64_t block_bytes;
	uint64_t thread_uid;
	bool has_thread;
	struct str thread_name;
};

static bool take_label(struct pprof_reader *r, struct cursor part,
		       struct labels *labels)
{
	struct str key = {0}, text = {0};
	struct proto_field field;
	uint64_t number = 0;

	while (proto_next(&part, &field)) {
		if (field.number == 1)
			key = string_at(r, &part, field.value);
		if (field.number == 2)
			text = string_at(r, &part, field.value);
		if (field.number == 3)
			number = field.value;
	}
	if (str_equal(key, STR("bytes")) && number <= INT64_MAX)
		labels->block_bytes = number;
	/* Ours: "UID" or "UID NAME". */
	if (str_equal(key, STR("thread")) &&
	    take_decimal(&text, &labels->thread_uid)) {
		labels->has_thread = true;
		take_spaces(&text);
		labels->thread_name = text;
	}
	return ended_well(r, &part);
}

static bool take_frames(struct pprof_reader *r, struct cursor *part,
			struct proto_field *field)
{
	uint64_t id;
	uint32_t location;

	while (proto_packed(field, &id)) {
		location = id_find(&r->location_ids, id);
		if (location == NONE)
			return fail(r, part, "there is no location", id);
		*ARENA_PUSH(&r->scratch, r->frames, r->frame_count,
			    r->frame_capacity) = location;
	}
	return ended_well(r, &field->bytes);
}

static bool take_values(struct pprof_reader *r, struct cursor *part,
			struct proto_field *field, size_t *taken,
			double *values)
{
	uint64_t value;

	for (; proto_packed(field, &value); (*taken)++) {
		if (*taken >= r->column_count)
			return fail(r, part, "a sample has more values than",
				    r->column_count);
		if (r->columns[*taken] >= 0)
			values[r->columns[*taken]] = (double)(int64_t)value;
	}
	return ended_well(r, &field->bytes);
}

/*
 * How well an estimate of so many objects is known: the number of samples
 * behind it follows from the block size. Returns that number.
 */
static double set_variance(const struct profile *profile, struct sample *sample,
			   enum sample_type objects, enum sample_type space)
{
	double period = (double)profile->period_bytes;
	double count = sample->value[objects].total, size, n;
	struct estimate e;

	size = count ? sample->value[space].total / count : 0;
	if (sample->block_bytes)
		size = (double)sample->block_bytes;
	if (period <= 1 || size <= 0)
		return count;
	n = count * -expm1(-size / period);
	e = estimate_from_samples(n, n * size, period);
	sample->value[objects].variance = e.objects.variance;
	sample->value[space].variance = e.bytes.variance;
	return n;
}

static void add_sample(struct pprof_reader *r, const struct labels *labels,
		       const double *values)
{
	struct profile *profile = r->profile;
	uint32_t nowhere, thread = NONE, stack, t;
	struct sample *sample;

	if (labels->has_thread)
		thread = profile_thread(profile, labels->thread_uid,
					labels->thread_name);
	nowhere = r->frame_count ? 0 : profile_location(profile, 0);
	stack = profile_stack(profile, r->frame_count ? r->frames : &nowhere,
			      r->frame_count ? r->frame_count : 1);
	sample =
		profile_add_sample(profile, stack, thread, labels->block_bytes);
	for (t = 0; t < SAMPLE_TYPES; t++)
		sample->value[t].total = values[t];
	if (values[ALLOC_OBJECTS] || values[ALLOC_SPACE])
		profile->has_alloc = true;
	sample->inuse_samples =
		set_variance(profile, sample, INUSE_OBJECTS, INUSE_SPACE);
	sample->alloc_samples =
		set_variance(profile, sample, ALLOC_OBJECTS, ALLOC_SPACE);
	if (!sample->block_bytes)
		profile->exact_sizes = profile->period_bytes <= 1;
}

static bool take_sample(struct pprof_reader *r, struct cursor part)
{
	double values[SAMPLE_TYPES] = {0};
	struct labels labels = {0};
	struct proto_field field;
	size_t taken = 0;

	r->frame_count = 0;
	while (proto_next(&part, &field)) {
		if (field.number == 1 && !take_frames(r, &part, &field))
			return false;
		if (field.number == 2 &&
		    !take_values(r, &part, &field, &taken, values))
			return false;
		if (field.number == 3 && field.wire == PROTO_BYTES &&
		    !take_label(r, field.bytes, &labels))
			return false;
	}
	if (!ended_well(r, &part))
		return false;
	if (taken != r->column_count)
		return fail(r, &part, "a sample has fewer values than",
			    r->column_count);
	add_sample(r, &labels, values);
	return true;
}

static bool take_all(struct pprof_reader *r, enum pprof_field field,
		     bool (*take)(struct pprof_reader *r, struct cursor part))
{
	const struct messages *messages = &r->messages[field];
	size_t i;

	for (i = 0; i < messages->count; i++)
		if (!take(r, messages->list[i]))
			return false;
	return true;
}

/* Two profiles of one process are compared better than those of two. */
static bool take_process(struct profile *profile, struct str comment)
{
	uint64_t pid, start;

	if (!take_literal(&comment, process_comment) ||
	    !take_decimal(&comment, &pid) || !take_char(&comment, ' ') ||
	    !take_decimal(&comment, &start) || comment.len || pid > INT32_MAX)
		return false;
	profile->pid = (int64_t)pid;
	profile->start_time_ns = start;
	return true;
}

static bool take_comments(struct pprof_reader *r)
{
	struct profile *profile = r->profile;
	struct str comment;
	size_t i;

	for (i = 0; i < r->comment_count && i < MAX_COMMENTS; i++) {
		comment = string_at(r, &r->c, r->comments[i]);
		if (str_equal(comment, str_of(mean_sizes_comment)))
			profile->exact_sizes = false;
		else if (!take_process(profile, comment))
			profile_comment(profile, comment);
	}
	return !r->c.failed;
}

static bool parse(struct pprof_reader *r)
{
	r->profile->exact_sizes = true;
	return take_top(r) && take_types(r) && take_period(r) &&
	       take_all(r, PPROF_MAPPING, take_mapping) &&
	       take_all(r, PPROF_FUNCTION, take_function) &&
	       take_all(r, PPROF_LOCATION, take_location) &&
	       take_all(r, PPROF_SAMPLE, take_sample) && take_comments(r);
}

struct profile *read_pprof(struct str content, const char *name,
			   struct diag *diag)
{
	struct pprof_reader reader = {.profile = profile_new()};
	struct profile *profile = reader.profile;

	reader.c = cursor_over(content.ptr, content.len, name, diag);
	profile->source = str_copy(profile->arena, str_of(name));
	if (!parse(&reader)) {
		profile_free(profile);
		profile = NULL;
	}
	arena_free(&reader.scratch);
	return profile;
}
