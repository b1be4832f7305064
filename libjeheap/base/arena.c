/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arena blocks: a list of mallocs, each larger than the last, and a bump
 * pointer into the newest.
 */
#include "config.h"

#include "libjeheap/base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_BYTES ((size_t)16 << 10)
#define LARGEST_BLOCK_BYTES ((size_t)4 << 20)

struct arena_block {
	struct arena_block *older;
	size_t size;
	alignas(max_align_t) char data[];
};

_Noreturn void out_of_memory(void)
{
	fputs("out of memory\n", stderr);
	exit(2);
}

static void add_block(struct arena *arena, size_t least)
{
	size_t size = FIRST_BLOCK_BYTES;
	struct arena_block *block;

	if (arena->blocks && arena->blocks->size < LARGEST_BLOCK_BYTES)
		size = arena->blocks->size * 2;
	else if (arena->blocks)
		size = LARGEST_BLOCK_BYTES;
	if (size < least)
		size = least;
	if (size > PTRDIFF_MAX - sizeof(*block))
		out_of_memory();
	block = malloc(sizeof(*block) + size);
	if (!block)
		out_of_memory();
	block->older = arena->blocks;
	block->size = size;
	arena->blocks = block;
	arena->next = block->data;
	arena->end = block->data + size;
}

static void *take(struct arena *arena, size_t size)
{
	size_t rounded;
	void *p;

	if (size > PTRDIFF_MAX - alignof(max_align_t))
		out_of_memory();
	rounded = (size + !size + alignof(max_align_t) - 1) &
		  ~(alignof(max_align_t) - 1);
	if ((size_t)(arena->end - arena->next) < rounded)
		add_block(arena, rounded);
	p = arena->next;
	arena->next += rounded;
	return p;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(take(arena, size), 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory();
	return arena_alloc(arena, bytes);
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
	void *p = take(arena, size);

	return size ? memcpy(p, data, size) : p;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text) + 1);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		out_of_memory();
	text = take(arena, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, void *array, size_t count,
		 size_t *capacity, size_t size)
{
	size_t larger = *capacity ? *capacity * 2 : 8;
	void *grown;

	if (count < *capacity) {
		memset((char *)array + count * size, 0, size);
		return array;
	}
	grown = arena_array(arena, larger, size);
	if (count)
		memcpy(grown, array, count * size);
	*capacity = larger;
	return grown;
}

struct arena_mark arena_mark(const struct arena *arena)
{
	return (struct arena_mark){arena->blocks, arena->next};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
	while (arena->blocks != mark.block) {
		struct arena_block *older = arena->blocks->older;

		free(arena->blocks);
		arena->blocks = older;
	}
	arena->next = mark.next;
	arena->end = mark.block ? mark.block->data + mark.block->size : NULL;
}

void arena_free(struct arena *arena)
{
	arena_rewind(arena, (struct arena_mark){NULL, NULL});
}
