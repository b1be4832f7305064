/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Computes the size classes and their slabs at boot, since both depend on the
 * kernel's page size. Owns the tables, which are constant after that.
 */
#include "config.h"

#include "liballoc/heap/size_class.h"

#include <string.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/ledger/ledger.h"

#define LEAST_SLAB_BYTES ((size_t)16 << 10)

struct size_class size_classes[SIZE_CLASSES];
uint8_t size_class_slots[CACHED_MAX_BYTES / 8 + 1];

static unsigned floor_lg(size_t value)
{
	return 63 - (unsigned)__builtin_clzll(value);
}

/* The index of bytes among classes of 1 << lg_steps to a doubling. */
static unsigned step_index(size_t bytes, unsigned lg_first, unsigned lg_steps)
{
	unsigned lg = floor_lg(bytes - 1);
	unsigned lg_step = lg - lg_steps;
	size_t step = ((bytes - 1) >> lg_step) & (((size_t)1 << lg_steps) - 1);

	return (unsigned)(((size_t)(lg - lg_first) << lg_steps) + step);
}

unsigned size_class_of(size_t bytes)
{
	if (bytes <= 8)
		return 0;
	if (bytes <= 128)
		return (unsigned)((bytes + 15) / 16);
	if (bytes <= SMALL_MAX_BYTES)
		return 9 + step_index(bytes, 7, 3);
	return SMALL_CLASSES + step_index(bytes, 14, 2);
}

static size_t class_bytes(unsigned index)
{
	unsigned lg;

	if (index == 0)
		return 8;
	if (index <= 8)
		return index * (size_t)16;
	if (index < SMALL_CLASSES) {
		lg = 7 + (index - 9) / 8;
		return ((size_t)1 << lg) +
		       (((index - 9) % 8 + 1) * ((size_t)1 << (lg - 3)));
	}
	index -= SMALL_CLASSES;
	lg = 14 + index / 4;
	return ((size_t)1 << lg) + ((index % 4 + 1) * ((size_t)1 << (lg - 2)));
}

/*
 * The shortest slab whose tail wastes at most a 64th, or else the one that
 * wastes the smallest share. Short slabs empty sooner; long ones cost fewer
 * trips to the page heap, and no memory where they are not used. So: 16 KiB,
 * but no more regions than an extent has bits for, and at least 4.
 */
static size_t slab_bytes_for(size_t bytes)
{
	size_t most_regions = (size_t)EXTENT_INLINE_WORDS * 64;
	size_t least = bytes * most_regions > LEAST_SLAB_BYTES
			       ? LEAST_SLAB_BYTES
			       : bytes * most_regions;
	size_t best = 0, best_waste = 0, slab;

	if (least < bytes * 4)
		least = bytes * 4;
	slab = (least + os_page_bytes - 1) / os_page_bytes * os_page_bytes;
	for (; slab <= SLAB_MAX_BYTES || !best; slab += os_page_bytes) {
		size_t waste = slab % bytes;

		if (!best || waste * best < best_waste * slab) {
			best = slab;
			best_waste = waste;
		}
		if (waste * 64 <= slab)
			break;
	}
	return best;
}

static void describe_class(unsigned index, struct ledger_class *row)
{
	struct size_class *class = &size_classes[index];

	class->bytes = class_bytes(index);
	if (size_class_is_small(index)) {
		class->slab_bytes = (uint32_t)slab_bytes_for(class->bytes);
		class->regions = (uint32_t)(class->slab_bytes / class->bytes);
		class->reciprocal =
			(uint32_t)((UINT64_C(1) << 32) / class->bytes + 1);
		class->eighth_reciprocal =
			(uint32_t)((UINT64_C(8) << 28) / class->regions);
	}
	row->size_bytes = class->bytes;
	row->regions_per_slab = class->regions;
	row->slab_bytes = class->slab_bytes;
}

/* The slots of the sizes that have one, class by class. */
static void fill_slots(void)
{
	size_t first = 0, next;
	unsigned size_class;

	for (; first <= CACHED_MAX_BYTES / 8; first = next) {
		next = size_class_round(first * 8, 0, &size_class) / 8 + 1;
		if (size_class >= CACHED_CLASSES)
			break;
		if (next > CACHED_MAX_BYTES / 8 + 1)
			next = CACHED_MAX_BYTES / 8 + 1;
		memset(size_class_slots + first, (int)size_class + 1,
		       next - first);
	}
}

__attribute__((cold)) void size_class_boot(void)
{
	struct ledger_class *rows = ledger_rows(LEDGER_CLASSES);
	unsigned i;

	if (SIZE_CLASSES > ledger_capacity(LEDGER_CLASSES))
		__builtin_trap();
	for (i = 0; i < SIZE_CLASSES; i++)
		describe_class(i, &rows[i]);
	ledger_publish(LEDGER_CLASSES, SIZE_CLASSES);
	fill_slots();
}

static size_t round_large(size_t bytes, unsigned *size_class)
{
	if (bytes > LARGE_MAX_BYTES)
		return 0;
	if (bytes <= SMALL_MAX_BYTES)
		bytes = SMALL_MAX_BYTES + 1;
	bytes = (bytes + os_page_bytes - 1) & ~(os_page_bytes - 1);
	*size_class = size_class_of(bytes);
	return bytes;
}

size_t size_class_round(size_t bytes, size_t alignment, unsigned *size_class)
{
	unsigned index;

	if (!bytes)
		bytes = 1;
	if (bytes > LARGE_MAX_BYTES || alignment > LARGE_MAX_BYTES)
		return 0;
	if (alignment > os_page_bytes)
		return round_large(bytes, size_class);
	if (alignment > 1)
		bytes = (bytes + alignment - 1) & ~(alignment - 1);
	if (bytes > SMALL_MAX_BYTES)
		return round_large(bytes, size_class);
	index = size_class_of(bytes);
	while (alignment > 16 && index < SMALL_CLASSES &&
	       size_classes[index].bytes & (alignment - 1))
		index++;
	if (index == SMALL_CLASSES)
		return round_large(bytes, size_class);
	*size_class = index;
	return size_classes[index].bytes;
}

unsigned heap_class_count(void)
{
	return SIZE_CLASSES;
}

unsigned heap_small_class_count(void)
{
	return SMALL_CLASSES;
}

size_t heap_class_bytes(unsigned size_class)
{
	return size_classes[size_class].bytes;
}
