/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many bytes the program has in use, as the heap's own counts have it, and
 * how often it is worth while to add them up.
 */
#ifndef LIBALLOC_PROF_LIVE_H
#define LIBALLOC_PROF_LIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Of all arenas, without what threads have said that their caches hold. */
uint64_t live_bytes(void);
/*
 * A thread has allocated so many bytes more: is it time to look again? About
 * once in 256 KiB that all threads together allocate, less often where there
 * are many arenas to add up. untold: the thread's own, 0 at first: what it has
 * not told the others yet.
 */
bool live_is_due(uint64_t bytes, uint32_t *untold);

#endif
