/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that belong to the allocator itself: whoever asks where memory goes
 * wants the caller of malloc as the leaf. Needs names for what is not in an
 * allocator's own library.
 */
#include "config.h"

#include "libjeheap/profile/transform.h"

/* As functions are called without their arguments. */
static const char *const allocator_functions[] = {
	"malloc",
	"calloc",
	"realloc",
	"reallocarray",
	"memalign",
	"posix_memalign",
	"aligned_alloc",
	"valloc",
	"pvalloc",
	"mallocx",
	"rallocx",
	"xallocx",
	"operator new",
	"operator new[]",
	"__libc_malloc",
	"__libc_calloc",
	"__libc_realloc",
	"__builtin_new",
	"__builtin_vec_new",
	"tc_malloc",
	"tc_calloc",
	"tc_realloc",
	"tc_memalign",
	"tc_posix_memalign",
	"tc_new",
	"tc_newarray",
	"tc_new_nothrow",
	"tc_newarray_nothrow",
	"je_malloc",
	"je_calloc",
	"je_realloc",
	"je_mallocx",
	"je_rallocx",
	"je_posix_memalign",
	"je_aligned_alloc",
	"mi_malloc",
	"mi_calloc",
	"mi_realloc",
	"_rjem_malloc",
	"_rjem_calloc",
	"_rjem_realloc",
	"_rjem_mallocx",
	"_rjem_rallocx",
};

static const char *const allocator_libraries[] = {
	"liballoc.so",
	"libjemalloc.so",
	"libtcmalloc",
	"libmimalloc.so",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_allocator_function(struct str name)
{
	for (size_t i = 0; i < COUNT(allocator_functions); i++) {
		struct str known = str_of(allocator_functions[i]);

		if (str_starts_with(name, known) &&
		    (name.len == known.len || name.ptr[known.len] == '(' ||
		     name.ptr[known.len] == '@'))
			return true;
	}
	return false;
}

static bool is_allocator_library(struct str path)
{
	struct str name = str_basename(path);

	for (size_t i = 0; i < COUNT(allocator_libraries); i++)
		if (str_starts_with(name, str_of(allocator_libraries[i])))
			return true;
	return false;
}

static bool in_allocator_library(const struct profile *profile,
				 const struct location *location)
{
	return location->file != NONE &&
	       is_allocator_library(profile->files[location->file].path);
}

static bool in_allocator_function(const struct profile *profile,
				  const struct location *location)
{
	const struct line *outermost;

	if (!location->line_count)
		return false;
	outermost = &location->lines[location->line_count - 1];
	return is_allocator_function(
		profile->functions[outermost->function].name);
}

/* How many frames from the leaf on are the allocator's. */
static uint32_t allocator_depth(const struct profile *profile,
				const struct stack *stack,
				const bool *in_library, const bool *in_function)
{
	const uint32_t *frames = profile->frames + stack->first;
	uint32_t depth = 0;

	while (depth < stack->count && in_library[frames[depth]])
		depth++;
	for (uint32_t i = depth; i < stack->count; i++)
		if (in_function[frames[i]])
			depth = i + 1;
	return depth;
}

void profile_drop_allocator(struct profile *profile)
{
	size_t count = profile->location_count;
	bool *in_library = ARENA_ARRAY(profile->arena, count, bool);
	bool *in_function = ARENA_ARRAY(profile->arena, count, bool);

	for (size_t i = 0; i < count; i++) {
		const struct location *location = &profile->locations[i];

		in_library[i] = in_allocator_library(profile, location);
		in_function[i] = in_allocator_function(profile, location);
	}
	for (size_t i = 0; i < profile->stack_count; i++) {
		struct stack *stack = &profile->stacks[i];
		uint32_t depth = allocator_depth(profile, stack, in_library,
						 in_function);

		if (depth < stack->count) {
			stack->first += depth;
			stack->count -= depth;
		}
	}
}
