/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many bytes the program has in use, as the heap's own counts have it, and
 * how often it is worth while to add them up.
 */
#ifndef LIBALLOC_PROF_LIVE_H
#define LIBALLOC_PROF_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/prof/prof.h"
#include "liballoc/prof/state.h"

/* Of all arenas, without what threads have said that their caches hold. */
uint64_t live_bytes(void);

/* Threads tell each other so much at once, since a word of all is dear. */
#define LIVE_TELL_BYTES ((uint64_t)32 << 10)
/* So many bytes more, of all that a thread has to tell: as below. */
bool live_tell(uint64_t bytes);

/*
 * A thread counts when it has an event, and one that ends counts no more: on
 * average each event stands for the mean bytes between samples.
 */
static inline uint64_t live_stands_for(uint64_t bytes)
{
	uint32_t lg = prof_state_rate();
	uint64_t mean = lg < 20 ? UINT64_C(1) << lg : PROF_INTERVAL_MAX;

	return bytes > mean ? bytes : mean;
}

/*
 * A thread has allocated so many bytes more: is it time to look again? About
 * once in 256 KiB that all threads together allocate, less often where there
 * are many arenas to add up. untold: the thread's own, 0 at first: what it has
 * not told the others yet.
 */
static inline bool live_is_due(uint64_t bytes, uint32_t *untold)
{
	uint64_t more = *untold + live_stands_for(bytes);

	*untold = more < LIVE_TELL_BYTES ? (uint32_t)more : 0;
	return more >= LIVE_TELL_BYTES && live_tell(more);
}

#endif
