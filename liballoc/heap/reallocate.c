/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resizing allocations, in place where that can be, and what else is asked of
 * a live one. Owns no state.
 */
#include "config.h"

#include "liballoc/heap/heap.h"

#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/extent_hooks.h"
#include "liballoc/heap/huge.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/marks.h"
#include "liballoc/heap/move.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/steps.h"
#include "liballoc/heap/thread.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/safety/fill.h"
#include "liballoc/safety/guard.h"

/* An object that shrinks keeps the pages left over, up to this share. */
#define MAX_LEFT_OVER 16

size_t heap_usable(const void *ptr)
{
	return word_usable(heap_live_word(ptr));
}

size_t heap_rounded(size_t size, size_t alignment)
{
	unsigned size_class;

	if (!heap_is_booted())
		heap_boot();
	return size_class_round(size, alignment, &size_class);
}

bool heap_is_sparse(const void *ptr)
{
	uint64_t word = heap_live_word(ptr);
	struct extent *slab = page_word_extent(word);
	bool sparse;

	if (word & PAGE_LARGE || thread_busy)
		return false;
	thread_busy++;
	sparse = bin_is_sparse(arena_bin(slab->arena, slab->size_class), slab);
	thread_busy--;
	heap_run_deferred();
	return sparse;
}

/* An object that stayed where it is counts as freed and allocated anew. */
static void recount(struct thread *thread, void *ptr, size_t old_usable,
		    size_t requested, size_t usable, unsigned size_class)
{
	uint64_t word = page_map_get((uintptr_t)ptr);

	if (heap_is_marked(word))
		heap_forget_sample(thread, ptr, word);
	if (thread) {
		thread->direct_freed += old_usable;
		thread->direct_nmalloc++;
		thread->direct_ndalloc++;
	}
	count_allocation(thread, ptr, requested, usable, size_class,
			 GUARD_NEVER);
}

/*
 * What the extent has beyond the object may be used without a lock; it may
 * have been used before.
 */
static bool resize_extent(struct extent *extent, size_t usable,
			  unsigned size_class)
{
	if (usable <= extent->bytes &&
	    (usable > extent->usable ||
	     extent->bytes - usable <= usable / MAX_LEFT_OVER)) {
		extent->dirty_bytes = extent->bytes;
		extent->usable = usable;
		return true;
	}
	return page_heap_resize_large(extent->arena, extent, usable,
				      size_class);
}

/* A large object to usable bytes, in place. */
static bool resize_in_place(void *ptr, uint64_t word, size_t requested,
			    size_t usable, unsigned size_class, bool zero)
{
	struct extent *extent = page_word_extent(word);
	size_t old_usable = extent->usable;
	struct thread *thread;
	bool done;

	if (usable == old_usable)
		return true;
	if (extent->state != EXTENT_LARGE || thread_busy)
		return false;
	/* What is cut off would have to be filled, and may be kept. */
	if (fill_frees() && usable < old_usable)
		return false;
	thread = thread_get();
	thread_busy++;
	done = resize_extent(extent, usable, size_class);
	thread_busy--;
	if (done && zero)
		heap_clear_dirty(extent, old_usable);
	else if (done && usable > old_usable)
		fill_allocated((char *)ptr + old_usable, usable - old_usable);
	if (done)
		recount(thread, ptr, old_usable, requested, usable, size_class);
	heap_leave(thread);
	return done;
}

static bool aligned(const void *ptr, size_t alignment)
{
	return !alignment || !((uintptr_t)ptr & (alignment - 1));
}

/* Does the object at ptr serve size bytes where it is, if need be resized? */
static bool fits_in_place(void *ptr, uint64_t word, size_t size, size_t usable,
			  size_t alignment, unsigned size_class, bool zero)
{
	if (!aligned(ptr, alignment))
		return false;
	if (!(word & PAGE_LARGE))
		return size_class == page_word_tag(word);
	if (size_class_is_small(size_class))
		return false;
	return resize_in_place(ptr, word, size, usable, size_class,
			       zero || opt.zero);
}

/* May the object at old be moved by whole pages to one of usable bytes? */
static bool moves_by_pages(const void *old, uint64_t word, size_t usable)
{
	const struct extent *extent = page_word_extent(word);

	return word & PAGE_LARGE && extent->state == EXTENT_LARGE &&
	       extent->base == (uintptr_t)old &&
	       extent->bytes >= MOVE_MIN_BYTES && usable >= extent->bytes &&
	       !fill_any() && !thread_busy &&
	       !hooks_are_custom(extent->arena) &&
	       !os_is_locked((void *)extent->base);
}

