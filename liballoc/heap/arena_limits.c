/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The limits that a program sets on an arena: what goes back to the system at
 * once, and how much is taken from it at a time. Owns nothing.
 */
#include "config.h"

#include "liballoc/heap/arena.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"

size_t heap_arena_oversize(struct arena *arena)
{
	return __atomic_load_n(&arena->pages.oversize_bytes, __ATOMIC_RELAXED);
}

void heap_arena_set_oversize(struct arena *arena, size_t bytes)
{
	__atomic_store_n(&arena->pages.oversize_bytes, bytes, __ATOMIC_RELAXED);
}

size_t heap_arena_growth_limit(struct arena *arena)
{
	return __atomic_load_n(&arena->pages.max_map_bytes, __ATOMIC_RELAXED);
}

bool heap_arena_set_growth_limit(struct arena *arena, size_t bytes)
{
	struct page_heap *heap = &arena->pages;

	if (bytes < os_page_bytes)
		return false;
	bytes &= ~(os_page_bytes - 1);
	thread_busy++;
	lock_take(&heap->lock);
	heap->max_map_bytes = bytes;
	if (heap->next_map_bytes > bytes)
		heap->next_map_bytes = bytes;
	lock_release(&heap->lock);
	thread_busy--;
	heap_run_deferred();
	return true;
}
