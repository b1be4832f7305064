/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading, summing, subtracting and naming; threads of a profile.
 */
#include "config.h"

#include "jeprof/load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libjeheap/profile/read.h"

#define THREADS_LISTED 6

typedef struct profile *reader(const char *input, struct diag *diag);

static struct profile *read_one(const struct command_line *line, reader *read,
				const char *input, struct diag *diag)
{
	struct profile *profile = read(input, diag);
	bool alloc = line->type == ALLOC_OBJECTS || line->type == ALLOC_SPACE;

	if (profile && profile->unsettled)
		warn("jeprof",
		     "%s stands still while it rewrites its tables: samples "
		     "of threads that ended may be missing or count twice",
		     input);
	if (profile && alloc && !profile->has_alloc && profile->sample_count) {
		diag_set(diag,
			 "%s holds no accumulated counts for --%s: run the "
			 "program with MALLOC_CONF=prof_accum:true",
			 input, sample_type_names[line->type]);
		profile_free(profile);
		return NULL;
	}
	return profile;
}

static struct profile *read_sum(const struct command_line *line, reader *read,
				const char *const *inputs, size_t count,
				struct diag *diag)
{
	struct profile *sum = read_one(line, read, inputs[0], diag);

	for (size_t i = 1; sum && i < count; i++) {
		struct profile *other = read_one(line, read, inputs[i], diag);

		if (!other) {
			profile_free(sum);
			return NULL;
		}
		profile_add(sum, other, 1);
		profile_free(other);
	}
	if (sum && count > 1)
		sum->source = str_of(
			arena_printf(sum->arena, "sum of %zu profiles", count));
	return sum;
}

static void set_whole(struct loaded *loaded, const struct profile *profile)
{
	for (int i = 0; i < SAMPLE_TYPES; i++)
		loaded->whole[i] = profile_total(profile, (enum sample_type)i);
}

static bool subtract_bases(const struct command_line *line,
			   struct loaded *loaded, struct diag *diag)
{
	struct profile *profile = loaded->profile;
	struct profile *base = read_sum(line, profile_read, line->bases.values,
					line->bases.count, diag);

	if (!base)
		return false;
	set_whole(loaded, base);
	profile->source = str_of(arena_printf(profile->arena, "%.*s minus %.*s",
					      STR_ARG(profile->source),
					      STR_ARG(base->source)));
	profile_add(profile, base, -1);
	profile_free(base);
	return true;
}

static void name_frames(const struct command_line *line, struct loaded *loaded)
{
	struct symbol_options options = {.program = line->program,
					 .lib_prefix = line->lib_prefix,
					 .no_inlines = !line->inlines};

	for (size_t i = 0; i < line->input_count && !options.pid; i++)
		input_is_pid(line->inputs[i], &options.pid);
	symbolize(loaded->profile, &options, &loaded->stats);
}

bool load_profiles(const struct command_line *line, struct loaded *loaded,
		   struct diag *diag)
{
	reader *read = line->peak ? profile_read_peak : profile_read;

	loaded->profile =
		read_sum(line, read, (const char *const *)line->inputs,
			 line->input_count, diag);
	if (!loaded->profile)
		return false;
	set_whole(loaded, loaded->profile);
	if (line->bases.count && !subtract_bases(line, loaded, diag)) {
		profile_free(loaded->profile);
		return false;
	}
	name_frames(line, loaded);
	profile_drop_allocator(loaded->profile);
	if (line->drop_negative)
		profile_drop_negative(loaded->profile);
	return true;
}

struct str thread_name(const struct profile *profile, uint64_t uid)
{
	for (size_t i = 0; i < profile->thread_count; i++)
		if (profile->threads[i].uid == uid)
			return profile->threads[i].name;
	return (struct str){NULL, 0};
}

static void no_such_thread(const struct profile *profile, uint64_t uid,
			   struct diag *diag)
{
	struct arena arena = {NULL, NULL, NULL};
	struct text list = {.arena = &arena};

	for (size_t i = 0; i < profile->thread_count && i < THREADS_LISTED;
	     i++) {
		const struct thread_info *thread = &profile->threads[i];

		text_printf(&list, "%s%" PRIu64, i ? ", " : "", thread->uid);
		if (thread->name.len)
			text_printf(&list, " (%.*s)", STR_ARG(thread->name));
	}
	if (profile->thread_count > THREADS_LISTED)
		text_add(&list, STR(", ..."));
	diag_set(diag, "%.*s has no thread %" PRIu64 "; it has: %.*s",
		 STR_ARG(profile->source), uid,
		 STR_ARG(list.len ? text_str(&list) : STR("none")));
	arena_free(&arena);
}

static bool is_listed(const struct profile *profile, uint64_t uid)
{
	for (size_t i = 0; i < profile->thread_count; i++)
		if (profile->threads[i].uid == uid)
			return true;
	return false;
}

struct profile *thread_part(const struct profile *profile, uint64_t uid,
			    struct diag *diag)
{
	struct profile *part;

	if (!is_listed(profile, uid)) {
		no_such_thread(profile, uid, diag);
		return NULL;
	}
	part = profile_new();
	profile_add(part, profile, 1);
	/* A thread of which there is no sample does not come along. */
	if (!profile_keep_thread(part, uid))
		part->sample_count = 0;
	return part;
}

size_t threads_with_samples(const struct profile *profile, uint64_t *uids)
{
	struct arena scratch = {NULL, NULL, NULL};
	bool *seen = ARENA_ARRAY(&scratch, profile->thread_count, bool);
	size_t count = 0;

	for (size_t i = 0; i < profile->sample_count; i++)
		if (profile->samples[i].thread != NONE)
			seen[profile->samples[i].thread] = true;
	for (size_t i = 0; i < profile->thread_count; i++)
		if (seen[i])
			uids[count++] = profile->threads[i].uid;
	arena_free(&scratch);
	return count;
}
