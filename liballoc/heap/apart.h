/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that will be samples, and lie in slabs of their own (bin.h) where
 * samples are many. A thread keeps a few free regions of these for the next
 * ones, since a busy thread has one for every few calls: most take no lock.
 * Those of created arenas are never kept, as the program may reset these.
 */
#ifndef LIBALLOC_HEAP_APART_H
#define LIBALLOC_HEAP_APART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/size_class.h"

struct arena;
struct cache;
struct extent;

/*
 * A sample goes apart where samples are many, and it shares its page with other
 * objects, whose frees it would slow. Elsewhere that costs a page for each
 * class, and gains nothing.
 */
#define APART_LG_SAMPLE 17u
#define APART_BYTES 4096u
#define APART_CLASSES 49u /* which are those up to APART_BYTES */
#define APART_KEPT 4u

/* Of one class, the newest last. */
struct apart_kept {
	void *regions[APART_KEPT];
	uint32_t count;
	uint32_t requests; /* served since the bin was last told */
	bool served;	   /* any, since it was last trimmed */
};

/* A cache's, made when it keeps the first. One thread at a time. */
struct apart {
	struct apart_kept kept[APART_CLASSES];
};

/*
 * A region of a class of at most APART_BYTES, of the arena; NULL where memory
 * is short. cache: of the thread whose arena that is, which may keep some, if
 * it holds that class; NULL: none may.
 */
void *apart_take(struct cache *cache, struct arena *arena, unsigned size_class);
/*
 * Takes back a region of the slab, which is one apart; cache as above. sampled:
 * it was a sample until now; one that is none is looked at closely. Aborts
 * where it is none in use.
 */
void apart_give(struct cache *cache, struct extent *slab, void *region,
		bool sampled);

/* Of these, apart may be NULL. */

/* Gives back what is kept of classes that served nothing since the last time.
 */
void apart_trim(struct apart *apart);
/* Gives all back. */
void apart_flush(struct apart *apart);
/* Tells the bins of arena what was served. */
void apart_publish(struct apart *apart, struct arena *arena);
/* Bytes that are kept; another thread may ask, for an estimate. */
size_t apart_bytes(const struct apart *apart);

/* After a flush, when nobody else looks at it any more: frees the cache's. */
void apart_free(struct cache *cache);

#endif
