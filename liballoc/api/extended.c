/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jemalloc's *allocx functions: flags to arguments of the heap. Owns no
 * state. An arena or cache that does not exist yields NULL.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "liballoc/api/api.h"
#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/fast.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/include/liballoc/liballoc.h"

/* Flags up to this hold nothing but an alignment, by its logarithm. */
#define LG_ALIGN_MAX 63u

struct flags {
	size_t alignment;
	bool zero;
	bool valid;
	struct heap_where where;
};

void *api_out_of_memory(void)
{
	if (opt.xmalloc) {
		message("out of memory", NULL);
		abort();
	}
	errno = ENOMEM;
	return NULL;
}

static size_t alignment_of(int flags)
{
	unsigned lg = (unsigned)flags & LG_ALIGN_MAX;

	return lg ? (size_t)1 << lg : 0;
}

static struct flags decode(int flags)
{
	unsigned bits = (unsigned)flags, arena = bits >> 20;
	unsigned cache = bits >> 8 & 0xfff;
	struct flags decoded = {.valid = true};

	decoded.alignment = alignment_of(flags);
	decoded.zero = bits & MALLOCX_ZERO;
	decoded.where.cache = cache ? (int)cache - 2 : HEAP_CACHE_AUTOMATIC;
	if (decoded.where.cache >= 0 && !heap_cache(decoded.where.cache))
		decoded.valid = false;
	if (arena) {
		decoded.where.arena = heap_arena_get(arena - 1);
		if (!decoded.where.arena)
			decoded.valid = false;
	}
	return decoded;
}

/* The short way, where the flags name an arena, or no cache, and no more. */
static void *allocate_direct(size_t size, int flags)
{
	unsigned bits = (unsigned)flags, rest = bits & 0xfffff;
	struct arena *arena = NULL;

	if (bits >> 20) {
		arena = heap_arena((bits >> 20) - 1);
		if (!arena)
			return NULL;
	} else if (!rest) {
		return NULL;
	}
	if (rest && rest != MALLOCX_TCACHE_NONE)
		return NULL;
	return heap_allocate_direct(
		arena, size, rest ? HEAP_CACHE_NONE : HEAP_CACHE_AUTOMATIC);
}

void *api_mallocx(size_t size, int flags)
{
	struct flags decoded;
	void *ptr = allocate_direct(size, flags);

	if (ptr)
		return ptr;
	decoded = decode(flags);
	if (!decoded.valid)
		return api_result(NULL);
	return api_result(heap_allocate(size, decoded.alignment, decoded.zero,
					&decoded.where));
}

static inline bool is_plain(int flags)
{
	return (unsigned)flags <= LG_ALIGN_MAX;
}

API void *mallocx(size_t size, int flags)
{
	void *ptr = NULL;

	if (__builtin_expect(is_plain(flags), 1))
		ptr = heap_fast_allocate_aligned(size, (size_t)1 << flags);
	return __builtin_expect(ptr != NULL, 1) ? ptr
						: api_mallocx(size, flags);
}

void *api_rallocx(void *ptr, size_t size, int flags)
{
	struct flags decoded = decode(flags);

	if (!decoded.valid)
		return api_result(NULL);
	return api_result(heap_reallocate(ptr, size, decoded.alignment,
					  decoded.zero, &decoded.where));
}

API void *rallocx(void *ptr, size_t size, int flags)
{
	size_t slot = flags ? 0 : page_class_slot(ptr);
	void *moved;

	if (heap_fast_fits(slot, size))
		return ptr;
	moved = heap_fast_move(ptr, slot, size);
	return moved ? moved : api_rallocx(ptr, size, flags);
}

API size_t xallocx(void *ptr, size_t size, size_t extra, int flags)
{
	struct flags decoded = decode(flags);

	return heap_resize(ptr, size, extra, decoded.alignment, decoded.zero);
}

API size_t sallocx(const void *ptr, int flags)
{
	(void)flags;
	return heap_usable(ptr);
}

/*
 * Which cache a free may use; NULL: the thread's. The arena is the object's
 * own, whatever is said.
 */
static const struct heap_where *where_to_free(int flags,
					      struct heap_where *where)
{
	unsigned cache = (unsigned)flags >> 8 & 0xfff;

	*where = (struct heap_where){.cache = (int)cache - 2};
	return cache ? where : NULL;
}

void api_dallocx(void *ptr, int flags)
{
	struct heap_where where;

	heap_free(ptr, where_to_free(flags, &where));
}

API void dallocx(void *ptr, int flags)
{
	if (!is_plain(flags) || !heap_fast_free(ptr))
		api_dallocx(ptr, flags);
}

void api_sdallocx(void *ptr, size_t size, int flags)
{
	struct heap_where where;

	heap_free_sized(ptr, size, alignment_of(flags),
			where_to_free(flags, &where));
}

API void sdallocx(void *ptr, size_t size, int flags)
{
	if (API_CHECKS_SIZES || !is_plain(flags) || !heap_fast_free(ptr))
		api_sdallocx(ptr, size, flags);
}

API size_t nallocx(size_t size, int flags)
{
	return heap_rounded(size, alignment_of(flags));
}

/* Asked by redis's active defragmentation, of the jemalloc that it brings. */
API int je_get_defrag_hint(void *ptr)
{
	return heap_is_sparse(ptr);
}
