/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * liballoc's lines in a heap_v2 dump, which other readers pass over:
 * facts about the dump, build-ids, and the sampled objects of each stack by
 * thread and size. docs: liballoc/prof/dump.c writes them.
 */
#include "config.h"

#include "libjeheap/profile/heap_text.h"

#include <math.h>
#include <stdlib.h>

#include "libjeheap/profile/read.h"
#include "liballoc/ledger/layout.h"

bool decode_hex(struct arena *arena, struct str hex, struct str *bytes)
{
	char *data = arena_alloc(arena, hex.len / 2 + 1);
	uint64_t byte;
	size_t i;

	if (hex.len % 2)
		return false;
	for (i = 0; i < hex.len / 2; i++) {
		struct str pair = {hex.ptr + 2 * i, 2};

		if (!take_hex(&pair, &byte) || pair.len)
			return false;
		data[i] = (char)byte;
	}
	*bytes = (struct str){data, hex.len / 2};
	return true;
}

bool extension_build_id(struct arena *arena, struct str line,
			struct mapped_build_id *id)
{
	struct str hex;

	if (!take_literal(&line, "# build_id ") ||
	    !take_hex(&line, &id->start) || !take_char(&line, '-') ||
	    !take_hex(&line, &id->limit) || !take_char(&line, ' ') ||
	    !take_word(&line, &hex))
		return false;
	return decode_hex(arena, hex, &id->id);
}

/* Backslash escapes: \\, \n, \t and \xNN. */
static struct str unescape(struct arena *arena, struct str s)
{
	struct text text = {.arena = arena};
	uint64_t byte;

	while (s.len) {
		struct str escape = s;

		if (take_char(&escape, '\\') && take_char(&escape, 'x') &&
		    escape.len >= 2) {
			struct str pair = {escape.ptr, 2};

			if (take_hex(&pair, &byte) && !pair.len) {
				text_add_char(&text, (char)byte);
				s = (struct str){escape.ptr + 2,
						 escape.len - 2};
				continue;
			}
		}
		if (take_literal(&s, "\\n"))
			text_add_char(&text, '\n');
		else if (take_literal(&s, "\\t"))
			text_add_char(&text, '\t');
		else {
			if (s.len > 1 && *s.ptr == '\\')
				take_char(&s, '\\');
			text_add_char(&text, *s.ptr);
			s = (struct str){s.ptr + 1, s.len - 1};
		}
	}
	return text_str(&text);
}

/* A line of a number, least or more, that has a place in the profile. */
static bool take_number_line(struct profile *profile, struct str line)
{
	struct {
		const char *name;
		uint64_t *place;
		uint64_t least;
	} rows[] = {
		{"time_ns ", &profile->time_ns, 0},
		{"start_time_ns ", &profile->start_time_ns, 0},
		{"duration_ns ", &profile->duration_ns, 0},
		{"period_bytes ", &profile->period_bytes, 1},
		{"peak_bytes ", &profile->peak_bytes, 0},
	};
	uint64_t value;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (take_literal(&line, rows[i].name)) {
			if (take_decimal(&line, &value) &&
			    value >= rows[i].least)
				*rows[i].place = value;
			return true;
		}
	return false;
}

/* A line about the dump as a whole. */
static void note_line(struct profile *profile, struct str line)
{
	uint64_t samples, bytes;
	struct str rest = line;

	if (take_number_line(profile, line))
		return;
	if (take_literal(&rest, "pid ") && take_decimal(&rest, &samples) &&
	    samples <= INT32_MAX)
		profile->pid = (int64_t)samples;
	else if (take_literal(&rest, "exact_sizes "))
		profile->exact_sizes = str_equal(rest, STR("1"));
	else if (take_literal(&rest, "command "))
		profile->command = unescape(profile->arena, rest);
	else if (take_literal(&rest, "dropped ") &&
		 take_decimal(&rest, &samples) && take_char(&rest, ' ') &&
		 take_decimal(&rest, &bytes)) {
		profile->dropped_samples = (double)samples;
		profile->dropped_bytes = (double)bytes;
	} else if (take_literal(&rest, "comment ")) {
		profile_comment(profile, unescape(profile->arena, rest));
	} else if (take_literal(&rest, "library ") ||
		   (take_literal(&rest, "truncated_stacks ") &&
		    !str_equal(rest, STR("0")))) {
		profile_comment(profile, line);
	}
}

