/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the API share: how a function is exported, and how a lack
 * of memory is reported.
 */
#ifndef LIBALLOC_API_API_H
#define LIBALLOC_API_API_H

#include <stdbool.h>
#include <stddef.h>

#define API __attribute__((visibility("default")))

/* Whether the sized forms of free look at the size. */
#ifdef LIBALLOC_DEBUG
# define API_CHECKS_SIZES true
#else
# define API_CHECKS_SIZES false
#endif

/*
 * The slow paths of malloc, realloc and the functions on x. The exported
 * functions may end in a jump to these, and then these stand on the call stack
 * in their stead.
 */
void *api_allocate(size_t size, size_t alignment, bool zero)
	__attribute__((noinline));
/* As above, by heap_allocate_counted(). */
void *api_allocate_counted(size_t size, size_t counted)
	__attribute__((cold, noinline));
void *api_reallocate(void *ptr, size_t size);
/*
 * Of an object of the slot, to another one if need be. Not inlined, so that
 * realloc need not keep anything.
 */
void *api_move(void *ptr, size_t size, size_t slot) __attribute__((noinline));
void *api_mallocx(size_t size, int flags) __attribute__((noinline));
void *api_rallocx(void *ptr, size_t size, int flags) __attribute__((noinline));
void api_dallocx(void *ptr, int flags) __attribute__((noinline));
void api_sdallocx(void *ptr, size_t size, int flags) __attribute__((noinline));

/* Sets ENOMEM, or with opt.xmalloc aborts with a message; returns NULL. */
void *api_out_of_memory(void) __attribute__((cold));

static inline void *api_result(void *ptr)
{
	return __builtin_expect(ptr != NULL, 1) ? ptr : api_out_of_memory();
}

#endif
