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
struct lock;

/* True once heap_boot() is done; other threads may see it late. */
bool heap_is_booted(void);

/* Marks the live allocation at ptr as a sample, or as none any more. */
void heap_mark_sampled(void *ptr, bool sampled);

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
