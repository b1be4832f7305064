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
 * Which jemalloc's interface this is, and whose it is in place of a commit;
 * mallctl "version" reads the same.
 */
#define LIBALLOC_JEMALLOC_GID "liballoc"
#define LIBALLOC_JEMALLOC_VERSION "5.3.0-0-g" LIBALLOC_JEMALLOC_GID

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

/*
 * What an arena's memory comes from: mallctl "arenas.create" and
 * "arena.<i>.extent_hooks". Every hook is given the struct itself and the
 * arena's index; addresses, sizes, offsets and lengths are multiples of the
 * page. But for alloc and destroy a hook returns false for done, and true
 * where it would not, or could not; NULL stands for one that always returns
 * true. alloc must be there. Hooks are called with the arena locked: they may
 * call malloc and free (slowly), and the hooks that they replaced, but must
 * not wait for another thread that may be using the arena.
 */
typedef struct extent_hooks_s extent_hooks_t;

/*
 * size bytes, aligned to alignment; at new_addr where that is not NULL. Where
 * *zero or *commit is true the memory must be zero or committed; either may be
 * set to true where it is. NULL: there is none.
 */
typedef void *(extent_alloc_t)(extent_hooks_t *hooks, void *new_addr,
			       size_t size, size_t alignment, bool *zero,
			       bool *commit, unsigned arena);
/* Takes memory back; true: the arena keeps the address space for reuse. */
typedef bool(extent_dalloc_t)(extent_hooks_t *hooks, void *addr, size_t size,
			      bool committed, unsigned arena);
/* The arena is destroyed, and what it had kept goes. */
typedef void(extent_destroy_t)(extent_hooks_t *hooks, void *addr, size_t size,
			       bool committed, unsigned arena);
/* Makes [offset, offset + length) of addr usable; zero where it was not. */
typedef bool(extent_commit_t)(extent_hooks_t *hooks, void *addr, size_t size,
			      size_t offset, size_t length, unsigned arena);
typedef bool(extent_decommit_t)(extent_hooks_t *hooks, void *addr, size_t size,
				size_t offset, size_t length, unsigned arena);
/* Drops the contents: lazily, some time or never; forced: now, to zero. */
typedef bool(extent_purge_t)(extent_hooks_t *hooks, void *addr, size_t size,
			     size_t offset, size_t length, unsigned arena);
/* May it be two from now on, of size_a and size_b bytes? */
typedef bool(extent_split_t)(extent_hooks_t *hooks, void *addr, size_t size,
			     size_t size_a, size_t size_b, bool committed,
			     unsigned arena);
/* May the two, which adjoin, be one? */
typedef bool(extent_merge_t)(extent_hooks_t *hooks, void *addr_a, size_t size_a,
			     void *addr_b, size_t size_b, bool committed,
			     unsigned arena);

struct extent_hooks_s {
	extent_alloc_t *alloc;
	extent_dalloc_t *dalloc;
	extent_destroy_t *destroy;
	extent_commit_t *commit;
	extent_decommit_t *decommit;
	extent_purge_t *purge_lazy;
	extent_purge_t *purge_forced;
	extent_split_t *split;
	extent_merge_t *merge;
};

/* What "experimental.arenas_create_ext" is given. */
typedef struct arena_config_s {
	extent_hooks_t *extent_hooks;
	bool metadata_use_hooks; /* has no effect: metadata never comes so */
} arena_config_t;

/* Prints statistics through write_cb, or malloc_message where it is NULL. */
void malloc_stats_print(void (*write_cb)(void *, const char *), void *cbopaque,
			const char *opts);

/* Options, as MALLOC_CONF has them; a program may define it. */
extern const char *malloc_conf;
extern const char *malloc_conf_2_conf_harder; /* wins over all others */
/* Where messages go; NULL: stderr. A program may set it. */
extern void (*malloc_message)(void *cbopaque, const char *s);

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t alignment, size_t size);

/*
 * For defragmentation: 1 where allocating ptr's contents anew would help its
 * slab to empty, else 0. The name is that of the jemalloc that redis brings.
 */
int je_get_defrag_hint(void *ptr);

#ifdef __cplusplus
}
#endif

#endif
