/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is released all at once: one arena per loaded profile, one
 * scratch arena rewound per item. Never frees a single block.
 *
 * Allocation does not fail: where memory is out, the process ends with
 * "out of memory" and status 2 (the one place below main that ends it; hence
 * readers bound what they ask for by the bytes of input left).
 */
#ifndef LIBJEHEAP_BASE_ARENA_H
#define LIBJEHEAP_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	char *next, *end;	    /* free part of the newest block */
};

struct arena_mark {
	struct arena_block *block;
	char *next;
};

/* A zeroed struct arena is an empty one. */
void arena_free(struct arena *arena);
/* Zeroed memory, aligned for any type; size 0 gives a unique pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* count * size, checked. */
void *arena_array(struct arena *arena, size_t count, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * Makes room for one more element of an array that has `count` elements of
 * `size` bytes and room for *capacity. Returns the array, perhaps moved (the
 * old copy stays until the arena goes).
 */
void *arena_grow(struct arena *arena, void *array, size_t count,
		 size_t *capacity, size_t size);

struct arena_mark arena_mark(const struct arena *arena);
/* Releases all that came after the mark. */
void arena_rewind(struct arena *arena, struct arena_mark mark);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type)                                        \
 ((type *)arena_array((arena), (count), sizeof(type)))
/* Appends a zeroed element to (array, count, capacity); its address. */
#define ARENA_PUSH(arena, array, count, capacity)                              \
 ((array) = arena_grow((arena), (array), (count), &(capacity),                 \
		       sizeof(*(array))),                                      \
  &(array)[(count)++])

/* Says "out of memory" and ends the process with status 2. */
_Noreturn void out_of_memory(void);

#endif
