/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An arena's pages: takes address space from the kernel in growing pieces,
 * hands out runs by best fit, coalesces what comes back, and gives pages back
 * to the kernel by time. Every function takes the page heap's lock itself,
 * and none may be called with it held.
 */
#ifndef LIBALLOC_HEAP_PAGE_HEAP_H
#define LIBALLOC_HEAP_PAGE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "liballoc/heap/decay.h"
#include "liballoc/heap/extent.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/recent_runs.h"
#include "liballoc/heap/run_set.h"
#include "liballoc/heap/sparse_runs.h"

struct arena;

/* Everything is guarded by lock. */
struct page_heap {
	struct lock lock;
	struct recent_runs recent; /* dirty ones, in no set */
	/* Dirty and muzzy runs, longest free first. */
	struct extent_list by_age[EXTENT_CLEAN];
	size_t free_bytes[EXTENT_FREE_STATES];
	size_t active_pages; /* of runs that were taken */
	struct decay decay[EXTENT_CLEAN];
	struct extent_list large; /* in use; of a created arena alone */
	struct extent *spare;	  /* unused extents, linked by next */
	unsigned spare_count;
	size_t next_map_bytes;
	unsigned exact_maps; /* by hooks, of just what is wanted, yet to come */
	size_t max_map_bytes;  /* never beyond that */
	size_t oversize_bytes; /* free runs of so much go at once; 0: none */
	bool purging;	       /* some thread is at it */
	/* Runs that are being given back, without the lock. */
	struct extent_list in_hand;
	uint64_t due_ns; /* of the next step of a decay; atomic; waiting.h */
	/* Last, since most of it is never touched. */
	struct run_set runs[EXTENT_FREE_STATES];
	struct sparse_runs sparse; /* dirty ones, in no other set */
};

void page_heap_init(struct page_heap *heap);

/* Of which pages an object is rather made. */
enum page_heap_choice {
	PAGES_ANY,     /* those that are resident */
	PAGES_CLEAN,   /* those that are zero */
	PAGES_ROOMY,   /* those with many free ones behind */
	PAGES_SPARSE,  /* a few bytes more, hardly touched; else any */
	PAGES_ABSENT,  /* the same; else those that are zero */
	PAGES_WAITING, /* those that wait to be given back; of hooks' any */
};

/*
 * A run of exactly bytes (a multiple of the page), aligned to alignment (a
 * power of two; the page at least). Its state is busy and no page word is
 * set; what lies beyond its dirty_bytes is zero. NULL: memory is short.
 */
struct extent *page_heap_take(struct arena *arena, size_t bytes,
			      size_t alignment, enum page_heap_choice choice);
/* Takes back a run whose page words are cleared already. */
void page_heap_give(struct arena *arena, struct extent *extent);

/*
 * A large object of all those bytes: as above, with its page words set and
 * counted.
 */
struct extent *page_heap_take_large(struct arena *arena, size_t bytes,
				    size_t alignment, unsigned size_class,
				    uint64_t requests,
				    enum page_heap_choice choice);
/* Adds to the class's count of what the program asked for. */
void page_heap_count_requests(struct arena *arena, unsigned size_class,
			      uint64_t requests);
void page_heap_give_large(struct arena *arena, struct extent *extent);
/*
 * Resizes a large object in place to bytes, all of them usable; false, with
 * nothing changed, where what follows it is not free, or memory is short. What
 * came is zero from the extent's dirty_bytes on.
 */
bool page_heap_resize_large(struct arena *arena, struct extent *extent,
			    size_t bytes, unsigned size_class);
/* Sets extent->sampled of a large object of the caller's; takes no lock. */
void page_heap_mark_large(struct arena *arena, struct extent *extent,
			  uint32_t sampled);

/* Some large object in use of a created arena, or NULL. */
struct extent *page_heap_any_large(struct arena *arena);
/* The arena is empty and goes: unmaps all it kept, by its hooks. */
void page_heap_destroy(struct arena *arena);

/*
 * For prof_gdump: has the process mapped more than ever since the last call,
 * and does anybody care?
 */
bool page_heap_peak_passed(void);

/* Unmaps all free runs, retained ones too; for when memory is short. */
void page_heap_unmap_free(struct arena *arena);

/* Gives back what is due (all: everything that is free). */
void page_heap_decay(struct arena *arena, bool all);
/* Nothing was waiting, and now something is: the clock starts. */
void page_heap_start_decay(struct arena *arena);
/*
 * Gives back the oldest dirty runs, at least bytes of them; grown: as in
 * waiting_after_growth(), but one that may have them.
 */
void page_heap_purge_dirty(struct arena *arena, size_t bytes,
			   struct extent *grown);
/* In the child of fork: what others were giving back is free again. */
void page_heap_postfork_child(struct arena *arena);
ssize_t page_heap_decay_ms(struct arena *arena, enum extent_state state);
bool page_heap_set_decay_ms(struct arena *arena, enum extent_state state,
			    ssize_t ms);

/*
 * For purge.c, with the lock held: takes a free run out of its set, and puts
 * one back as state, or forgets it (EXTENT_FREE_STATES: it is unmapped). By
 * purge.c: gives a dirty run back at once; lets go of the lock meanwhile.
 */
void page_heap_purge_run(struct arena *arena, struct extent *run);
void page_heap_remove_run(struct arena *arena, struct extent *run);
/* The same: any free run in a set, left there; NULL: there is none. */
struct extent *page_heap_any_run(const struct page_heap *heap);
/*
 * The same: puts the recent runs into their set, joined with others, and those
 * that are kept whole, where it is in doubt that they were hardly touched.
 */
void page_heap_settle_recent(struct arena *arena);
/*
 * Splits a free run, removed from its set, after keep bytes: these are free
 * again, and as old as before; returns the rest, or the whole run where it
 * cannot be split.
 */
struct extent *page_heap_split_run(struct arena *arena, struct extent *run,
				   size_t keep);
void page_heap_return_run(struct arena *arena, struct extent *run,
			  enum extent_state state);

#endif
