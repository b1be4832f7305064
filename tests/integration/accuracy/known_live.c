/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program whose live bytes are known: allocates COUNT objects of SIZE bytes
 * from two call sites, frees every third one, and dumps its heap profile to
 * PATH. Run with prof_seed set, it samples the same objects each time.
 *
 *	known_live COUNT SIZE PATH
 *
 * Prints "objects bytes": what is live, in usable bytes.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <liballoc/liballoc.h>

static __attribute__((noinline)) void *even_objects(size_t size)
{
	void *volatile p = malloc(size);

	return p;
}

static __attribute__((noinline)) void *odd_objects(size_t size)
{
	void *volatile p = malloc(size);

	return p;
}

/* Fills objects, frees each third; the live usable bytes. */
static size_t work(void **objects, size_t count, size_t size, size_t *live)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		objects[i] = i % 2 ? odd_objects(size) : even_objects(size);
	for (size_t i = 0; i < count; i++) {
		if (i % 3 == 0) {
			free(objects[i]);
			continue;
		}
		bytes += malloc_usable_size(objects[i]);
		++*live;
	}
	return bytes;
}

int main(int argc, char **argv)
{
	size_t count, size, bytes, live = 0;
	const char *path = argc > 3 ? argv[3] : NULL;
	void **objects;
	bool on = true, off = false;

	if (argc != 4)
		return 2;
	count = strtoul(argv[1], NULL, 10);
	size = strtoul(argv[2], NULL, 10);
	/* Only the objects themselves are to be profiled. */
	if (mallctl("prof.active", NULL, NULL, &off, sizeof(off)))
		return 3;
	objects = calloc(count, sizeof(*objects));
	if (!objects || mallctl("prof.active", NULL, NULL, &on, sizeof(on)))
		return 3;
	bytes = work(objects, count, size, &live);
	if (mallctl("prof.dump", NULL, NULL, &path, sizeof(path)))
		return 4;
	printf("%zu %zu\n", live, bytes);
	fflush(stdout);
	_exit(0);
}
