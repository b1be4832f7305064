/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames of a profile under the names of one granularity: locations with
 * their inlined lines become steps, equal names become one number. What all
 * reports aggregate by; it holds no values.
 */
#ifndef LIBJEHEAP_REPORT_FRAMES_H
#define LIBJEHEAP_REPORT_FRAMES_H

#include "libjeheap/profile/profile.h"
#include "libjeheap/report/report.h"

struct frame_step {
	uint32_t name;	   /* in frames.names */
	uint32_t location; /* in profile.locations */
	uint32_t line;	   /* of the location's lines */
	bool inlined;	   /* into the next step, its caller */
};

struct frames {
	const struct profile *profile;
	struct intern names;
	struct str *files;	  /* by name: object file's base name, empty
				     where unknown or where they differ */
	uint32_t *names_of;	  /* by location, then line */
	size_t *first;		  /* by location: in names_of */
	struct frame_step *steps; /* room for the deepest stack */
};

/* All in the arena. */
struct frames *frames_new(const struct profile *profile,
			  enum granularity granularity, struct arena *arena);
/* Fills frames->steps, leaf first, for a stack; the count. */
size_t frames_expand(struct frames *frames, uint32_t stack);
/* How many frames a location stands for: its lines, or 1 without. */
uint32_t location_steps(const struct location *location);

#endif
