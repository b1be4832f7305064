/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large objects of which programs touch hardly anything: buffers, tables and
 * stacks made for the worst case. What such an object was given has few pages
 * that are resident, so it costs little to keep whole for the next one, and
 * much to join with others and cut anew, since then other pages are touched
 * each time, until all are. Which sizes are so is learnt from pages that were
 * clean when they were taken; the learning takes no lock.
 */
#ifndef LIBALLOC_HEAP_SPARSE_H
#define LIBALLOC_HEAP_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extent;

/* Of an extent that is not sparse, or of which that is not known. */
#define SPARSE_NOT SIZE_MAX

/*
 * Grows whenever a size turns out to be filled that was hardly touched before:
 * what was taken for sparse until then may not be. Relaxed atomic.
 */
extern uint32_t sparse_doubts;

/* Are large objects of so many bytes hardly touched, as far as is known? */
enum sparse_habit {
	SPARSE_RARE,
	SPARSE_USUAL,
	SPARSE_CERTAIN, /* for long */
};
enum sparse_habit sparse_habit(size_t bytes, unsigned size_class);
/*
 * A large object is freed: the bytes of its extent that are resident, or an
 * estimate by those of its size; SPARSE_NOT. It is the caller's alone.
 */
size_t sparse_look(const struct extent *extent);

#endif
