/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator's own frames are cut, and nothing else. */
#include "config.h"

#include "libjeheap/profile/transform.h"
#include "tap/tap.h"

#define LIBRARY 0x10000u
#define PROGRAM 0x20000u
#define OPERATOR 0x20100u

static uint32_t stack_of(struct profile *profile, const uint32_t *addresses,
			 size_t count)
{
	uint32_t locations[8];
	uint32_t stack;

	for (size_t i = 0; i < count; i++)
		locations[i] = profile_location(profile, addresses[i]);
	stack = profile_stack(profile, locations, count);
	profile_add_sample(profile, stack, NONE, 0);
	return stack;
}

static struct profile *make_profile(void)
{
	struct profile *profile = profile_new();
	struct str no_id = {NULL, 0};
	struct location *location;
	uint32_t index;

	profile_add_mapping(profile, LIBRARY, LIBRARY + 0x1000, 0,
			    profile_file(profile, STR("/lib/libjemalloc.so.2"),
					 no_id, false));
	profile_add_mapping(
		profile, PROGRAM, PROGRAM + 0x1000, 0,
		profile_file(profile, STR("/bin/program"), no_id, false));
	profile_seal_mappings(profile);
	index = profile_location(profile, OPERATOR);
	location = &profile->locations[index];
	location->lines = ARENA_NEW(profile->arena, struct line);
	location->line_count = 1;
	location->lines->function =
		profile_function(profile, STR("operator new(unsigned long)"),
				 STR("_Znwm"), (struct str){NULL, 0}, 0);
	return profile;
}

int main(void)
{
	static const uint32_t by_library[] = {LIBRARY + 1, LIBRARY + 2,
					      PROGRAM + 1, PROGRAM + 2};
	static const uint32_t by_name[] = {PROGRAM + 3, OPERATOR, PROGRAM + 1};
	static const uint32_t root[] = {PROGRAM + 4, LIBRARY + 2};
	static const uint32_t alone[] = {LIBRARY + 1, LIBRARY + 2};
	struct profile *profile = make_profile();
	uint32_t stack[4];

	plan(6);
	stack[0] = stack_of(profile, by_library, 4);
	stack[1] = stack_of(profile, by_name, 3);
	stack[2] = stack_of(profile, root, 2);
	stack[3] = stack_of(profile, alone, 2);
	profile_drop_allocator(profile);
	is_uint(profile->stacks[stack[0]].count, 2, "a library's frames go");
	is_uint(profile->locations
			[profile->frames[profile->stacks[stack[0]].first]]
				.address,
		PROGRAM + 1, "the caller is the leaf");
	is_uint(profile->stacks[stack[1]].count, 1,
		"operator new and what it called go");
	is_uint(profile->locations
			[profile->frames[profile->stacks[stack[1]].first]]
				.address,
		PROGRAM + 1, "its caller is the leaf");
	is_uint(profile->stacks[stack[2]].count, 2,
		"a library's frame at the root stays");
	is_uint(profile->stacks[stack[3]].count, 2,
		"a stack of nothing else stays");
	profile_free(profile);
	return done_testing();
}
