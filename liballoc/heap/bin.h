/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slabs of one size class in one arena: hands out and takes back regions
 * in batches, under a lock of its own. The fullest slabs are used first, so
 * that the others may empty and go back to the page heap. Where samples are
 * many they lie in slabs of their own, so that no other object's free has to
 * ask whether it is one. Threads keep some regions of created arenas' bins, and
 * of those for samples: see arena_cache.h and apart.h.
 */
#ifndef LIBALLOC_HEAP_BIN_H
#define LIBALLOC_HEAP_BIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/page_heap.h"

struct arena;
struct class_stats;

#define BIN_FULLNESS 8u /* lists of slabs that are neither full nor empty */

/* Everything is guarded by lock; so is each slab in use of this class. */
struct bin {
	struct lock lock;
	unsigned size_class;
	struct arena *arena;
	struct class_stats *stats;		  /* NULL: never used yet */
	struct extent *current;			  /* in no list */
	struct extent_list nonfull[BIN_FULLNESS]; /* by free share, ascending */
	struct extent_list full;		  /* of a created arena alone */
	struct extent *apart;			  /* current, in no list */
	struct extent_list nonfull_apart;
	uint32_t kept; /* regions that threads keep, as last told */
} __attribute__((aligned(64)));

/*
 * Free regions of one bin that one thread keeps, the newest last. They are
 * void once the arena was reset, which its generation tells.
 */
#define BIN_KEPT_MAX 16u
struct bin_kept {
	uint32_t generation; /* of the arena */
	uint16_t requests;   /* served since the bin was last told */
	uint8_t count;	     /* regions */
	uint8_t told;	     /* of those, in the bin's count */
	void *regions[BIN_KEPT_MAX];
};

/*
 * For a zeroed bin, by any thread, and by several at once: the first does it.
 * Its lock may be taken and released before; no lock of a bin held.
 */
void bin_init(struct bin *bin, struct arena *arena, unsigned size_class);

/*
 * Takes up to want regions, lowest address last, in new slabs of such pages;
 * returns how many there were. requests is added to the class's count of what
 * the program asked for.
 */
unsigned bin_take(struct bin *bin, void **regions, unsigned want,
		  uint64_t requests, enum page_heap_choice choice);
/*
 * Gives back those of regions[0, count) that are this bin's; moves the others
 * to the front and returns how many they are. Aborts on a pointer that is no
 * region in use.
 */
unsigned bin_give(struct bin *bin, void **regions, unsigned count,
		  uint64_t requests);
/*
 * Fills kept, which is empty, with up to want regions, of which there may be
 * none; gives back the oldest `gone` of what is kept, or drops all of it, where
 * the bin was drained since; tells the bin what is kept now.
 */
void bin_fill_kept(struct bin *bin, struct bin_kept *kept, unsigned want);
void bin_give_kept(struct bin *bin, struct bin_kept *kept, unsigned gone);
void bin_tell_kept(struct bin *bin, struct bin_kept *kept);
/* After fork: nobody keeps any. */
static inline void bin_forget_kept(struct bin *bin)
{
	bin->kept = 0;
}
/* One region of a slab that the bin has; NULL where all are full. */
void *bin_take_one(struct bin *bin);
/*
 * As bin_take(), of one of the slabs for samples, which may have fewer; where
 * it has any, the program asked for one of them, beside requests.
 */
unsigned bin_take_apart(struct bin *bin, void **regions, unsigned want,
			uint64_t requests);
/* Gives the slab for samples that is next to serve back, if it is empty. */
void bin_release_apart(struct bin *bin);
/* Gives back one of this bin's; false, with nothing done: it is none in use. */
bool bin_give_one(struct bin *bin, struct extent *slab, void *region);
/*
 * Takes all slabs out, whatever is in use in them: a chain by next, each to be
 * handed to bin_discard(). The counts are as if all had been freed, and what
 * threads keep is void.
 */
struct extent *bin_drain(struct bin *bin);
void bin_discard(struct bin *bin, struct extent *slab);
/*
 * Would fewer slabs do if what lies in this one were allocated anew? True where
 * it is neither full nor in use next, and is filled less than others are.
 */
bool bin_is_sparse(struct bin *bin, const struct extent *slab);
/* As slab_add_sample(), slab_take_sample() and slab_watch(), with the lock. */
bool bin_add_sample(struct bin *bin, struct extent *slab, const void *region,
		    uint32_t sample);
uint32_t bin_take_sample(struct bin *bin, struct extent *slab,
			 const void *region);
/* slab_get_sample(), for reports of errors: 0 where the lock is taken. */
uint32_t bin_peek_sample(struct bin *bin, const struct extent *slab,
			 const void *region);
void bin_watch(struct bin *bin, struct extent *slab, const void *region,
	       bool watched);

#endif