/* "t<uid>: " or "t*: " */
static bool take_thread(struct profile *profile, struct str *line,
			uint32_t *thread)
{
	uint64_t uid;

	if (!take_char(line, 't'))
		return false;
	*thread = NONE;
	if (take_decimal(line, &uid))
		*thread = profile_thread(profile, uid, (struct str){0});
	else if (!take_char(line, '*'))
		return false;
	return take_char(line, ':');
}

static bool take_spaced_decimal(struct str *line, uint64_t *value)
{
	take_spaces(line);
	return take_decimal(line, value);
}

/* SIZE IN_COUNT IN_BYTES ALLOC_COUNT ALLOC_BYTES[, SIZE ...] */
static bool take_spectrum(struct str line, uint32_t thread, double period_bytes,
			  struct extension_samples *samples)
{
	struct extension_sample row = {.thread = thread,
				       .period_bytes = period_bytes};

	samples->line = samples->count;
	do {
		if (!take_spaced_decimal(&line, &row.block_bytes) ||
		    !take_spaced_decimal(&line, &row.in_count) ||
		    !take_spaced_decimal(&line, &row.in_bytes) ||
		    !take_spaced_decimal(&line, &row.alloc_count) ||
		    !take_spaced_decimal(&line, &row.alloc_bytes))
			return false;
		*ARENA_PUSH(samples->arena, samples->rows, samples->count,
			    samples->capacity) = row;
	} while (take_char(&line, ','));
	take_spaces(&line);
	return line.len == 0;
}

static bool take_double(struct str *line, double *value)
{
	char buffer[64], *end;
	struct str word;

	take_spaces(line);
	if (!take_word(line, &word) || word.len >= sizeof(buffer))
		return false;
	memcpy(buffer, word.ptr, word.len);
	buffer[word.len] = '\0';
	*value = strtod(buffer, &end);
	return *end == '\0' && isfinite(*value);
}

/*
 * SIZE IN_SAMPLES ALLOC_SAMPLES, then total and variance of each sample
 * type: an estimate as it stands (write_raw.c writes these).
 */
static bool take_value(struct str line, uint32_t thread,
		       struct extension_samples *samples)
{
	struct extension_sample row = {.thread = thread, .is_estimate = true};
	unsigned t;

	if (!take_spaced_decimal(&line, &row.block_bytes) ||
	    !take_double(&line, &row.value.inuse_samples) ||
	    !take_double(&line, &row.value.alloc_samples))
		return false;
	for (t = 0; t < SAMPLE_TYPES; t++)
		if (!take_double(&line, &row.value.value[t].total) ||
		    !take_double(&line, &row.value.value[t].variance) ||
		    row.value.value[t].variance < 0)
			return false;
	samples->line = samples->count;
	*ARENA_PUSH(samples->arena, samples->rows, samples->count,
		    samples->capacity) = row;
	return true;
}

/* "LG t<uid>: SIZE ...": taken at one sample in 2^LG bytes */
static bool take_other_rate(struct profile *profile, struct str line,
			    struct extension_samples *samples)
{
	uint32_t thread;
	uint64_t lg;

	return take_decimal(&line, &lg) && lg < 64 && take_char(&line, ' ') &&
	       take_thread(profile, &line, &thread) &&
	       take_spectrum(line, thread, ldexp(1, (int)lg), samples);
}

/* The next row from *at on of the size and thread; NULL: there is none. */
static struct extension_sample *find_row(struct extension_samples *samples,
					 size_t *at, uint64_t block_bytes,
					 uint32_t thread)
{
	struct extension_sample *row;

	while (*at < samples->count) {
		row = &samples->rows[(*at)++];
		if (row->block_bytes == block_bytes && row->thread == thread)
			return row;
	}
	return NULL;
}

