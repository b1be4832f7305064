/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which stack of one profile is which of another. A frame is known by its
 * file (build-id, else path) and offset where both profiles have that file;
 * in a file that was rebuilt, or that only one of them has, by the names of
 * its functions, so that a frame inlined in one build only still matches.
 */
#ifndef JEHEAPDIFF_MATCH_H
#define JEHEAPDIFF_MATCH_H

#include "libjeheap/profile/profile.h"

enum { OLD, NEW, SIDES };

struct matcher {
	struct arena *arena;
	const struct profile *profiles[SIDES];
	struct intern frames;	/* identities of frames */
	struct intern stacks;	/* sequences of numbers of frames */
	size_t *first[SIDES];	/* by location: in ids; one past the last too */
	uint32_t *ids[SIDES];	/* numbers of frames, innermost first */
	size_t rebuilt_files;	/* one path, two build-ids */
	size_t nameless[SIDES]; /* locations in such files without a name */
};

/* Both profiles are symbolized. All memory is the arena's. */
void matcher_init(struct matcher *matcher, const struct profile *old_profile,
		  const struct profile *new_profile, struct arena *arena);
/* Equal stacks of both sides, and of one, have one number: 0, 1, 2 ... */
uint32_t matcher_stack(struct matcher *matcher, unsigned side, uint32_t stack);

#endif
