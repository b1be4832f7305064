/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a thread keeps of created arenas: a few free regions of each of the bins
 * that it used lately, so that most calls take no lock. Automatic arenas have
 * the thread's cache, where regions of all of them mix; these may not, since
 * the program names the arena, and may reset or destroy it without asking who
 * keeps what. A region kept is void then, and is dropped unseen.
 */
#ifndef LIBALLOC_HEAP_ARENA_CACHE_H
#define LIBALLOC_HEAP_ARENA_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/bin.h"

#define ARENA_CACHE_PLACES 64u

/* One bin's; another takes the place over where this one goes unused. */
struct arena_cache_place {
	struct bin *bin; /* NULL: none yet */
	uint32_t limit;	 /* regions it may keep now */
	uint32_t used;	 /* above 0: lately */
	struct bin_kept kept;
};
/* Uses by others that a place outlasts. */
#define ARENA_CACHE_USED 3u

/*
 * One thread at a time; nothing here locks it. Pop and push stand to a signal
 * handler that allocates as the fast paths do: see fast.h.
 */
struct arena_cache {
	unsigned trim_next;
	struct arena_cache_place places[ARENA_CACHE_PLACES];
};

/* Programs use some neighbouring classes of each arena most. */
static inline unsigned arena_cache_index(const struct arena *arena,
					 unsigned size_class)
{
	return (arena->index * 16 + size_class) % ARENA_CACHE_PLACES;
}

/*
 * The place of a created arena's class, if that bin has it and it is not void;
 * or NULL.
 */
static inline struct arena_cache_place *
arena_cache_place(struct arena_cache *cache, struct arena *arena,
		  unsigned size_class)
{
	struct arena_cache_place *place =
		&cache->places[arena_cache_index(arena, size_class)];

	return place->bin == &arena->bins[size_class] &&
			       place->kept.generation == arena_generation(arena)
		       ? place
		       : NULL;
}

/* A region that is kept, or NULL; the cache may not be in use. */
static inline void *arena_cache_pop(struct arena_cache *cache,
				    struct arena *arena, unsigned size_class)
{
	struct arena_cache_place *place =
		arena_cache_place(cache, arena, size_class);
	struct bin_kept *kept;

	if (!place || !place->kept.count || place->kept.requests == UINT16_MAX)
		return NULL;
	kept = &place->kept;
	place->used = ARENA_CACHE_USED;
	kept->requests++;
	return kept->regions[--kept->count];
}

/* Keeps a region; false: there is no room, or it is looked at elsewhere. */
static inline bool arena_cache_push(struct arena_cache *cache,
				    struct arena *arena, unsigned size_class,
				    void *region)
{
	struct arena_cache_place *place =
		arena_cache_place(cache, arena, size_class);
	struct bin_kept *kept;

	if (!place)
		return false;
	kept = &place->kept;
	if (kept->count >= place->limit ||
	    (kept->count && kept->regions[kept->count - 1] == region))
		return false;
	place->used = ARENA_CACHE_USED;
	kept->regions[kept->count++] = region;
	return true;
}

/*
 * A region of the bin, which is a created arena's, asking that where none is
 * kept; NULL: ask it yourself. The cache is made on first use; it may be NULL
 * after.
 */
void *arena_cache_take(struct arena_cache **cache, struct bin *bin);
/* Keeps a region of the bin that is in use; false: the bin is to have it. */
bool arena_cache_give(struct arena_cache **cache, struct bin *bin,
		      void *region);
/* Gives all back. */
void arena_cache_flush(struct arena_cache *cache);
/* Gives back what the next few places kept and did not use. */
void arena_cache_trim(struct arena_cache *cache);
/* Gives all back, and keeps nothing until the next take or give. */
void arena_cache_close(struct arena_cache *cache);
/* Gives all back, and frees the cache. */
void arena_cache_free(struct arena_cache *cache);
/* Tells the bins what is kept of theirs. */
void arena_cache_publish(struct arena_cache *cache);
/* Tells them anew, after fork, when they know of nothing. */
void arena_cache_recount(struct arena_cache *cache);
/* Bytes that it keeps; another thread may ask, for an estimate. */
size_t arena_cache_bytes(const struct arena_cache *cache);

#endif
