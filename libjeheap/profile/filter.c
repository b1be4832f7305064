/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --focus, --ignore, --retain and --exclude. Each frame is matched once, not
 * once a stack.
 */
#include "config.h"

#include "libjeheap/profile/transform.h"

#include <inttypes.h>
#include <regex.h>

#include "libjeheap/profile/index.h"

enum { FOCUS, IGNORE, RETAIN, EXCLUDE, PATTERNS };

static const char *const pattern_names[PATTERNS] = {"--focus", "--ignore",
						    "--retain", "--exclude"};

struct filter_state {
	struct profile *profile;
	struct arena scratch;
	const char *texts[PATTERNS];
	regex_t compiled[PATTERNS];
	bool is_compiled[PATTERNS];
	bool *location_matches[2]; /* FOCUS, IGNORE: any frame of it */
	uint32_t *reduced;	   /* what RETAIN and EXCLUDE leave; or NONE */
};

static bool search(const regex_t *regex, struct str text)
{
	regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)text.len};

	return text.len && text.len < INT32_MAX &&
	       regexec(regex, text.ptr, 1, &range, REG_STARTEND) == 0;
}

/*
 * "LIBRARY+0xOFFSET". Without its folders: a program under /home/session would
 * else match "session" in every frame.
 */
static bool library_matches(struct filter_state *state, const regex_t *regex,
			    const struct location *location)
{
	struct arena_mark mark = arena_mark(&state->scratch);
	struct text text = {.arena = &state->scratch};
	bool found;

	if (location->file != NONE)
		text_add(&text,
			 str_basename(
				 state->profile->files[location->file].path));
	text_printf(&text, "%s0x%" PRIx64, location->file != NONE ? "+" : "",
		    location->offset);
	found = search(regex, text_str(&text));
	arena_rewind(&state->scratch, mark);
	return found;
}

static bool line_matches(struct filter_state *state, const regex_t *regex,
			 const struct line *line)
{
	const struct function *function =
		&state->profile->functions[line->function];
	struct arena_mark mark = arena_mark(&state->scratch);
	struct text text = {.arena = &state->scratch};
	bool found;

	if (search(regex, function->name) ||
	    search(regex, function->system_name))
		return true;
	if (!function->filename.len)
		return false;
	text_add(&text, function->filename);
	text_printf(&text, ":%" PRIu32, line->line);
	found = search(regex, text_str(&text));
	arena_rewind(&state->scratch, mark);
	return found;
}

static bool any_matches(struct filter_state *state, const regex_t *regex,
			const struct location *location)
{
	uint32_t i;

	for (i = 0; i < location->line_count; i++)
		if (line_matches(state, regex, &location->lines[i]))
			return true;
	return library_matches(state, regex, location);
}

/* Do RETAIN and EXCLUDE leave a frame that matches them so? */
static bool is_left(const struct filter_state *state, const bool *matches)
{
	return (!state->texts[RETAIN] || matches[RETAIN]) &&
	       (!state->texts[EXCLUDE] || !matches[EXCLUDE]);
}

/* The library counts for each frame that is inlined in it. */
static void match_library(struct filter_state *state, uint32_t number,
			  bool *matches)
{
	int p;

	for (p = RETAIN; p <= EXCLUDE; p++)
		matches[p] =
			state->texts[p] &&
			library_matches(state, &state->compiled[p],
					&state->profile->locations[number]);
}

/* A location of its own, which no address leads to. */
static uint32_t add_reduced(struct profile *profile, uint32_t number,
			    struct line *lines, uint32_t count)
{
	struct location location = profile->locations[number];
	uint32_t fresh = to_index(profile->location_count);

	location.lines = lines;
	location.line_count = count;
	*ARENA_PUSH(profile->arena, profile->locations, profile->location_count,
		    profile->location_capacity) = location;
	return fresh;
}