/*
 * Moves what a large object holds to its successor, if that is made of whole
 * pages too; what it had beyond its usable bytes is cleared where need be.
 * True: no page is left in from.
 */
static bool move_large(void *ptr, struct extent *from, struct extent *to,
		       bool zero)
{
	if (to->state != EXTENT_LARGE || to->base != (uintptr_t)ptr ||
	    to->bytes < from->bytes || hooks_are_custom(to->arena)) {
		memcpy(ptr, (void *)from->base, from->usable);
		return false;
	}
	from->emptied = move_pages(ptr, (void *)from->base, from->bytes);
	if (to->dirty_bytes < from->bytes)
		to->dirty_bytes = from->bytes;
	if (zero && from->bytes > from->usable)
		memset((char *)ptr + from->usable, 0,
		       from->bytes - from->usable);
	return from->emptied;
}

/*
 * The object took more, and its predecessor is gone: what waits beside it may
 * be too much now. zero: its end is zero, and is to stay so.
 */
static void look_after_growth(struct extent *grown, bool zero)
{
	thread_busy++;
	waiting_after_growth(grown->arena, zero ? NULL : grown);
	thread_busy--;
	heap_run_deferred();
}

/* As realloc of a large object that grows, and finds no room where it is. */
static void *regrow(void *old, uint64_t word, size_t size, size_t alignment,
		    bool zero, const struct heap_where *where)
{
	struct extent *from = page_word_extent(word), *to;
	bool emptied;
	void *ptr;

	zero = zero || opt.zero;
	huge_may_look(from);
	ptr = heap_allocate_roomy(size, alignment, zero, where);
	if (!ptr)
		return NULL;
	to = page_word_extent(page_map_get((uintptr_t)ptr));
	emptied = move_large(ptr, from, to, zero);
	heap_free(old, where);
	if (emptied)
		look_after_growth(to, zero);
	return ptr;
}

/* The short way, if it can be. */
static __attribute__((noinline)) void *
allocate_there(size_t size, size_t alignment, bool zero,
	       const struct heap_where *where)
{
	void *ptr = NULL;

	if (where->arena && where->cache < 0 && !alignment && !zero)
		ptr = heap_allocate_direct(where->arena, size, where->cache);
	return ptr ? ptr : heap_allocate(size, alignment, zero, where);
}

void *heap_reallocate(void *old, size_t size, size_t alignment, bool zero,
		      const struct heap_where *where)
{
	uint64_t word = heap_live_word(old);
	size_t old_usable = word_usable(word), usable;
	unsigned size_class;
	void *ptr;

	usable = size_class_round(size, alignment, &size_class);
	if (!usable)
		return NULL;
	if (fits_in_place(old, word, size, usable, alignment, size_class, zero))
		return old;
	if (moves_by_pages(old, word, usable))
		return regrow(old, word, size, alignment, zero, where);
	ptr = where ? allocate_there(size, alignment, zero, where)
		    : heap_allocate(size, alignment, zero, NULL);
	if (!ptr)
		return NULL;
	memcpy(ptr, old, size < old_usable ? size : old_usable);
	heap_free(old, where);
	return ptr;
}

size_t heap_resize(void *ptr, size_t size, size_t extra, size_t alignment,
		   bool zero)
{
	uint64_t word = heap_live_word(ptr);
	size_t old_usable = word_usable(word), least, most, usable;
	unsigned size_class;

	if (!aligned(ptr, alignment))
		return old_usable;
	if (extra > LARGE_MAX_BYTES - size)
		extra = LARGE_MAX_BYTES - size;
	least = size_class_round(size, 0, &size_class);
	most = size_class_round(size + extra, 0, &size_class);
	if (!least || !most || (least <= old_usable && old_usable <= most))
		return old_usable;
	if (!(word & PAGE_LARGE))
		return old_usable;
	usable = most;
	if (!size_class_is_small(size_class) &&
	    resize_in_place(ptr, word, size, usable, size_class,
			    zero || opt.zero))
		return usable;
	usable = size_class_round(size, 0, &size_class);
	if (usable > old_usable &&
	    resize_in_place(ptr, word, size, usable, size_class,
			    zero || opt.zero))
		return usable;
	return old_usable;
}
