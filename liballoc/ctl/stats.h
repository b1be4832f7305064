/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc_stats_print in its two forms, and what they share: what to print,
 * and how controls are read by their rows' names. Allocates nothing.
 */
#ifndef LIBALLOC_CTL_STATS_H
#define LIBALLOC_CTL_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/ctl/ctl.h"
#include "liballoc/ctl/print.h"

struct ctl_row;

/* What to print. All but json are on unless a letter turns them off. */
struct stats_parts {
	bool json;	/* J */
	bool general;	/* g: version, options, what never changes */
	bool merged;	/* m: all arenas added up */
	bool destroyed; /* d: what destroyed arenas left */
	bool arenas;	/* a: each arena */
	bool bins;	/* b */
	bool lextents;	/* l */
	bool extents;	/* e: free runs by size */
	bool mutexes;	/* x */
};

/* Of the letters those that are known; others are passed over. */
struct stats_parts stats_parts_of(const char *letters);

void stats_print_json(struct print *out, const struct stats_parts *parts);
void stats_print_text(struct print *out, const struct stats_parts *parts);

/* The numbers that rows with <i> and <j> are read by. */
struct stats_index {
	size_t mib[CTL_MAX_DEPTH];
};

/* For stats.arenas.<i>, and its bins.<j> or lextents.<j>. */
struct stats_index stats_index_of_arena(size_t arena, size_t j);
/* For arenas.bin.<i> and arenas.lextent.<i>. */
struct stats_index stats_index_of_class(size_t i);

/* Reads a row; false where it cannot be read, or reading has an effect. */
bool stats_read(const struct ctl_row *row, const struct stats_index *index,
		uint64_t *value);
/* The row of that name; false: there is none. */
bool stats_find(const char *name, struct ctl_row *row);
/* The number in the row of that name, <i> and <j> as they stand; else 0. */
uint64_t stats_value(const char *name, const struct stats_index *index);

/*
 * The rest of the row's name after prefix, where no component of that is an
 * index; else NULL.
 */
const char *stats_name_within(const struct ctl_row *row, const char *prefix);

/* Does the arena have statistics? The destroyed ones by their pseudo index. */
bool stats_has_arena(size_t arena);

/*
 * The tables of stats_text.c: the sizes of an arena (bins, large, extents, as
 * parts say), and all locks whose controls begin with prefix.
 */
void stats_print_sizes(struct print *out, const struct stats_parts *parts,
		       size_t arena);
void stats_print_mutexes(struct print *out, const char *prefix, size_t arena,
			 uint64_t uptime_ns);
/* value, and how much of it there was in each second of the time. */
void stats_print_rate(struct print *out, uint64_t value, size_t width,
		      uint64_t uptime_ns);

#endif
