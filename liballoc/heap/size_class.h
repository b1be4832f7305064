/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Size classes. Small ones (8, multiples of 16 up to 128, then 8 to a
 * doubling up to 16 KiB) are served from slabs. Larger objects get whole
 * pages, exactly; their classes, 4 to a doubling, are buckets for statistics.
 * Those buckets that are whole pages and small enough are cached by threads.
 */
#ifndef LIBALLOC_HEAP_SIZE_CLASS_H
#define LIBALLOC_HEAP_SIZE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/os.h"

#define SMALL_CLASSES 65u
#define SMALL_MAX_BYTES ((size_t)16 << 10)
#define SLAB_MAX_BYTES ((size_t)64 << 10)
#define LARGE_CLASSES 124u /* 20 KiB to 2^45 bytes */
#define SIZE_CLASSES (SMALL_CLASSES + LARGE_CLASSES)
#define LARGE_MAX_BYTES ((size_t)1 << 45)
/* Classes [0, CACHED_CLASSES) may have a bin in a cache: up to 32 KiB. */
#define CACHED_CLASSES (SMALL_CLASSES + 4)
#define CACHED_MAX_BYTES ((size_t)32 << 10)

struct size_class {
	size_t bytes;
	uint32_t slab_bytes; /* 0: large */
	uint32_t regions;    /* in a slab */
	uint32_t reciprocal; /* 2^32 / bytes, and a little more */
	/* free regions * this >> 28 = the share of them, in eighths */
	uint32_t eighth_reciprocal;
};

extern struct size_class size_classes[SIZE_CLASSES];

/*
 * 1 + the class for a request at natural alignment, of up to CACHED_MAX_BYTES;
 * 0 where that class is none that is cached (64 KiB pages). Filled by
 * size_class_boot(); before that all are 0.
 */
extern uint8_t size_class_slots[CACHED_MAX_BYTES / 8 + 1] HEAP_HIDDEN;

static inline size_t size_class_slot(size_t bytes)
{
	return size_class_slots[(bytes + 7) / 8];
}

/* Needs os_boot(); tells the ledger. */
void size_class_boot(void);

/* The class for bytes in [1, LARGE_MAX_BYTES]. */
unsigned size_class_of(size_t bytes);
/*
 * What a request gets: usable bytes, and the class; 0 where nothing can serve
 * it. alignment is a power of two, or 0; beyond a page it takes whole pages,
 * though not as many as the alignment.
 */
size_t size_class_round(size_t bytes, size_t alignment, unsigned *size_class);

static inline bool size_class_is_small(unsigned size_class)
{
	return size_class < SMALL_CLASSES;
}

/* Of a small class: the region that an offset into a slab lies in. */
static inline size_t size_class_region(const struct size_class *class,
				       size_t offset)
{
	return offset * class->reciprocal >> 32;
}

_Static_assert(SLAB_MAX_BYTES *(uint64_t)SMALL_MAX_BYTES <= UINT32_MAX,
	       "a reciprocal's error never comes near a byte's share");

/*
 * Does a region begin there? The lower half of the product is the part of the
 * region that lies before the offset, as a share of 2^32, and the reciprocal's
 * error, offset times.
 */
static inline bool size_class_begins(const struct size_class *class,
				     size_t offset)
{
	return (uint32_t)(offset * class->reciprocal) < class->reciprocal;
}

#endif
