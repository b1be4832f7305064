/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of frames at each granularity, resolved and not. */
#include "config.h"

#include "libjeheap/report/frames.h"
#include "tap/tap.h"
#include "unit/report/sketch.h"

static struct arena arena;

static void is_name(const struct profile *profile, uint32_t location,
		    uint32_t line, enum granularity granularity,
		    const char *want)
{
	struct str name =
		frame_name(profile, location, line, granularity, &arena);

	is_string(str_cstring(&arena, name), want, want);
}

int main(void)
{
	struct profile *profile = sketch_new();
	uint32_t known, bare, unmapped;
	struct frames *frames;

	plan(16);
	sketch_add(profile, "MAb", 1, 0);
	known = profile_location(profile, SKETCH_BASE + 'A' + ('b' << 4));
	bare = profile_location(profile, SKETCH_BASE + 0x9abc);
	unmapped = profile_location(profile, 0xdead0000);
	is_name(profile, known, 0, BY_FUNCTION, "b");
	is_name(profile, known, 1, BY_FUNCTION, "A");
	is_name(profile, known, 0, BY_FILE, "b.c");
	is_name(profile, known, 0, BY_LINE, "b b.c:98");
	is_name(profile, known, 1, BY_ADDRESS, "0x400661 A A.c:65");
	is_name(profile, bare, 0, BY_FUNCTION, "libsketch.so.1+0x9abc");
	is_name(profile, bare, 0, BY_LINE, "libsketch.so.1+0x9abc");
	is_name(profile, bare, 0, BY_FILE, "libsketch.so.1");
	is_name(profile, unmapped, 0, BY_FUNCTION, "[unknown] 0xdead0000");
	is_name(profile, unmapped, 0, BY_FILE, "[unknown]");

	frames = frames_new(profile, BY_FUNCTION, &arena);
	is_uint(frames_expand(frames, 0), 3, "inlined frames are frames");
	is_string(str_cstring(&arena,
			      frames->names.strings[frames->steps[0].name]),
		  "b", "the leaf comes first");
	ok(frames->steps[0].inlined, "the inlined one says so");
	ok(!frames->steps[1].inlined && !frames->steps[2].inlined,
	   "the others do not");
	is_string(str_cstring(&arena, frames->files[frames->steps[0].name]),
		  "libsketch.so.1", "a name knows its library");
	is_uint(frames->names.count, 5, "equal names are one");
	profile_free(profile);
	arena_free(&arena);
	return done_testing();
}
