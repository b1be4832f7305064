/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the heap tell each other, and nobody else.
 */
#ifndef LIBALLOC_HEAP_INTERNAL_H
#define LIBALLOC_HEAP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extent;
struct heap_where;
struct lock;

/* True once heap_boot() is done; other threads may see it late. */
bool heap_is_booted(void);

/*
 * As heap_allocate(), for what takes the place of an object that grew, and may
 * grow on.
 */
void *heap_allocate_roomy(size_t size, size_t alignment, bool zero,
			  const struct heap_where *where);

/*
 * Keeps with the live allocation at ptr what prof_sample() gave for it, until
 * it is freed. False where memory is short.
 */
bool heap_set_sample(void *ptr, uint32_t sample);
/*
 * That; 0: ptr is no live allocation, or no sample, or the lock that guards it
 * is taken. For reports of errors.
 */
uint32_t heap_sample_of(const void *ptr);
/*
 * Hands the live allocation to prof_free() when it is freed, or does not; false
 * where it cannot be.
 */
bool heap_watch(void *ptr, bool watched);

/* Explicit caches. */
struct cache *heap_cache(int index);
/* For its counts. */
struct lock *cache_list_lock(void);
void cache_list_prefork(void);
void cache_list_postfork_parent(void);
void cache_list_postfork_child(void);

/*
 * The emergency path: memory in mappings of its own, without a lock, for a
 * signal handler that interrupted the allocator, and for what boot asks for.
 */
void *emergency_allocate(size_t size, size_t alignment);
void emergency_free(struct extent *extent);
/*
 * Keeps ptr (live, not of the emergency path) to be freed when this thread
 * leaves the allocator.
 */
void heap_defer_free(void *ptr);
/* Frees what was deferred, where thread_busy is 0. */
void heap_run_deferred(void);

#endif
