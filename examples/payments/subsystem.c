/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas through the API that liballoc and jemalloc share. It is found by
 * weak symbols, so the same program runs on any allocator.
 */
#include "subsystem.h"

#include <stdio.h>
#include <stdlib.h>

#include <liballoc/liballoc.h>

#pragma weak mallctl
#pragma weak mallocx
#pragma weak rallocx
#pragma weak dallocx

static void *or_die(void *memory)
{
	if (!memory) {
		fputs("payments: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

void subsystem_open(struct subsystem *subsystem, const char *name)
{
	size_t size = sizeof(subsystem->arena);

	subsystem->name = name;
	subsystem->has_arena = mallctl && mallocx && rallocx && dallocx &&
			       mallctl("arenas.create", &subsystem->arena,
				       &size, NULL, 0) == 0;
}

void *subsystem_allocate(const struct subsystem *subsystem, size_t size)
{
	if (!subsystem->has_arena)
		return allocate(size);
	return or_die(mallocx(size, MALLOCX_ARENA(subsystem->arena)));
}

void *subsystem_resize(const struct subsystem *subsystem, void *memory,
		       size_t size)
{
	if (!memory)
		return subsystem_allocate(subsystem, size);
	if (!subsystem->has_arena)
		return or_die(realloc(memory, size));
	return or_die(rallocx(memory, size, MALLOCX_ARENA(subsystem->arena)));
}

void subsystem_free(const struct subsystem *subsystem, void *memory)
{
	if (!subsystem->has_arena || !memory)
		free(memory);
	else
		dallocx(memory, MALLOCX_ARENA(subsystem->arena));
}

void *allocate(size_t size)
{
	return or_die(malloc(size));
}
