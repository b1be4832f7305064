/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a profile: it is refused with a message, or read into a model
 * that is sound, can be written in both formats, and comes back from them.
 */
#include "config.h"

#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "libjeheap/profile/read.h"
#include "libjeheap/profile/transform.h"
#include "libjeheap/profile/write.h"

typedef void writer(const struct profile *profile, FILE *stream);

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_round_trip(const struct profile *profile, writer *write)
{
	struct diag diag = {0};
	struct profile *back;
	char *data = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&data, &size);

	must(stream);
	write(profile, stream);
	must(!ferror(stream) && fclose(stream) == 0);
	back = profile_parse((struct str){data, size}, "written", &diag);
	if (!back)
		fprintf(stderr, "%s\n", diag.text);
	must(back && profile_is_valid(back));
	profile_free(back);
	free(data);
}

static void check_transforms(struct profile *profile)
{
	struct filter filter = {.focus = "a", .exclude = "b|0x1"};
	struct stack_groups groups;
	struct profile *sum = profile_new();
	struct arena arena = {0};
	struct diag diag = {0};

	profile_add(sum, profile, 1);
	profile_add(sum, profile, -1);
	must(profile_is_valid(sum));
	profile_match_stacks(profile, sum, &arena, &groups);
	profile_drop_negative(sum);
	must(profile_filter(profile, &filter, &diag));
	must(profile_is_valid(profile) && profile_is_valid(sum));
	arena_free(&arena);
	profile_free(sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str content = {(const char *)data, size};
	struct diag diag = {0};
	struct profile *profile = profile_parse(content, "input", &diag);

	must(diag.set == !profile);
	if (!profile)
		return 0;
	must(profile_is_valid(profile));
	check_round_trip(profile, write_pprof);
	check_round_trip(profile, write_raw);
	check_transforms(profile);
	profile_free(profile);
	return 0;
}
