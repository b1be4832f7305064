/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap as the API, the controls and the profiler see it.
 */
#ifndef LIBALLOC_HEAP_HEAP_H
#define LIBALLOC_HEAP_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A build for debugging checks what each free and each resize is given, as the
 * slow paths do.
 */
#ifdef LIBALLOC_DEBUG
# define HEAP_CHECKS_ALL true
#else
# define HEAP_CHECKS_ALL false
#endif

#define HEAP_MAX_ARENAS 4095u /* what MALLOCX_ARENA can name */
/* The largest request: beyond it, NULL and ENOMEM. */
#define HEAP_MAX_BYTES ((size_t)PTRDIFF_MAX)
#define HEAP_ARENA_NAME_BYTES 32u
#define HEAP_MAX_CACHES 4094u /* explicit thread caches */

/* Where an allocation comes from; NULL in both: this thread's own. */
struct arena;
struct cache;
struct thread;
struct arena_stats;
struct class_stats;
struct extent_hooks_s; /* liballoc.h: extent_hooks_t */

struct heap_where {
	struct arena *arena; /* NULL: the thread's */
	int cache;	     /* HEAP_CACHE_*, or an explicit cache's index */
};
#define HEAP_CACHE_AUTOMATIC (-2)
#define HEAP_CACHE_NONE (-1)

/* Boots all of liballoc once; any thread, re-entered during boot safely. */
void heap_boot(void);

/*
 * Allocates size bytes (0 counts as 1), aligned to alignment (a power of two;
 * 0: the natural one). NULL where memory is short; sets no errno.
 */
void *heap_allocate(size_t size, size_t alignment, bool zero,
		    const struct heap_where *where);
/*
 * The same with nothing but a size, where the fast path subtracted counted
 * from the countdown, and left the rest to this.
 */
void *heap_allocate_counted(size_t size, size_t counted);
/*
 * A small object of an arena (NULL: the thread's own), past the thread's cache,
 * the short way; NULL: take heap_allocate(), nothing has changed. cache:
 * HEAP_CACHE_NONE, or HEAP_CACHE_AUTOMATIC: the thread may keep some of a
 * created arena's.
 */
void *heap_allocate_direct(struct arena *arena, size_t size, int cache);
/* As realloc: NULL with old untouched where memory is short. */
void *heap_reallocate(void *old, size_t size, size_t alignment, bool zero,
		      const struct heap_where *where);
/* In place, to at least size and at most size + extra; the usable size. */
size_t heap_resize(void *ptr, size_t size, size_t extra, size_t alignment,
		   bool zero);
/* Frees ptr (not NULL); keeps errno. */
void heap_free(void *ptr, const struct heap_where *where);
/* As heap_free, where the caller knows the size. */
void heap_free_sized(void *ptr, size_t size, size_t alignment,
		     const struct heap_where *where);
/* Aborts where ptr is no allocation that size and alignment describe. */
void heap_check_size(const void *ptr, size_t size, size_t alignment);
/* The usable size of a live allocation. */
size_t heap_usable(const void *ptr);
/* Would moving the live allocation let its slab empty? Never where large. */
bool heap_is_sparse(const void *ptr);
/* The usable size that such a request would get; 0: none would. */
size_t heap_rounded(size_t size, size_t alignment);

/* Arenas. Automatic ones are [0, opt narenas); created ones follow. */
unsigned heap_arena_count(void);
/* opt.percpu_arena: [0, this) go with CPUs, and no thread can choose one. */
unsigned heap_cpu_arenas(void);
struct arena *heap_arena(unsigned index); /* NULL: not initialized */
bool heap_arena_is_automatic(unsigned index);
/* As heap_arena, but an automatic one is made if need be. */
struct arena *heap_arena_get(unsigned index);
/*
 * A new arena's index, one of a destroyed arena if there is any, or UINT_MAX
 * where there is no room. hooks: NULL for the default ones.
 */
