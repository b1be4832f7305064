/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash tables from contents to indices, by which the model's builders give
 * equal things one index. Private to libjeheap/profile.
 */
#ifndef LIBJEHEAP_PROFILE_INDEX_H
#define LIBJEHEAP_PROFILE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/str.h"
#include "libjeheap/profile/profile.h"

struct slot {
	uint32_t number; /* plus 1; 0: empty */
	uint32_t hash;
};

/* A zeroed one is empty. */
struct slots {
	struct slot *slots;
	size_t size; /* 0 or a power of two */
	size_t used; /* at most half of size */
};

/* Does the element `number` equal the wanted one? */
typedef bool slot_equal(const void *wanted, uint32_t number);

/*
 * The number of the element that equals the wanted one, or else `fresh`,
 * which is then entered: the caller makes the element.
 */
uint32_t slots_enter(struct slots *table, struct arena *arena, uint64_t hash,
		     slot_equal *equal, const void *wanted, uint32_t fresh);
/* The same without entering; NONE where there is none. */
uint32_t slots_find(const struct slots *table, uint64_t hash, slot_equal *equal,
		    const void *wanted);

static inline uint64_t hash_words(const uint64_t *words, size_t count)
{
	return str_hash(
		(struct str){(const char *)words, count * sizeof(*words)});
}

/* A size as an index; ends the process where it does not fit. */
static inline uint32_t to_index(size_t count)
{
	if (count >= NONE)
		out_of_memory();
	return (uint32_t)count;
}

/* What struct profile keeps for its builders. */
struct profile_index {
	struct slots files, functions, locations, stacks, threads;
	struct intern strings; /* each text is kept once */
	size_t sealed;	       /* mappings[0 .. sealed) are sorted by start */
};

/*
 * The profile's own copy of a text, one for all equal ones: a small file may
 * name a long string a million times.
 */
struct str profile_string(struct profile *profile, struct str s);

/*
 * A location in a known mapping (or NONE), for formats that name it. An
 * address of 0 with lines is told apart by its lines.
 */
uint32_t profile_location_in(struct profile *profile, uint32_t mapping,
			     uint64_t call_site, const struct line *lines,
			     uint32_t line_count);

#endif
