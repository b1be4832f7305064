/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model's builders: what is equal shares an index, what differs does not.
 */
#include "config.h"

#include "libjeheap/profile/profile.h"
#include "tap/tap.h"

static struct profile *profile;

static void test_files(void)
{
	uint32_t a = profile_file(profile, STR("/bin/a"), STR("\1"), false);

	is_uint(a, 0, "the first file");
	is_uint(profile_file(profile, STR("/bin/a"), STR("\1"), false), 0,
		"the same again");
	is_uint(profile_file(profile, STR("/bin/a"), STR("\2"), false), 1,
		"another build is another file");
	is_uint(profile_file(profile, STR("/bin/a"), STR("\1"), true), 2,
		"so is a deleted one");
	ok(str_equal(profile->files[1].build_id, STR("\2")), "it is kept");
}

static void test_locations(void)
{
	uint32_t here;

	profile_add_mapping(profile, 0x5000, 0x6000, 0x1000, 1);
	profile_add_mapping(profile, 0x1000, 0x3000, 0, 0);
	profile_add_mapping(profile, 0x9000, 0xa000, 0, 0);
	profile_seal_mappings(profile);
	is_uint(profile->mappings[1].start, 0x5000, "mappings are sorted");
	here = profile_location(profile, 0x5010);
	is_uint(profile->locations[here].file, 1, "an address has its file");
	is_uint(profile->locations[here].offset, 0x1010, "and its offset");
	ok(profile->locations[here].unresolved == NOT_TRIED, "no symbol yet");
	is_uint(profile_location(profile, 0x5010), here, "the same again");
	is_uint(profile->locations[profile_location(profile, 0x2fff)].mapping,
		0, "the last byte is inside");
	here = profile_location(profile, 0x3000);
	is_uint(profile->locations[here].mapping, NONE, "the limit is not");
	is_uint(profile->locations[here].offset, 0x3000,
		"without a file the offset is the address");
	ok(profile->locations[here].unresolved == NO_MAPPING, "and why");
	is_uint(profile->locations[profile_location(profile, 0)].mapping, NONE,
		"below the first mapping");
	is_uint(profile_location(profile, 0x9010),
		profile_location(profile, 0x1010),
		"a file mapped twice gives one location");
}

static void test_stacks(void)
{
	static const uint32_t frames[] = {1, 2, 3};

	is_uint(profile_stack(profile, frames, 3), 0, "a stack");
	is_uint(profile_stack(profile, frames, 2), 1, "a shorter one");
	is_uint(profile_stack(profile, frames + 1, 2), 2, "another");
	is_uint(profile_stack(profile, frames, 3), 0, "the first again");
	is_uint(profile_stack(profile, NULL, 0), 3, "an empty one");
	is_uint(profile_stack(profile, frames, 0), 3, "again");
	is_uint(profile->frame_count, 7, "frames are stored once");
}

static void test_threads(void)
{
	is_uint(profile_thread(profile, 7, STR("")), 0, "a thread");
	is_uint(profile_thread(profile, 9, STR("nine")), 1, "another");
	is_uint(profile_thread(profile, 7, STR("seven")), 0, "the first");
	ok(str_equal(profile->threads[0].name, STR("seven")),
	   "its name comes later");
}

static void test_functions(void)
{
	struct str f = STR("f"), none = STR("");

	is_uint(profile_function(profile, f, none, STR("f.c"), 3), 0, "f");
	is_uint(profile_function(profile, f, none, STR("g.c"), 3), 1,
		"another file's f");
	is_uint(profile_function(profile, f, none, STR("f.c"), 3), 0, "f");
}

static void test_many(void)
{
	uint64_t address;
	uint32_t wrong = 0, at;
	size_t before = profile->location_count;

	for (address = 0x100000; address < 0x110000; address++) {
		at = profile_location(profile, address);
		wrong += at != before + (address - 0x100000);
		wrong += profile_location(profile, address) != at;
	}
	is_uint(wrong, 0, "65536 locations keep their order");
}

static void test_total(void)
{
	struct value total;
	int i;

	for (i = 1; i <= 10; i++)
		profile_add_sample(profile, 0, NONE, 16)->value[INUSE_SPACE] =
			(struct value){i, 2 * i};
	total = profile_total(profile, INUSE_SPACE);
	ok(total.total == 55 && total.variance == 110, "the total");
	total = profile_total(profile, ALLOC_SPACE);
	ok(total.total == 0 && total.variance == 0, "of each type");
}

int main(void)
{
	plan(33);
	profile = profile_new();
	test_files();
	test_locations();
	test_stacks();
	test_threads();
	test_functions();
	test_many();
	test_total();
	profile_free(profile);
	profile_free(NULL);
	return done_testing();
}
