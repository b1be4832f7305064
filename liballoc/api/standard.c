/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The standard functions: C, POSIX and glibc's. Each takes the fast path, or
 * else checks its arguments, calls the heap and sets errno. Owns no state.
 */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "liballoc/api/api.h"
#include "liballoc/ctl/options.h"
#include "liballoc/heap/fast.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/safety/report.h"

static bool is_power_of_two(size_t value)
{
	return value && !(value & (value - 1));
}

void *api_allocate(size_t size, size_t alignment, bool zero)
{
	return api_result(heap_allocate(size, alignment, zero, NULL));
}

void *api_allocate_counted(size_t size, size_t counted)
{
	return api_result(heap_allocate_counted(size, counted));
}

/* The exported names may be another library's: call these from inside. */
static inline void *own_malloc(size_t size)
{
	size_t counted = 0;
	void *ptr = heap_fast_try(size, &counted);

	if (__builtin_expect(counted != 0, 0))
		return api_allocate_counted(size, counted);
	return __builtin_expect(ptr != NULL, 1) ? ptr
						: api_allocate(size, 0, false);
}

API void *malloc(size_t size)
{
	return own_malloc(size);
}

static inline void own_free(void *ptr)
{
	if (__builtin_expect(heap_fast_free(ptr), 1))
		return;
	if (ptr)
		heap_free(ptr, NULL);
}

API void free(void *ptr)
{
	own_free(ptr);
}

API void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *ptr;

	if (__builtin_mul_overflow(count, size, &bytes))
		return api_result(NULL);
	ptr = heap_fast_allocate(bytes);
	if (ptr)
		return memset(ptr, 0, bytes);
	return api_allocate(bytes, 0, true);
}

/* A size of 0, as opt.zero_realloc says; by default it frees, as in glibc. */
static void *reallocate_to_zero(void *ptr)
{
	ledger_add_shared(&ledger_process()->zero_reallocs, 1);
	if (opt.zero_realloc == ZERO_REALLOC_ALLOC)
		return api_result(heap_reallocate(ptr, 1, 0, false, NULL));
	if (opt.zero_realloc == ZERO_REALLOC_ABORT)
		report_error("realloc to size 0 (zero_realloc:abort) of", ptr);
	own_free(ptr);
	return NULL;
}

void *api_reallocate(void *ptr, size_t size)
{
	if (!ptr)
		return own_malloc(size);
	if (!size)
		return reallocate_to_zero(ptr);
	return api_result(heap_reallocate(ptr, size, 0, false, NULL));
}

void *api_move(void *ptr, size_t size, size_t slot)
{
	void *moved = heap_fast_move(ptr, slot, size);

	return moved ? moved : api_reallocate(ptr, size);
}

API void *realloc(void *ptr, size_t size)
{
	size_t slot;

	/* Programs that know one function alone: Lua, and many a wrapper. */
	if (!ptr)
		return own_malloc(size);
	slot = page_class_slot(ptr);
	return heap_fast_fits(slot, size) ? ptr : api_move(ptr, size, slot);
}

API void *reallocarray(void *ptr, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return api_result(NULL);
	return api_reallocate(ptr, bytes);
}

static inline void *own_aligned(size_t size, size_t alignment)
{
	void *ptr = heap_fast_allocate_aligned(size, alignment);

	return __builtin_expect(ptr != NULL, 1)
		       ? ptr
		       : api_allocate(size, alignment, false);
}

API int posix_memalign(void **result, size_t alignment, size_t size)
{
	int kept_errno = errno;
	void *ptr;

	if (!is_power_of_two(alignment) || alignment % sizeof(void *))
		return EINVAL;
	ptr = own_aligned(size, alignment);
	if (!ptr) {
		errno = kept_errno;
		return ENOMEM;
	}
	*result = ptr;
	return 0;
}

API void *aligned_alloc(size_t alignment, size_t size)
{
	if (!is_power_of_two(alignment)) {
		errno = EINVAL;
		return NULL;
	}
	return own_aligned(size, alignment);
}

/* As glibc: an alignment that is no power of two is raised to one. */
API void *memalign(size_t alignment, size_t size)
{
	if (alignment > PTRDIFF_MAX) {
		errno = EINVAL;
		return NULL;
	}
	if (alignment && !is_power_of_two(alignment))
		alignment = (size_t)1 << (64 - __builtin_clzll(alignment));
	return own_aligned(size, alignment ? alignment : 1);
}

API void *valloc(size_t size)
{
	return api_allocate(size, os_page_bytes, false);
}

API void *pvalloc(size_t size)
{
	size_t page = os_page_bytes;

	if (size > PTRDIFF_MAX - page)
		return api_result(NULL);
	return api_allocate((size + page - 1) & ~(page - 1), page, false);
}

API size_t malloc_usable_size(void *ptr)
{
	size_t usable = heap_fast_usable(ptr);

	return usable || !ptr ? usable : heap_usable(ptr);
}

API void free_sized(void *ptr, size_t size)
{
	if (!API_CHECKS_SIZES && heap_fast_free(ptr))
		return;
	if (ptr)
		heap_free_sized(ptr, size, 0, NULL);
}

API void free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
	if (!API_CHECKS_SIZES && heap_fast_free(ptr))
		return;
	if (ptr)
		heap_free_sized(ptr, size, alignment, NULL);
}