static uint32_t reduce(struct filter_state *state, uint32_t number)
{
	struct profile *profile = state->profile;
	struct location location = profile->locations[number];
	bool library[PATTERNS], matches[PATTERNS];
	struct line *lines;
	uint32_t i, left = 0;
	int p;

	match_library(state, number, library);
	if (!location.line_count)
		return is_left(state, library) ? number : NONE;
	lines = ARENA_ARRAY(profile->arena, location.line_count, struct line);
	for (i = 0; i < location.line_count; i++) {
		for (p = RETAIN; p <= EXCLUDE; p++)
			matches[p] = library[p] ||
				     (state->texts[p] &&
				      line_matches(state, &state->compiled[p],
						   &location.lines[i]));
		if (is_left(state, matches))
			lines[left++] = location.lines[i];
	}
	if (left == location.line_count)
		return number;
	return left ? add_reduced(profile, number, lines, left) : NONE;
}

static void match_locations(struct filter_state *state)
{
	struct profile *profile = state->profile;
	size_t count = profile->location_count, i;
	int p;

	for (p = FOCUS; p <= IGNORE; p++) {
		state->location_matches[p] =
			ARENA_ARRAY(&state->scratch, count, bool);
		for (i = 0; state->texts[p] && i < count; i++)
			state->location_matches[p][i] =
				any_matches(state, &state->compiled[p],
					    &profile->locations[i]);
	}
	state->reduced = ARENA_ARRAY(&state->scratch, count, uint32_t);
	for (i = 0; i < count; i++)
		state->reduced[i] = (uint32_t)i;
	for (i = 0;
	     (state->texts[RETAIN] || state->texts[EXCLUDE]) && i < count; i++)
		state->reduced[i] = reduce(state, (uint32_t)i);
}

/* The stack that the filter leaves of one, or NONE. */
static uint32_t filter_stack(struct filter_state *state, uint32_t number)
{
	struct profile *profile = state->profile;
	struct stack stack = profile->stacks[number];
	bool focused = !state->texts[FOCUS];
	uint32_t *frames, i, location, left = 0;

	frames = ARENA_ARRAY(&state->scratch, stack.count, uint32_t);
	for (i = 0; i < stack.count; i++) {
		location = profile->frames[stack.first + i];
		focused |= state->location_matches[FOCUS][location];
		if (state->location_matches[IGNORE][location])
			return NONE;
		if (state->reduced[location] != NONE)
			frames[left++] = state->reduced[location];
	}
	if (!focused || (!left && stack.count))
		return NONE;
	return profile_stack(profile, frames, left);
}

static void filter_samples(struct filter_state *state)
{
	struct profile *profile = state->profile;
	size_t count = profile->stack_count, kept = 0, i;
	uint32_t *left = ARENA_ARRAY(&state->scratch, count, uint32_t);
	struct arena_mark mark = arena_mark(&state->scratch);
	struct sample sample;

	for (i = 0; i < count; i++) {
		left[i] = filter_stack(state, (uint32_t)i);
		arena_rewind(&state->scratch, mark);
	}
	for (i = 0; i < profile->sample_count; i++) {
		sample = profile->samples[i];
		sample.stack = left[sample.stack];
		if (sample.stack != NONE)
			profile->samples[kept++] = sample;
	}
	profile->sample_count = kept;
}

static bool compile(struct filter_state *state, struct diag *diag)
{
	char why[128];
	int p, status;

	for (p = 0; p < PATTERNS; p++) {
		if (!state->texts[p])
			continue;
		status = regcomp(&state->compiled[p], state->texts[p],
				 REG_EXTENDED);
		if (status) {
			regerror(status, &state->compiled[p], why, sizeof(why));
			return diag_set(diag,
					"%s=%s: %s; a POSIX extended regular "
					"expression is expected, see regex(7)",
					pattern_names[p], state->texts[p], why);
		}
		state->is_compiled[p] = true;
	}
	return true;
}

bool profile_filter(struct profile *profile, const struct filter *filter,
		    struct diag *diag)
{
	struct filter_state state = {.profile = profile,
				     .texts = {filter->focus, filter->ignore,
					       filter->retain,
					       filter->exclude}};
	bool good = compile(&state, diag);
	int p;

	if (good) {
		match_locations(&state);
		filter_samples(&state);
	}
	for (p = 0; p < PATTERNS; p++)
		if (state.is_compiled[p])
			regfree(&state.compiled[p]);
	arena_free(&state.scratch);
	return good;
}
