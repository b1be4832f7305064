/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pairs CASE COUNT: runs one path of the allocator COUNT times, for
 * bench/instructions to count what it costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* mallocx's flag for past all caches, as jemalloc's header has it; that for an
 * arena is 1 + its index from bit 20. */
enum { DEPTH = 64, SMALL = 64, NO_CACHE = 0x100 };

/* NULL where the allocator has none. */
int mallctl(const char *name, void *old, size_t *old_length, void *value,
	    size_t length) __attribute__((weak));
void *mallocx(size_t size, int flags) __attribute__((weak));
void *rallocx(void *ptr, size_t size, int flags) __attribute__((weak));
void dallocx(void *ptr, int flags) __attribute__((weak));
void sdallocx(void *ptr, size_t size, int flags) __attribute__((weak));
void free_sized(void *ptr, size_t size) __attribute__((weak));
void *operator_new(size_t size) __asm__("_Znwm") __attribute__((weak));
void operator_delete(void *ptr, size_t size) __asm__("_ZdlPvm")
	__attribute__((weak));
void *operator_new_aligned(size_t size,
			   size_t alignment) __asm__("_ZnwmSt11align_val_t")
	__attribute__((weak));
void operator_delete_aligned(void *ptr, size_t size,
			     size_t alignment) __asm__("_ZdlPvmSt11align_val_t")
	__attribute__((weak));

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

static void run_aligned(size_t bytes, unsigned long count)
{
	while (count--)
		free(opaque(aligned_alloc(bytes, bytes)));
}

static void run_posix_memalign(size_t bytes, unsigned long count)
{
	while (count--) {
		void *memory = NULL;

		if (posix_memalign(&memory, 64, bytes))
			exit(2);
		free(opaque(memory));
	}
}

/* Of liballoc and jemalloc alone. */
static void run_flags(size_t bytes, unsigned long count)
{
	if (!mallocx || !sdallocx)
		exit(2);
	while (count--)
		sdallocx(opaque(mallocx(bytes, 0)), bytes, 0);
}

/* Beside one that stays, so that its slab does. */
static void run_direct(size_t bytes, unsigned long count)
{
	void *stays;

	if (!mallocx || !dallocx)
		exit(2);
	stays = mallocx(bytes, NO_CACHE);
	while (count--)
		dallocx(opaque(mallocx(bytes, NO_CACHE)), NO_CACHE);
	dallocx(stays, NO_CACHE);
}

/* In an arena of our own. */
static void run_created(size_t bytes, unsigned long count)
{
	unsigned arena = 0;
	size_t length = sizeof(arena);
	int flags;

	if (!mallctl || mallctl("arenas.create", &arena, &length, NULL, 0))
		exit(2);
	flags = (int)(arena + 1) << 20;
	while (count--)
		dallocx(opaque(mallocx(bytes, flags)), flags);
}

static void run_rallocx(size_t bytes, unsigned long count)
{
	void *memory = malloc(bytes);

	if (!rallocx)
		exit(2);
	for (unsigned long i = 0; i < count; i++)
		memory = opaque(rallocx(memory, i & 1 ? bytes : 2 * bytes, 0));
	free(memory);
}

static void run_free_sized(size_t bytes, unsigned long count)
{
	if (!free_sized)
		exit(2);
	while (count--)
		free_sized(opaque(malloc(bytes)), bytes);
}

/* C++, by mangled names: what a compiler makes of new and delete. */
static void run_new(size_t bytes, unsigned long count)
{
	if (!operator_new || !operator_delete)
		exit(2);
	while (count--)
		operator_delete(opaque(operator_new(bytes)), bytes);
}

static void run_new_aligned(size_t bytes, unsigned long count)
{
	if (!operator_new_aligned || !operator_delete_aligned)
		exit(2);
	while (count--)
		operator_delete_aligned(
			opaque(operator_new_aligned(bytes, bytes)), bytes,
			bytes);
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
	{"aligned-64", run_aligned, SMALL},
	{"memalign-64", run_posix_memalign, SMALL},
	{"mallocx-64", run_flags, SMALL},
	{"direct-64", run_direct, SMALL},
	{"created-64", run_created, SMALL},
	{"rallocx-64", run_rallocx, SMALL},
	{"free-sized-64", run_free_sized, SMALL},
	{"new-64", run_new, SMALL},
	{"new-aligned-64", run_new_aligned, SMALL},
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
