/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of pages and what it is used for: free, one large object, or a slab
 * of small ones. Two cache lines of metadata, apart from the pages. Who may
 * touch which field follows from the state: the arena's page heap lock guards
 * a free extent, its bin's lock a slab; a large one belongs to the owner of
 * the object.
 */
#ifndef LIBALLOC_HEAP_EXTENT_H
#define LIBALLOC_HEAP_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct slab_samples;

/* The first ones are free; the page heap keeps a set of each. */
enum extent_state {
	EXTENT_DIRTY, /* free, resident */
	EXTENT_MUZZY, /* free, given to the kernel lazily */
	EXTENT_CLEAN, /* free, not resident, known to be zero */
	EXTENT_FREE_STATES,
	EXTENT_BUSY = EXTENT_FREE_STATES, /* being taken or given back */
	EXTENT_LARGE,
	EXTENT_SLAB,
	EXTENT_GUARDED,	  /* in safety/guard.c's pool; bytes as asked for */
	EXTENT_EMERGENCY, /* a mapping of its own, outside all arenas */
};

/* What custom extent hooks may leave a clean run to be; else 0. */
#define EXTENT_UNCOMMITTED 1u
#define EXTENT_SOILED 2u /* not known to be zero */

/* Of a large object that is no sample, but whose free the profiler watches. */
#define EXTENT_WATCHED UINT32_MAX

/* Bitmaps of more words stand apart. */
#define EXTENT_INLINE_WORDS 4

struct extent {
	/* What freeing a small object touches stands in the first line. */
	uintptr_t base;
	struct arena *arena;
	/* Large: what prof_sample() gave. Slab: regions that are watched. */
	uint32_t sampled;
	uint16_t free_count; /* slab: regions that are free */
	uint8_t first_word;  /* slab: no free region in words before */
	uint8_t size_class;  /* large and slab */
	uint8_t state;	     /* enum extent_state */
	uint8_t hooked;	     /* free, of custom hooks: EXTENT_* bits */
	/* Slab: bit i: page i has PAGE_SAMPLED, for a watched object. */
	uint16_t watched_pages;
	uint8_t emptied; /* large: holds no page any more, and reads as zero */
	uint8_t apart;	 /* slab: for samples alone; all pages PAGE_SAMPLED */
	uint8_t huge;	 /* the kernel was asked for huge pages in some of it */
	/*
	 * Large: what is resident of it, its objects have touched. Free and
	 * dirty: kept whole for that.
	 */
	uint8_t fresh;
	union {
		/* Slab; a set bit: the region is free. */
		uint64_t inline_bitmap[EXTENT_INLINE_WORDS];
		struct {
			/* Large: bytes that the object has, of all. */
			size_t usable;
			/* Once taken: bytes from the base that may not be 0. */
			size_t dirty_bytes;
			/* Free, kept whole: an estimate. */
			size_t resident_bytes;
		};
	};

	size_t bytes; /* a multiple of the page */
	/* Slab: in its bin's list by fullness. Free: by the time of freeing. */
	struct extent *next;
	struct extent *previous;
	union {
		uint64_t *far_bitmap; /* slab of very many regions */
		struct extent *left;  /* free: in its run set */
	};
	union {
		/* Slab apart: what prof_sample() gave, by region; the owner of
		   the object's, as with a large one. */
		uint32_t *samples;
		struct slab_samples *some; /* other slab: of some regions */
		struct extent *right;	   /* free: in its run set */
	};
	/*
	 * Slab: a region's bit (slab_region_bit) is set where it may be
	 * watched; of a slab apart all are. Read without the lock.
	 */
	uint64_t watched_filter;
} __attribute__((aligned(64)));

struct extent_list {
	struct extent *head, *tail;
};

static inline void extent_list_append(struct extent_list *list,
				      struct extent *extent)
{
	extent->next = NULL;
	extent->previous = list->tail;
	if (list->tail)
		list->tail->next = extent;
	else
		list->head = extent;
	list->tail = extent;
}

static inline void extent_list_prepend(struct extent_list *list,
				       struct extent *extent)
{
	extent->previous = NULL;
	extent->next = list->head;
	if (list->head)
		list->head->previous = extent;
	else
		list->tail = extent;
	list->head = extent;
}

static inline void extent_list_remove(struct extent_list *list,
				      struct extent *extent)
{
	if (extent->previous)
		extent->previous->next = extent->next;
	else
		list->head = extent->next;
	if (extent->next)
		extent->next->previous = extent->previous;
	else
		list->tail = extent->previous;
}

#endif
