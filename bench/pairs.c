/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pairs CASE COUNT: runs one path of the allocator COUNT times, for
 * bench/instructions to count what it costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 64, SMALL = 64 };

/* Keeps the compiler from removing a pair whose memory is never read. */
static void *opaque(void *memory)
{
	__asm__ volatile("" : "+r"(memory)::"memory");
	return memory;
}

static void pair(size_t bytes, unsigned long count)
{
	while (count--)
		free(opaque(malloc(bytes)));
}

static void run_calloc(size_t bytes, unsigned long count)
{
	while (count--)
		free(opaque(calloc(1, bytes)));
}

/* Grows and shrinks one block. */
static void run_realloc(size_t bytes, unsigned long count)
{
	void *memory = NULL;

	for (unsigned long i = 0; i < count; i++) {
		void *moved = realloc(memory, i & 1 ? bytes : 2 * bytes);

		if (!moved)
			exit(2);
		memory = opaque(moved);
	}
	free(memory);
}

/* A stack of objects: count pairs in batches. */
static void lifo(size_t bytes, unsigned long count)
{
	void *objects[DEPTH];

	for (; count >= DEPTH; count -= DEPTH) {
		for (unsigned i = 0; i < DEPTH; i++)
			objects[i] = opaque(malloc(bytes));
		for (unsigned i = DEPTH; i-- > 0;)
			free(objects[i]);
	}
}

static const struct path {
	const char *name;
	void (*run)(size_t bytes, unsigned long count);
	size_t bytes;
} paths[] = {
	{"pair-16", pair, 16},
	{"pair-1k", pair, 1024},
	{"pair-32k", pair, 32 << 10},
	{"pair-1m", pair, 1 << 20},
	{"lifo-64", lifo, SMALL},
	{"calloc-64", run_calloc, SMALL},
	{"realloc-64", run_realloc, SMALL},
};

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("Usage: pairs CASE COUNT\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(paths[i].name, argv[1]) == 0) {
			paths[i].run(paths[i].bytes,
				     strtoul(argv[2], NULL, 10));
			return 0;
		}
	}
	fprintf(stderr, "pairs: no case %s\n", argv[1]);
	return 2;
}
