/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thp:filled: huge pages for large objects, where the kernel gives them to
 * whoever asks (its setting "madvise"). They save the faults of a program that
 * fills its large objects, and would hold memory that one which hardly touches
 * them does not need; so the objects that are freed tell of those to come.
 * Where the kernel gives them to all or to none there is nothing to ask.
 */
#ifndef LIBALLOC_HEAP_HUGE_H
#define LIBALLOC_HEAP_HUGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/extent.h"

/* Objects, and parts of them that were not resident, of so much. */
#define HUGE_LEAST_BYTES ((size_t)2 << 20)

/*
 * A clean run, of which a large object is about to get some: asks for huge
 * pages in all of it where they pay, and no more where they do not. Guarded as
 * the run is.
 */
void huge_ask(struct extent *run);
/* The object's extent, which was cut off it: may be one that does without. */
void huge_try_without(struct extent *extent);
/*
 * Looks at what the program touched of a large object, which is still whole,
 * of those pages that it got clean.
 */
void huge_look(const struct extent *extent);

/* The same where the sizes are such that there is something to do. */
static inline void huge_may_ask(struct extent *run, size_t bytes)
{
	if (__builtin_expect(bytes >= HUGE_LEAST_BYTES, 0) &&
	    run->bytes >= HUGE_LEAST_BYTES)
		huge_ask(run);
}

static inline void huge_may_try_without(struct extent *extent)
{
	if (__builtin_expect(extent->huge, 0) &&
	    extent->bytes >= HUGE_LEAST_BYTES)
		huge_try_without(extent);
}

static inline void huge_may_look(const struct extent *extent)
{
	if (__builtin_expect(extent->usable >= HUGE_LEAST_BYTES, 0) &&
	    extent->dirty_bytes <= extent->usable - HUGE_LEAST_BYTES)
		huge_look(extent);
}

#endif
