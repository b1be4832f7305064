/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: a page heap and a bin for each small class. Automatic ones are
 * shared by threads, created ones are named by the program, and what is freed
 * to them skips the thread caches: see arena_cache.h.
 */
#ifndef LIBALLOC_HEAP_ARENA_H
#define LIBALLOC_HEAP_ARENA_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/heap/bin.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/size_class.h"

struct arena_stats;
struct class_stats;
struct thread;

struct arena {
	unsigned index;
	bool manual;
	bool destroyed;	     /* its index waits for another use; atomic */
	uint32_t generation; /* of what it handed out; atomic */
	uint32_t threads;    /* whose arena this is; atomic */
	struct extent_hooks_s *hooks; /* NULL: the default ones; atomic */
	const struct thread *last;    /* to follow its CPU here; atomic */
	struct arena *next_destroyed;
	char name[HEAP_ARENA_NAME_BYTES]; /* the list's lock guards it */
	struct arena_stats *stats;
	struct class_stats *class_stats; /* SIZE_CLASSES of them */
	struct page_heap pages;
	/* By arena_bin() alone: zeroed until they are used. */
	struct bin bins[SMALL_CLASSES];
};

/* size_class is a small one. */
static inline struct bin *arena_bin(struct arena *arena, unsigned size_class)
{
	struct bin *bin = &arena->bins[size_class];

	if (!__atomic_load_n(&bin->stats, __ATOMIC_ACQUIRE))
		bin_init(bin, arena, size_class);
	return bin;
}

/*
 * Goes on before the bins are drained, when the arena is reset or destroyed:
 * what was handed out before is void for whoever takes a bin's lock after.
 */
static inline uint32_t arena_generation(const struct arena *arena)
{
	return __atomic_load_n(&arena->generation, __ATOMIC_RELAXED);
}

/* For its counts. */
struct lock *arena_table_lock(void);

/* Makes arena 0. False where memory is short. */
bool arena_boot(void);
/* The automatic arena for a new thread, by load; counts the thread in. */
struct arena *arena_choose(void);
/*
 * opt.percpu_arena: the arena of the CPU that this thread runs on, made if
 * need be, or NULL; and whether arena is one that CPUs share out.
 */
struct arena *arena_of_cpu(void);
bool arena_is_of_cpu(const struct arena *arena);
/*
 * Between the files of arenas, with the list's lock held: puts a destroyed
 * arena in line to be made anew; a lock and its release around them.
 */
void arena_list_lock(void);
void arena_list_unlock(void);
void arena_recycle(struct arena *arena);
/* Counts a thread in or out. */
void arena_join(struct arena *arena);
void arena_leave(struct arena *arena);

/* One object, past all caches; NULL where memory is short. */
void *arena_allocate_small(struct arena *arena, unsigned size_class);
/* Gives back regions of slabs, of whichever arenas; requests: see bin.h. */
void arena_free_small(void **regions, unsigned count);

/*
 * The kernel refused bytes: gives it all free pages of all arenas, if that
 * may make room. True: it is worth another try.
 */
bool arena_reclaim(size_t bytes);

/* By rank: the list, then (after the thread list) the bins and page heaps. */
void arena_prefork(void);
void arena_prefork_locks(void);
void arena_postfork_parent(void);
void arena_postfork_child(void);

#endif
