/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many free bytes an arena may keep, by their age: a smooth curve from
 * all of what was just freed to nothing of what has been free for the decay
 * time. Pure arithmetic on the caller's clock; the caller locks.
 */
#ifndef LIBALLOC_HEAP_DECAY_H
#define LIBALLOC_HEAP_DECAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DECAY_STEPS 200u
#define DECAY_MAX_WAIT 10u /* steps */

struct decay {
	ssize_t ms;	  /* -1: never, 0: at once */
	uint64_t step_ns; /* ms / DECAY_STEPS */
	uint64_t step_start_ns;
	size_t at_step_start;	     /* bytes that were free then, still kept */
	unsigned newest;	     /* index in backlog */
	size_t backlog[DECAY_STEPS]; /* bytes newly freed in each step */
};

bool decay_is_valid(ssize_t ms);
/* False where ms is out of range, with nothing changed. */
bool decay_set(struct decay *decay, ssize_t ms, uint64_t now_ns);
/*
 * Brings the clock up to now, with free_bytes free; returns how many bytes
 * may stay.
 */
size_t decay_limit(struct decay *decay, uint64_t now_ns, size_t free_bytes);
/*
 * Brings the clock up to now where nothing was free meanwhile, so that what
 * is freed next counts as fresh.
 */
void decay_start(struct decay *decay, uint64_t now_ns);
/* Bytes went by other means: no more than free_bytes are left. */
void decay_lower(struct decay *decay, size_t free_bytes);
/*
 * When to ask for the limit next, with free_bytes free now: the first step at
 * which a worthwhile part of them is over the limit, and at most
 * DECAY_MAX_WAIT steps ahead. UINT64_MAX: never.
 */
uint64_t decay_due_ns(const struct decay *decay, size_t free_bytes);

#endif
