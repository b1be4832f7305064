/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <jemalloc/jemalloc.h> of liballoc: what programs written for jemalloc
 * expect of that header, for liballoc under jemalloc's names (see
 * --enable-jemalloc-names). Declares nothing that liballoc has not.
 */
#ifndef JEMALLOC_H_
#define JEMALLOC_H_

#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include <liballoc/liballoc.h>

/*
 * The interface is that of jemalloc 5.3.0; who implements it stands in place
 * of the commit. mallctl's "version" reads the same.
 */
#define JEMALLOC_VERSION LIBALLOC_JEMALLOC_VERSION
#define JEMALLOC_VERSION_MAJOR 5
#define JEMALLOC_VERSION_MINOR 3
#define JEMALLOC_VERSION_BUGFIX 0
#define JEMALLOC_VERSION_NREV 0
#define JEMALLOC_VERSION_GID LIBALLOC_JEMALLOC_GID

#define JEMALLOC_OVERRIDE_MEMALIGN
#define JEMALLOC_OVERRIDE_VALLOC
#define JEMALLOC_USABLE_SIZE_CONST
#define LG_SIZEOF_PTR 3

/* je_get_defrag_hint() is there: redis built with this header defragments. */
#define JEMALLOC_FRAG_HINT

#ifdef __cplusplus
# define JEMALLOC_CXX_THROW throw()
#else
# define JEMALLOC_CXX_THROW
#endif
#define JEMALLOC_HAVE_ATTR
#define JEMALLOC_ATTR(s) __attribute__((s))
#define JEMALLOC_ALIGNED(s) JEMALLOC_ATTR(aligned(s))
#define JEMALLOC_ALLOC_SIZE(s) JEMALLOC_ATTR(alloc_size(s))
#define JEMALLOC_ALLOC_SIZE2(s1, s2) JEMALLOC_ATTR(alloc_size(s1, s2))
#define JEMALLOC_EXPORT JEMALLOC_ATTR(visibility("default"))
#define JEMALLOC_FORMAT_ARG(i) JEMALLOC_ATTR(format_arg(i))
#define JEMALLOC_FORMAT_PRINTF(s, i) JEMALLOC_ATTR(format(printf, s, i))
#define JEMALLOC_FALLTHROUGH JEMALLOC_ATTR(fallthrough)
#define JEMALLOC_NOINLINE JEMALLOC_ATTR(noinline)
#define JEMALLOC_NOTHROW JEMALLOC_ATTR(nothrow)
#define JEMALLOC_SYS_NOTHROW JEMALLOC_NOTHROW
#define JEMALLOC_SECTION(s) JEMALLOC_ATTR(section(s))
#define JEMALLOC_COLD JEMALLOC_ATTR(cold)
#define JEMALLOC_RESTRICT_RETURN
#define JEMALLOC_ALLOCATOR

/*
 * jemalloc may be built with a prefix, je_ by default; as in its own header,
 * those names stand for the plain ones where JEMALLOC_NO_DEMANGLE (or its
 * counterpart JEMALLOC_MANGLE) asks for them.
 */
#if defined(JEMALLOC_NO_DEMANGLE) || defined(JEMALLOC_MANGLE)
# define je_malloc malloc
# define je_calloc calloc
# define je_realloc realloc
# define je_free free
# define je_aligned_alloc aligned_alloc
# define je_posix_memalign posix_memalign
# define je_memalign memalign
# define je_valloc valloc
# define je_malloc_usable_size malloc_usable_size
# define je_mallocx mallocx
# define je_rallocx rallocx
# define je_xallocx xallocx
# define je_sallocx sallocx
# define je_dallocx dallocx
# define je_sdallocx sdallocx
# define je_nallocx nallocx
# define je_mallctl mallctl
# define je_mallctlnametomib mallctlnametomib
# define je_mallctlbymib mallctlbymib
# define je_malloc_stats_print malloc_stats_print
# define je_malloc_conf malloc_conf
# define je_malloc_conf_2_conf_harder malloc_conf_2_conf_harder
# define je_malloc_message malloc_message
#endif

#endif
