/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving what large objects hold, or pages alone: by the page tables, where
 * the kernel can (Linux 5.7, MREMAP_DONTUNMAP), so that nothing is copied, no
 * second copy is ever resident, and what is left behind is clean. Else by
 * copying.
 */
#ifndef LIBALLOC_HEAP_MOVE_H
#define LIBALLOC_HEAP_MOVE_H

#include <stdbool.h>
#include <stddef.h>

#include "liballoc/heap/os.h"

/* Below this a copy is as cheap, and each move may cost a mapping. */
#define MOVE_MIN_BYTES ((size_t)512 << 10)

/*
 * Moves bytes (a multiple of the page) between addresses that are multiples of
 * it, of private memory that does not overlap. True: no page is left at from,
 * and it reads as zero. False: what it holds is worth nothing.
 */
bool move_pages(void *to, void *from, size_t bytes);

/* Below this the kernel makes new pages about as fast. */
#define MOVE_IDLE_MIN_BYTES ((size_t)128 << 10)

/*
 * Moves pages whose contents are worth nothing, so that none need be made at
 * to. OS_MOVE_PARTED: nothing was moved, but parts may be; OS_MOVE_REFUSED:
 * no part may.
 */
enum os_moved move_idle_pages(void *to, void *from, size_t bytes);

#endif
