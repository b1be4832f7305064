/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call of the API against the model in fuzz/allocator.c: first the
 * inputs of its corpus, then random ones of fixed seeds. The model aborts
 * where liballoc does not do what it must.
 */
#include "config.h"

#include "stress/stress.h"
#include "tap/tap.h"

#include <dirent.h>
#include <fcntl.h>

#include "fuzz/fuzz.h"

#define INPUTS 12
#define INPUT_BYTES 30000

static uint8_t bytes[INPUT_BYTES];

static bool replay(int folder, const char *name)
{
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? -1 : read(file, bytes, sizeof(bytes));

	if (file >= 0)
		close(file);
	if (got >= 0)
		LLVMFuzzerTestOneInput(bytes, (size_t)got);
	return got >= 0;
}

static void replay_corpus(void)
{
	const char *top = getenv("top_srcdir");
	char path[4096];
	struct dirent *entry;
	unsigned bad = 0, count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/fuzz/corpus/allocator",
		 top ? top : ".");
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		bad += !replay(dirfd(folder), entry->d_name);
	}
	if (folder)
		closedir(folder);
	ok(count > 0, "the corpus is there");
	is_uint(bad, 0, "each of its inputs agrees with the model");
}

/* Of all lengths, as long ones reach what short ones cannot, and short ones
 * begin anew more often. */
static void run_random(unsigned count)
{
	uint64_t seed = 20261123;

	for (unsigned i = 0; i < count; i++) {
		size_t size = 1 + stress_random(&seed) % INPUT_BYTES;

		for (size_t k = 0; k < size; k++)
			bytes[k] = (uint8_t)stress_random(&seed);
		alarm(60);
		LLVMFuzzerTestOneInput(bytes, size);
	}
	alarm(0);
	ok(true, "%u random inputs agree with the model", count);
}

int main(int argc, char **argv)
{
	if (argc > 1) { /* the inputs named, as a crash's report has them */
		plan((unsigned)argc - 1);
		for (int i = 1; i < argc; i++)
			ok(replay(AT_FDCWD, argv[i]), "%s", argv[i]);
		return done_testing();
	}
	plan(3);
	replay_corpus();
	run_random(INPUTS * stress_scale());
	return done_testing();
}