unsigned heap_arena_create(struct extent_hooks_s *hooks);
/* A created arena: frees all that was allocated from it, at once. */
bool heap_arena_reset(struct arena *arena);
/* As above, then gives all back; false where threads are assigned to it. */
bool heap_arena_destroy(struct arena *arena);
/* Counters of all arenas that were destroyed; NULL: none has been yet. */
const struct arena_stats *heap_destroyed_stats(void);
const struct class_stats *heap_destroyed_class(unsigned size_class);
/* "auto_<i>" or "manual_<i>" until it is set; a longer name is cut. */
void heap_arena_name(struct arena *arena, char name[HEAP_ARENA_NAME_BYTES]);
void heap_arena_set_name(struct arena *arena, const char *name);
bool heap_arena_of(const void *ptr, unsigned *index); /* arenas.lookup */
/* Gives back all free pages (purge), or those that are due (decay). */
void heap_arena_purge(struct arena *arena);
void heap_arena_decay(struct arena *arena);
ssize_t heap_arena_dirty_decay_ms(struct arena *arena);
bool heap_arena_set_dirty_decay_ms(struct arena *arena, ssize_t ms);
ssize_t heap_arena_muzzy_decay_ms(struct arena *arena);
bool heap_arena_set_muzzy_decay_ms(struct arena *arena, ssize_t ms);
/* NULL for arena: one not made yet. Never NULL: the default ones. */
struct extent_hooks_s *heap_arena_hooks(const struct arena *arena);
void heap_arena_set_hooks(struct arena *arena, struct extent_hooks_s *hooks);
/* Free runs of so many bytes go back to the system at once; 0: none do. */
size_t heap_arena_oversize(struct arena *arena);
void heap_arena_set_oversize(struct arena *arena, size_t bytes);
/*
 * How much address space is taken at once at most, beyond what a request
 * needs; rounded down to what can be. False: less than a page.
 */
size_t heap_arena_growth_limit(struct arena *arena);
bool heap_arena_set_growth_limit(struct arena *arena, size_t bytes);
/* Those of arenas yet to be made; at first the options'. False: no such time.
 */
ssize_t heap_default_dirty_decay_ms(void);
bool heap_set_default_dirty_decay_ms(ssize_t ms);
ssize_t heap_default_muzzy_decay_ms(void);
bool heap_set_default_muzzy_decay_ms(ssize_t ms);

/* How full the slab is that ptr lies in; any pointer, all 0 if not ours. */
struct heap_use {
	const void *current; /* the slab that fills next; NULL: none, large */
	size_t free;	     /* regions of ptr's slab */
	size_t regions;	     /* 1 for a large object */
	size_t bytes;	     /* of ptr's slab, or large object */
	size_t class_free;   /* of all slabs of that class in the arena */
	size_t class_regions;
};
void heap_use_of(const void *ptr, struct heap_use *use);

/* This thread. */
unsigned heap_thread_arena(struct thread *thread);
void heap_thread_set_arena(struct thread *thread, struct arena *arena);
void heap_thread_flush(struct thread *thread); /* empties its cache */
bool heap_thread_cache_enabled(struct thread *thread);
void heap_thread_enable_cache(struct thread *thread, bool on);
/* The largest size that caches hold by default: that of a class, or 0. */
size_t heap_cache_max(void);
/*
 * The largest size that the thread's cache holds, which becomes that of the
 * class of what is set, even where it has no cache now; and the most objects
 * that it may come to hold of the class for bytes: set for all classes from
 * first_bytes' to last_bytes' that have bins of their own. Bytes are at most
 * OPTION_TCACHE_MAX_BYTES, objects OPTION_TCACHE_MAX_SLOTS.
 */
size_t heap_thread_cache_max(const struct thread *thread);
void heap_thread_set_cache_max(struct thread *thread, size_t bytes);
unsigned heap_thread_cache_bound(struct thread *thread, size_t bytes);
void heap_thread_set_cache_bound(struct thread *thread, size_t first_bytes,
				 size_t last_bytes, unsigned most);
/* Explicit caches: an index, or -1 where there is no room. */
int heap_cache_create(void);
bool heap_cache_flush(int index);
bool heap_cache_destroy(int index);

/* Size classes: all, and how many of them (the first ones) are small. */
unsigned heap_class_count(void);
unsigned heap_small_class_count(void);
size_t heap_class_bytes(unsigned size_class);

/*
 * Brings the published statistics of the calling thread, and of the caches
 * that can be reached, up to now (mallctl epoch).
 */
void heap_publish(void);

/* Fork, by rank order, registered once. */
void heap_prefork(void);
void heap_postfork_parent(void);
void heap_postfork_child(void);

#endif
