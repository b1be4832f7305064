/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One profile added to another: what is the same in both gets one index.
 */
#include "config.h"

#include "libjeheap/profile/transform.h"

#include "libjeheap/profile/index.h"
#include "libjeheap/profile/same_file.h"

/* Indices of `from` turned into indices of `to`. */
struct translation {
	struct profile *to;
	const struct profile *from;
	struct arena scratch;
	uint32_t *files, *mappings, *functions, *locations;
	struct slots to_mappings; /* by file and offset */
};

static uint32_t *new_map(struct translation *tr, size_t count)
{
	return ARENA_ARRAY(&tr->scratch, count, uint32_t);
}

static void translate_files(struct translation *tr)
{
	const struct object_file *file;
	size_t i;

	tr->files = match_files(tr->from, tr->to, &tr->scratch);
	for (i = 0; i < tr->from->file_count; i++) {
		file = &tr->from->files[i];
		if (tr->files[i] == NONE)
			tr->files[i] =
				profile_file(tr->to, file->path, file->build_id,
					     file->deleted);
	}
}

struct wanted_mapping {
	const struct profile *profile;
	uint32_t file;
	uint64_t offset, bytes;
};

static bool same_mapping(const void *data, uint32_t number)
{
	const struct wanted_mapping *wanted = data;
	const struct mapping *mapping = &wanted->profile->mappings[number];

	return mapping->file == wanted->file &&
	       mapping->offset == wanted->offset &&
	       mapping->limit - mapping->start == wanted->bytes;
}

/* The mapping of the same part of the same file, entered if it is new. */
static uint32_t enter_mapping(struct translation *tr, const struct mapping *m,
			      uint32_t file, uint32_t fresh)
{
	uint64_t bytes = m->limit - m->start;
	struct wanted_mapping wanted = {tr->to, file, m->offset, bytes};
	uint64_t key[] = {file, m->offset, bytes};

	return slots_enter(&tr->to_mappings, &tr->scratch, hash_words(key, 3),
			   same_mapping, &wanted, fresh);
}

static void translate_mappings(struct translation *tr)
{
	const struct mapping *m;
	uint32_t i, fresh;

	for (i = 0; i < tr->to->mapping_count; i++)
		enter_mapping(tr, &tr->to->mappings[i],
			      tr->to->mappings[i].file, i);
	tr->mappings = new_map(tr, tr->from->mapping_count);
	for (i = 0; i < tr->from->mapping_count; i++) {
		m = &tr->from->mappings[i];
		fresh = (uint32_t)tr->to->mapping_count;
		tr->mappings[i] =
			enter_mapping(tr, m, tr->files[m->file], fresh);
		if (tr->mappings[i] == fresh)
			profile_add_mapping(tr->to, m->start, m->limit,
					    m->offset, tr->files[m->file]);
	}
}

static void translate_functions(struct translation *tr)
{
	const struct function *f;
	size_t i;

	tr->functions = new_map(tr, tr->from->function_count);
	for (i = 0; i < tr->from->function_count; i++) {
		f = &tr->from->functions[i];
		tr->functions[i] =
			profile_function(tr->to, f->name, f->system_name,
					 f->filename, f->start_line);
	}
}

static struct line *translate_lines(struct translation *tr,
				    const struct location *location)
{
	struct line *lines =
		ARENA_ARRAY(&tr->scratch, location->line_count, struct line);
	uint32_t i;

	for (i = 0; i < location->line_count; i++) {
		lines[i] = location->lines[i];
		lines[i].function = tr->functions[lines[i].function];
	}
	return lines;
}

static uint32_t translate_location(struct translation *tr,
				   const struct location *from)
{
	struct line *lines = translate_lines(tr, from);
	uint64_t address = from->address;
	uint32_t mapping = NONE, index;
	struct location *to;

	if (from->mapping != NONE) {
		mapping = tr->mappings[from->mapping];
		address = from->address -
			  tr->from->mappings[from->mapping].start +
			  tr->to->mappings[mapping].start;
	}
	index = profile_location_in(tr->to, mapping, address, lines,
				    from->line_count);
	to = &tr->to->locations[index];
	if (!to->line_count && from->line_count) {
		to->lines = arena_copy(tr->to->arena, lines,
				       from->line_count * sizeof(*lines));
		to->line_count = from->line_count;
		to->unresolved = RESOLVED;
	} else if (to->unresolved == NOT_TRIED) {
		to->unresolved = from->unresolved;
	}
	return index;
}

