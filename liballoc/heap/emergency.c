/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked of the allocator while it is busy on the same thread: by boot
 * itself, or by a signal handler that allocates, which it must not, but does.
 * An allocation gets a mapping of its own, whose first page holds its extent;
 * a free waits in a list through the objects themselves. Takes no lock.
 */
#include "config.h"

#include <string.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/thread.h"

/* Objects of this thread whose freeing was put off, linked by first word. */
static __thread void *deferred;

static size_t round_up(size_t value, size_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

void *emergency_allocate(size_t size, size_t alignment)
{
	size_t page = os_page_bytes, lead, bytes;
	struct extent *extent;
	uintptr_t object;
	void *map;

	if (alignment < page)
		alignment = page;
	if (size > LARGE_MAX_BYTES || alignment > LARGE_MAX_BYTES)
		return NULL;
	/* Room for the extent's page, and to align. */
	size = round_up(size ? size : 1, page);
	bytes = size + alignment;
	map = os_map(bytes, true);
	if (!map)
		return NULL;
	if (!page_map_cover((uintptr_t)map, bytes)) {
		os_unmap(map, bytes);
		return NULL;
	}
	object = round_up((uintptr_t)map + page, alignment);
	lead = object - page - (uintptr_t)map;
	if (lead)
		os_unmap(map, lead);
	if (bytes - lead - page > size)
		os_unmap((void *)(object + size), bytes - lead - page - size);
	extent = (struct extent *)(object - page);
	extent->base = object;
	extent->bytes = extent->usable = size;
	extent->state = EXTENT_EMERGENCY;
	page_map_set(object, page_word(extent, SIZE_CLASSES - 1,
				       PAGE_LIVE | PAGE_LARGE | PAGE_UNCACHED));
	return (void *)object;
}

void emergency_free(struct extent *extent)
{
	page_map_set(extent->base, 0);
	os_unmap((void *)(extent->base - os_page_bytes),
		 extent->bytes + os_page_bytes);
}

void heap_defer_free(void *ptr)
{
	memcpy(ptr, &deferred, sizeof(deferred));
	deferred = ptr;
}

/* Not inlined, since hardly ever anything is deferred. */
static __attribute__((noinline)) void run_deferred(void)
{
	while (deferred && !thread_busy) {
		void *ptr =
			__atomic_exchange_n(&deferred, NULL, __ATOMIC_RELAXED);

		while (ptr) {
			void *next;

			memcpy(&next, ptr, sizeof(next));
			heap_free(ptr, NULL);
			ptr = next;
		}
	}
}

void heap_run_deferred(void)
{
	if (__builtin_expect(deferred != NULL, 0))
		run_deferred();
}
