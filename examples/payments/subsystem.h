/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A subsystem's own memory: an arena of its own where the allocator has
 * arenas (liballoc, jemalloc), so that `jestat --arenas` tells the subsystems
 * apart, and plain malloc elsewhere. Any thread may call.
 */
#ifndef PAYMENTS_SUBSYSTEM_H
#define PAYMENTS_SUBSYSTEM_H

#include <stdbool.h>
#include <stddef.h>

struct subsystem {
	const char *name;
	bool has_arena;
	unsigned arena; /* its index, where has_arena */
};

/* Gives the subsystem an arena, if there are any to be had. */
void subsystem_open(struct subsystem *subsystem, const char *name);

/*
 * As malloc, realloc and free, but they never return NULL: a service that is
 * out of memory ends, with a message. Memory goes back to the subsystem that
 * it came from.
 */
void *subsystem_allocate(const struct subsystem *subsystem, size_t size);
void *subsystem_resize(const struct subsystem *subsystem, void *memory,
		       size_t size);
void subsystem_free(const struct subsystem *subsystem, void *memory);

/* For what belongs to no subsystem. */
void *allocate(size_t size);

#endif