static void translate_locations(struct translation *tr)
{
	struct arena_mark mark;
	size_t i;

	tr->locations = new_map(tr, tr->from->location_count);
	for (i = 0; i < tr->from->location_count; i++) {
		mark = arena_mark(&tr->scratch);
		tr->locations[i] =
			translate_location(tr, &tr->from->locations[i]);
		arena_rewind(&tr->scratch, mark);
	}
}

static uint32_t translate_stack(struct translation *tr, uint32_t number)
{
	const struct stack *stack = &tr->from->stacks[number];
	struct arena_mark mark = arena_mark(&tr->scratch);
	uint32_t *frames = new_map(tr, stack->count), i;

	for (i = 0; i < stack->count; i++)
		frames[i] = tr->locations[tr->from->frames[stack->first + i]];
	number = profile_stack(tr->to, frames, stack->count);
	arena_rewind(&tr->scratch, mark);
	return number;
}

static uint32_t translate_thread(struct translation *tr, uint32_t number)
{
	const struct thread_info *thread;

	if (number == NONE)
		return NONE;
	thread = &tr->from->threads[number];
	return profile_thread(tr->to, thread->uid, thread->name);
}

static const struct lives *signed_lives(struct arena *arena,
					const struct lives *from, double sign)
{
	struct lives *lives;

	if (!from)
		return NULL;
	lives = ARENA_NEW(arena, struct lives);
	lives->freed = sign * from->freed;
	lives->elsewhere = sign * from->elsewhere;
	for (unsigned i = 0; i < LIVES_WORDS; i++)
		lives->words[i] = sign * from->words[i];
	return lives;
}

static void scale_sample(struct arena *arena, struct sample *sample,
			 double factor)
{
	double sign = factor < 0 ? -1 : 1;
	unsigned t;

	for (t = 0; t < SAMPLE_TYPES; t++) {
		sample->value[t].total *= factor;
		sample->value[t].variance *= factor * factor;
	}
	sample->inuse_samples *= sign;
	sample->alloc_samples *= sign;
	sample->lives = signed_lives(arena, sample->lives, sign);
}

static void add_samples(struct translation *tr, double factor)
{
	const struct profile *from = tr->from;
	uint32_t *stacks = new_map(tr, from->stack_count);
	const struct sample *sample;
	struct sample *added;
	size_t i;

	for (i = 0; i < from->stack_count; i++)
		stacks[i] = translate_stack(tr, (uint32_t)i);
	for (i = 0; i < from->sample_count; i++) {
		sample = &from->samples[i];
		added = profile_add_sample(tr->to, stacks[sample->stack],
					   translate_thread(tr, sample->thread),
					   sample->block_bytes);
		memcpy(added->value, sample->value, sizeof(added->value));
		added->inuse_samples = sample->inuse_samples;
		added->alloc_samples = sample->alloc_samples;
		added->lives = sample->lives;
		scale_sample(tr->to->arena, added, factor);
	}
}

static void add_facts(struct profile *to, const struct profile *from)
{
	to->peak_bytes = 0; /* several have no moment in common */
	to->has_alloc &= from->has_alloc;
	to->exact_sizes &= from->exact_sizes;
	to->dropped_samples += from->dropped_samples;
	to->dropped_bytes += from->dropped_bytes;
}

/* An empty profile becomes a copy: the facts are the other's. */
static void copy_facts(struct profile *to, const struct profile *from)
{
	size_t i;

	to->source = str_copy(to->arena, from->source);
	to->period_bytes = from->period_bytes;
	to->has_alloc = from->has_alloc;
	to->exact_sizes = from->exact_sizes;
	to->time_ns = from->time_ns;
	to->start_time_ns = from->start_time_ns;
	to->duration_ns = from->duration_ns;
	to->peak_bytes = from->peak_bytes;
	to->pid = from->pid;
	to->command = str_copy(to->arena, from->command);
	for (i = 0; i < from->comment_count; i++)
		profile_comment(to, from->comments[i]);
	to->dropped_samples = from->dropped_samples;
	to->dropped_bytes = from->dropped_bytes;
}

void profile_add(struct profile *profile, const struct profile *other,
		 double factor)
{
	struct translation tr = {.to = profile, .from = other};

	if (!profile->sample_count && !profile->source.len)
		copy_facts(profile, other);
	else
		add_facts(profile, other);
	translate_files(&tr);
	translate_mappings(&tr);
	translate_functions(&tr);
	translate_locations(&tr);
	add_samples(&tr, factor);
	arena_free(&tr.scratch);
}

void profile_scale(struct profile *profile, double factor)
{
	size_t i;

	for (i = 0; i < profile->sample_count; i++)
		scale_sample(profile->arena, &profile->samples[i], factor);
}
