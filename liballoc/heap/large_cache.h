/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A few large extents that were freed lately, kept for the next request of
 * about their size; part of a cache, which one thread at a time uses. Other
 * threads may take extents out of it at any moment (large_cache_steal), so an
 * idle thread keeps nothing. What is in it stands outside of the extents'
 * pages; the words of those say that a second free is an error.
 */
#ifndef LIBALLOC_HEAP_LARGE_CACHE_H
#define LIBALLOC_HEAP_LARGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/size_class.h"

struct arena;
struct extent;

#define LARGE_CACHE_SLOTS 8u
/* The largest that opt.tcache_max can ask for: 8 MiB, as with jemalloc. */
#define LARGE_CACHE_MAX_BYTES ((size_t)8 << 20)
#define LARGE_CACHE_CLASSES 36u /* the large classes up to that */

/*
 * Only the owner fills a slot and reads bytes; anyone may empty one, by
 * exchanging extent for NULL. bytes of 0: the owner knows that it is empty.
 */
struct large_slot {
	struct extent *extent; /* atomic */
	size_t bytes;
};

struct large_cache {
	size_t max_bytes;   /* of an extent; 0: off */
	size_t limit_bytes; /* of all of them */
	size_t held_bytes;  /* at most so much, some of it may be stolen */
	uint32_t uses;	    /* extents taken out and put in by the owner */
	uint32_t uses_seen; /* when it was last looked at for idleness */
	uint8_t trust;	    /* how well it serves; 0: keeps hardly anything */
	uint8_t refused;    /* extents not kept for want of trust */
	uint8_t turn;	    /* slot to be emptied next for want of room */
	struct large_slot slots[LARGE_CACHE_SLOTS];
	uint32_t unpublished[LARGE_CACHE_CLASSES]; /* requests served */
};

/* Does any cache hold an extent, as far as is known? Relaxed atomic. */
extern bool large_cache_any;

/* A zeroed one becomes empty, for extents of up to max_bytes. */
void large_cache_init(struct large_cache *cache, size_t max_bytes);

/*
 * An extent of bytes (a multiple of the page) or a little more, aligned to
 * alignment, for an object of size_class; NULL: there is none.
 */
struct extent *large_cache_take(struct large_cache *cache, size_t bytes,
				size_t alignment, unsigned size_class);
/* Keeps extent, if need be in place of others; false: not this one. */
bool large_cache_give(struct large_cache *cache, struct extent *extent);

/* By the owner: gives all extents back to their page heaps. */
void large_cache_flush(struct large_cache *cache);
/* Adds what was served to arena's counts of requests. */
void large_cache_publish(struct large_cache *cache, struct arena *arena);
/* Bytes in it; by any thread. */
size_t large_cache_bytes(const struct large_cache *cache);

/*
 * By any thread that knows the cache to exist: takes all extents out, or only
 * where the cache was not used since the last look. Adds them to the list,
 * linked by next, for large_cache_release() when no lock is held. False: none
 * is left in it.
 */
bool large_cache_steal(struct large_cache *cache, bool only_if_idle,
		       struct extent **list);
void large_cache_release(struct extent *list);

#endif
