/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's vdso, which is no file: named where the profile's build-id is
 * that of the kernel running, and not otherwise.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "libjeheap/symbol/symbol.h"
#include "libjeheap/target/maps.h"
#include "libjeheap/target/target.h"
#include "tap/tap.h"

#define STEP 16
#define BYTES 8192

static bool find_vdso(struct target *target, struct map_line *line)
{
	struct str maps = target->maps;

	while (next_map(&maps, line))
		if (str_equal(line->path, STR("[vdso]")))
			return true;
	return false;
}

/* Locations that got a name; *clock: one of them is clock_gettime's. */
static size_t name_all(struct str id, bool *clock, enum unresolved *reason)
{
	struct symbol_options options = {0};
	struct profile *profile = profile_new();
	uint32_t file = profile_file(profile, STR("[vdso]"), id, false);
	struct symbol_stats stats;

	profile_add_mapping(profile, 0, BYTES, 0, file);
	profile_seal_mappings(profile);
	for (uint64_t at = 0; at < BYTES; at += STEP)
		profile_location(profile, at);
	symbolize(profile, &options, &stats);
	*clock = false;
	*reason = profile->locations[0].unresolved;
	for (size_t i = 0; i < profile->function_count; i++)
		if (str_find(profile->functions[i].name,
			     STR("clock_gettime")) != SIZE_MAX)
			*clock = true;
	profile_free(profile);
	return stats.resolved;
}

int main(void)
{
	struct arena arena = {0};
	struct diag diag = {0};
	struct target target;
	struct map_line line;
	enum unresolved reason;
	struct str id;
	bool clock;

	if (!target_open(&target, getpid(), &diag) ||
	    !find_vdso(&target, &line) ||
	    !target_build_id(&target, line.start, &arena, &id))
		return skip_all("no vdso with a build-id here");
	plan(4);
	ok(name_all(id, &clock, &reason) > 0, "its functions have names");
	ok(clock, "clock_gettime among them");
	is_uint(name_all(STR("another"), &clock, &reason), 0,
		"those of another kernel have none");
	is_uint(reason, FILE_CHANGED, "and that is the reason");
	target_close(&target);
	arena_free(&arena);
	return done_testing();
}
