/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An arena's extent hooks as the page heap uses them. Most arenas have none
 * of their own and never come here; the hooks that a program reads from such
 * an arena do the same by the kernel, so that its own may call them. All are
 * called with the page heap's lock held, but for hooks_discard(). A program
 * may set others at any time: each call takes those of that moment.
 */
#ifndef LIBALLOC_HEAP_EXTENT_HOOKS_H
#define LIBALLOC_HEAP_EXTENT_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/extent.h"

static inline bool hooks_are_custom(const struct arena *arena)
{
	return __atomic_load_n(&arena->hooks, __ATOMIC_RELAXED) != NULL;
}

/*
 * New memory by custom hooks, aligned to alignment, as a clean run's base,
 * with the run's hooked bits; NULL where there is none. commit: they are asked
 * to commit it at once.
 */
void *hooks_map(struct arena *arena, size_t bytes, size_t alignment,
		bool commit, uint8_t *hooked);
/* Back to the hooks that gave it, before it came into use; false: refused. */
bool hooks_unmap(struct arena *arena, void *base, size_t bytes, bool committed);
/* Do the hooks ever allow a cut? */
bool hooks_can_split(const struct arena *arena);
/* May run be cut after bytes? Any arena. */
bool hooks_split(struct arena *arena, const struct extent *run, size_t bytes);
/* May the two, first at the lower address, be joined? Any arena. */
bool hooks_merge(struct arena *arena, const struct extent *first,
		 const struct extent *second);
/* Commits run where it is not; false: it cannot be used. Any arena. */
bool hooks_commit(struct arena *arena, struct extent *run);
/*
 * Gives the pages of a dirty or muzzy run back by custom hooks: what it is
 * now, EXTENT_FREE_STATES where it is gone. Sets hooked.
 */
enum extent_state hooks_discard(struct arena *arena, struct extent *run,
				enum extent_state state, bool lazily);
/* The arena goes, and this free run with it. Any arena. */
void hooks_destroy(struct arena *arena, const struct extent *run);

#endif
