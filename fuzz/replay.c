/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls a fuzz target with each file of its corpus, one test a file:
 * fuzz/replay_NAME reads tests/data and fuzz/corpus/NAME of the source tree,
 * or the files it is given. An input that takes ten seconds ends the program.
 */
#include "config.h"

#include <dirent.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "libjeheap/base/arena.h"
#include "tap/tap.h"

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay(const char *path, const char *name)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;
	size_t size = 0, room = 0;

	while (file && !feof(file) && !ferror(file)) {
		if (size == room)
			data = realloc(data, room = room * 2 + 4096);
		if (!data)
			abort();
		size += fread(data + size, 1, room - size, file);
	}
	alarm(10);
	if (file)
		LLVMFuzzerTestOneInput((const uint8_t *)data, size);
	ok(file && !ferror(file), "%s", name);
	if (file)
		fclose(file);
	free(data);
}

struct inputs {
	struct arena arena;
	char **paths;
	size_t count, capacity;
};

static void add_folder(struct inputs *inputs, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_visible, alphasort), i;

	for (i = 0; i < count; i++) {
		*ARENA_PUSH(&inputs->arena, inputs->paths, inputs->count,
			    inputs->capacity) =
			arena_printf(&inputs->arena, "%s/%s", folder,
				     entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static int replay_corpus(const char *program)
{
	const char *top = getenv("top_srcdir");
	const char *name = strstr(program, "replay_");
	struct inputs inputs = {0};
	size_t i;

	if (!name || !top)
		return 99;
	add_folder(&inputs, arena_printf(&inputs.arena, "%s/tests/data", top));
	add_folder(&inputs, arena_printf(&inputs.arena, "%s/fuzz/corpus/%s",
					 top, name + strlen("replay_")));
	plan((unsigned)inputs.count);
	for (i = 0; i < inputs.count; i++)
		replay(inputs.paths[i], inputs.paths[i] + strlen(top) + 1);
	arena_free(&inputs.arena);
	return done_testing();
}

int main(int argc, char **argv)
{
	int i;

	if (argc == 1)
		return replay_corpus(argv[0]);
	plan((unsigned)argc - 1);
	for (i = 1; i < argc; i++)
		replay(argv[i], argv[i]);
	return done_testing();
}
