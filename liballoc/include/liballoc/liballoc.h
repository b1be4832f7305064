/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * liballoc: jemalloc's non-standard API under its own names. The standard
 * functions (malloc and family) are declared by <stdlib.h> and <malloc.h>.
 * liballoc(3) documents each function, option and mallctl name.
 */
#ifndef LIBALLOC_LIBALLOC_H
#define LIBALLOC_LIBALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Flags of the *allocx functions, to be or-ed together.
 * MALLOCX_LG_ALIGN(la): align to 1 << la, la in [0, 63].
 * MALLOCX_ALIGN(a): align to a, a power of two.
 * MALLOCX_ZERO: the memory, grown memory included, is zeroed.
 * MALLOCX_TCACHE(tc): use the cache made by mallctl "tcache.create".
 * MALLOCX_TCACHE_NONE: use no cache.
 * MALLOCX_ARENA(a): use arena a, and no cache unless one is named.
 */
#define MALLOCX_LG_ALIGN(la) ((int)(la))
#define MALLOCX_ALIGN(a) ((int)__builtin_ctzll((unsigned long long)(a)))
#define MALLOCX_ZERO ((int)0x40)
#define MALLOCX_TCACHE(tc) ((int)(((tc) + 2) << 8))
#define MALLOCX_TCACHE_NONE MALLOCX_TCACHE(-1)
#define MALLOCX_ARENA(a) ((int)((((unsigned)(a)) + 1) << 20))

/* Pseudo arenas of the mallctl names "arena.<i>" and "stats.arenas.<i>". */
#define MALLCTL_ARENAS_ALL 4096
#define MALLCTL_ARENAS_DESTROYED 4097

/* Allocates at least size bytes, size > 0; NULL where memory is short. */
void *mallocx(size_t size, int flags) __attribute__((malloc));
/*
 * Resizes ptr to at least size bytes, size > 0, moving it if need be.
 * NULL, with ptr untouched, where memory is short.
 */
void *rallocx(void *ptr, size_t size, int flags);
/*
 * Resizes in place to at least size, if possible to size + extra bytes.
 * Returns the resulting usable size, which is below size where it failed.
 */
size_t xallocx(void *ptr, size_t size, size_t extra, int flags);
/* The usable size of the allocation at ptr. */
size_t sallocx(const void *ptr, int flags);
void dallocx(void *ptr, int flags);
/* Frees ptr, whose size the caller knows: between what was asked and usable. */
void sdallocx(void *ptr, size_t size, int flags);
/* The usable size that mallocx(size, flags) would give; 0 where it would fail
 */
size_t nallocx(size_t size, int flags);

/* Reads (oldp, oldlenp) and writes (newp, newlen) a control; 0 or an errno. */
int mallctl(const char *name, void *oldp, size_t *oldlenp, void *newp,
	    size_t newlen);
int mallctlnametomib(const char *name, size_t *mibp, size_t *miblenp);
int mallctlbymib(const size_t *mib, size_t miblen, void *oldp, size_t *oldlenp,
		 void *newp, size_t newlen);

/* Prints statistics through write_cb, or malloc_message where it is NULL. */
void malloc_stats_print(void (*write_cb)(void *, const char *), void *cbopaque,
			const char *opts);

/* Options, as MALLOC_CONF has them; a program may define it. */
extern const char *malloc_conf;
/* Where messages go; NULL: stderr. A program may set it. */
extern void (*malloc_message)(void *cbopaque, const char *s);

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t alignment, size_t size);

#ifdef __cplusplus
}
#endif

#endif