static bool squares_can_be(uint64_t count, uint64_t bytes, uint64_t squares)
{
	return squares == 0 || ledger_squares_hold(count, bytes, squares);
}

/*
 * SIZE IN_SQUARES ALLOC_SQUARES[, SIZE ...]: of sizes of the line before, in
 * its order.
 */
static bool take_squares(struct str line, uint32_t thread,
			 struct extension_samples *samples)
{
	struct extension_sample *row;
	size_t at = samples->line;
	uint64_t size;

	do {
		if (!take_spaced_decimal(&line, &size))
			return false;
		row = find_row(samples, &at, size, thread);
		if (!row || !take_spaced_decimal(&line, &row->in_squares) ||
		    !take_spaced_decimal(&line, &row->alloc_squares) ||
		    !squares_can_be(row->in_count, row->in_bytes,
				    row->in_squares) ||
		    !squares_can_be(row->alloc_count, row->alloc_bytes,
				    row->alloc_squares))
			return false;
	} while (take_char(&line, ','));
	return line.len == 0;
}

/* "LG:COUNT" ..., up to the end of the line or a comma */
static bool take_lifetimes(struct str *line, struct lives *lives)
{
	uint64_t lg, count;

	for (take_spaces(line); line->len && *line->ptr != ',';
	     take_spaces(line)) {
		if (!take_decimal(line, &lg) || !take_char(line, ':') ||
		    !take_decimal(line, &count) || lg < LIVES_LG_MIN ||
		    lg >= LIVES_LG_MIN + LIVES_WORDS)
			return false;
		lives->words[lg - LIVES_LG_MIN] += (double)count;
	}
	return true;
}

/*
 * SIZE FREED ELSEWHERE[ LG:COUNT]...[, SIZE ...]: of sizes of the line before,
 * in its order.
 */
static bool take_freed(struct str line, uint32_t thread,
		       struct extension_samples *samples)
{
	struct extension_sample *row;
	size_t at = samples->line;
	uint64_t size, freed, elsewhere;

	do {
		struct lives *lives = ARENA_NEW(samples->arena, struct lives);

		if (!take_spaced_decimal(&line, &size) ||
		    !take_spaced_decimal(&line, &freed) ||
		    !take_spaced_decimal(&line, &elsewhere) ||
		    !take_lifetimes(&line, lives))
			return false;
		row = find_row(samples, &at, size, thread);
		if (!row)
			return false;
		lives->freed = (double)freed;
		lives->elsewhere = (double)elsewhere;
		row->lives = lives;
	} while (take_char(&line, ','));
	samples->line = at;
	return line.len == 0;
}

/* "UID NAME" */
static bool take_thread_name(struct profile *profile, struct str line)
{
	uint64_t uid;

	if (!take_decimal(&line, &uid) || !take_char(&line, ' '))
		return false;
	profile_thread(profile, uid, unescape(profile->arena, line));
	return true;
}

bool extension_line(struct profile *profile, struct str line,
		    struct extension_samples *samples)
{
	struct str rest = line;
	uint32_t thread;

	if (take_thread(profile, &rest, &thread))
		return take_spectrum(rest, thread, 0, samples);
	rest = line;
	if (take_literal(&rest, "value "))
		return take_thread(profile, &rest, &thread) &&
		       take_value(rest, thread, samples);
	if (take_literal(&rest, "at "))
		return take_other_rate(profile, rest, samples);
	if (take_literal(&rest, "squares "))
		return take_thread(profile, &rest, &thread) &&
		       take_squares(rest, thread, samples);
	if (take_literal(&rest, "freed "))
		return take_thread(profile, &rest, &thread) &&
		       take_freed(rest, thread, samples);
	if (take_literal(&rest, "thread "))
		return take_thread_name(profile, rest);
	note_line(profile, line);
	return true;
}
