/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options zero and junk: patterns in memory that is handed out and that is
 * freed. The fast paths fill nothing: where any is asked for, threads get no
 * caches, and so each call takes the slow path, which asks here.
 */
#ifndef LIBALLOC_SAFETY_FILL_H
#define LIBALLOC_SAFETY_FILL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "liballoc/ctl/options.h"

#define FILL_ALLOCATED 0xa5
#define FILL_FREED 0x5a

static inline bool fill_any(void)
{
	return opt.zero || opt.junk != JUNK_NONE;
}

static inline bool fill_frees(void)
{
	return opt.junk == JUNK_BOTH || opt.junk == JUNK_FREE;
}

/* Fresh memory that need not be zero. */
static inline void fill_allocated(void *ptr, size_t bytes)
{
	if (opt.junk == JUNK_BOTH || opt.junk == JUNK_ALLOC)
		memset(ptr, FILL_ALLOCATED, bytes);
}

static inline void fill_freed(void *ptr, size_t bytes)
{
	if (fill_frees())
		memset(ptr, FILL_FREED, bytes);
}

/*
 * Memory that is about to be handed out again, where frees are filled: it
 * holds that pattern, or zeros where the kernel gave new pages. Anything else
 * was written after the free, and is reported.
 */
void fill_check_free(const void *ptr, size_t bytes);

#endif
