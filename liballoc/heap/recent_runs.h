/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short runs that were freed lately, kept whole: a slab that empties is often
 * wanted again before long, and neither joining it with its neighbours nor
 * cutting it off again is free. Guarded by the page heap's lock, which counts
 * them as dirty; no page word leads to them.
 */
#ifndef LIBALLOC_HEAP_RECENT_RUNS_H
#define LIBALLOC_HEAP_RECENT_RUNS_H

#include <stdbool.h>
#include <stddef.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/page_map.h"

/* The longest runs that are kept; no slab is longer. */
#define RECENT_PAGES 16u
#define RECENT_MOST 256u

/* Stacks by pages, linked by next. */
struct recent_runs {
	struct extent *newest[RECENT_PAGES + 1];
	unsigned count;
};

static inline bool recent_runs_put(struct recent_runs *runs, struct extent *run)
{
	size_t pages = run->bytes / PAGE_MAP_UNIT;

	if (pages > RECENT_PAGES || runs->count == RECENT_MOST)
		return false;
	run->next = runs->newest[pages];
	runs->newest[pages] = run;
	runs->count++;
	return true;
}

/* The newest of exactly so many bytes, or NULL. */
static inline struct extent *recent_runs_take(struct recent_runs *runs,
					      size_t bytes)
{
	size_t pages = bytes / PAGE_MAP_UNIT;
	struct extent *run;

	if (pages > RECENT_PAGES || !runs->newest[pages])
		return NULL;
	run = runs->newest[pages];
	runs->newest[pages] = run->next;
	runs->count--;
	return run;
}

/* Any of them; NULL: there is none. */
static inline struct extent *recent_runs_take_any(struct recent_runs *runs)
{
	unsigned pages = 0;

	if (!runs->count)
		return NULL;
	while (!runs->newest[pages])
		pages++;
	return recent_runs_take(runs, pages * PAGE_MAP_UNIT);
}

#endif
