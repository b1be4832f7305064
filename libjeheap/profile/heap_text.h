/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text formats' common part, private to libjeheap/profile.
 */
#ifndef LIBJEHEAP_PROFILE_HEAP_TEXT_H
#define LIBJEHEAP_PROFILE_HEAP_TEXT_H

#include <stdbool.h>

#include "libjeheap/base/cursor.h"
#include "libjeheap/profile/profile.h"

/* No stack of more frames is believed: jemalloc's limit is 128. */
#define HEAP_TEXT_MAX_FRAMES 65536

/*
 * Reads all that is left of the cursor, a dump from its header line, into a
 * new profile. maps_required: a heap_v2 dump without its maps is an error.
 */
bool heap_text_parse(struct profile *profile, struct cursor *c,
		     bool maps_required);

/*
 * Takes the lines that begin with '%', which may come before any header, as
 * comments, and then the header line. False: there is none.
 */
bool heap_text_header(struct profile *profile, struct cursor *c,
		      struct str *line);

/* The lines that begin with "# " (extension.c). */
struct extension_sample {
	uint32_t thread;      /* NONE: all */
	uint64_t block_bytes; /* size class */
	uint64_t in_count, in_bytes, alloc_count, alloc_bytes;
	uint64_t in_squares, alloc_squares; /* 0: not told */
	double period_bytes;		    /* 0: the dump's */
	bool is_estimate; /* `value` is set, rather than the counts */
	struct sample value;
	const struct lives *lives; /* NULL: not told */
};

struct extension_samples {
	struct arena *arena;
	struct extension_sample *rows;
	size_t count, capacity;
	size_t line; /* the first row that a line of squares, or then of
			frees, may tell of */
};

/*
 * Takes one line, without its "# ". A line that describes the dump is noted
 * in the profile; one that describes the current stack is appended to
 * samples. Unknown ones are passed over. False: a known one is malformed.
 */
bool extension_line(struct profile *profile, struct str line,
		    struct extension_samples *samples);
/* START-END HEX PATH of a build_id line; false where it is none. */
struct mapped_build_id;
bool extension_build_id(struct arena *arena, struct str line,
			struct mapped_build_id *id);
/* Pairs of hex digits as bytes; false where it is not that. */
bool decode_hex(struct arena *arena, struct str hex, struct str *bytes);

#endif
