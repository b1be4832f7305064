/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Size classes: every size up to 64 KiB, and the borders beyond, against the
 * definition. Changes nothing.
 */
#include "config.h"

#include "tap/tap.h"

#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/size_class.h"

/* The smallest class that holds bytes, the slow way. */
static unsigned linear(size_t bytes)
{
	unsigned i = 0;

	while (size_classes[i].bytes < bytes)
		i++;
	return i;
}

static void test_ascending(void)
{
	bool good = size_classes[0].bytes == 8;
	unsigned i;

	for (i = 1; i < SIZE_CLASSES; i++)
		good = good &&
		       size_classes[i].bytes > size_classes[i - 1].bytes;
	ok(good, "classes ascend from 8 bytes");
	is_uint(size_classes[SMALL_CLASSES - 1].bytes, SMALL_MAX_BYTES,
		"the largest small class");
	is_uint(size_classes[SIZE_CLASSES - 1].bytes, LARGE_MAX_BYTES,
		"the largest class");
}

static void test_sweep(void)
{
	bool good = true, table = true, rounded = true;
	unsigned size_class;
	size_t bytes;

	for (bytes = 1; bytes <= 65536; bytes++) {
		size_t usable = size_class_round(bytes, 0, &size_class);

		good = good && size_class_of(bytes) == linear(bytes);
		rounded = rounded && usable >= bytes &&
			  size_class == linear(usable);
		if (bytes <= CACHED_MAX_BYTES && os_page_bytes == 4096)
			table = table &&
				size_class_slot(bytes) == size_class + 1;
	}
	ok(good, "size_class_of agrees with a search, 1 to 64 KiB");
	ok(rounded, "size_class_round gives enough, and its class");
	ok(table, "so does the table of the fast path");
}

static void test_regions(void)
{
	bool same = true, begins = true;
	unsigned i;
	size_t offset;

	for (i = 0; i < SMALL_CLASSES; i++) {
		const struct size_class *class = &size_classes[i];

		for (offset = 0; offset < class->slab_bytes; offset++) {
			same = same && size_class_region(class, offset) ==
					       offset / class->bytes;
			begins = begins && size_class_begins(class, offset) ==
						   !(offset % class->bytes);
		}
	}
	ok(same, "each offset into a slab lies in the region that it should");
	ok(begins, "and a region begins where it should");
}

static void test_borders(void)
{
	bool good = true;
	unsigned i, size_class;

	for (i = 0; i < SIZE_CLASSES; i++)
		good = good && size_class_of(size_classes[i].bytes) == i &&
		       (i + 1 == SIZE_CLASSES ||
			size_class_of(size_classes[i].bytes + 1) == i + 1);
	ok(good, "each class's size is its own, one more is the next's");
	is_uint(size_class_round(LARGE_MAX_BYTES + 1, 0, &size_class), 0,
		"above the largest: nothing");
	is_uint(size_class_round(SIZE_MAX, 0, &size_class), 0, "SIZE_MAX");
	is_uint(size_class_round(1, (size_t)1 << 63, &size_class), 0,
		"an alignment of 2^63");
}

/* What is aligned beyond a page costs address space, but no more memory. */
static void test_aligned(void)
{
	size_t page = os_page_bytes, least = SMALL_MAX_BYTES + page, mib2;
	unsigned size_class;

	mib2 = (size_t)2 << 20;
	is_uint(size_class_round(100, page, &size_class), page,
		"a hundred bytes at a page: a page");
	is_uint(size_class_round(100, 2 * page, &size_class), least & -page,
		"at two pages: the least run of pages");
	is_uint(size_class_round(100, mib2, &size_class), least & -page,
		"at 2 MiB the same");
	is_uint(size_class_round(mib2 + 1, mib2, &size_class), mib2 + page,
		"2 MiB and a byte at 2 MiB: a page more");
}

static void test_waste(void)
{
	double worst = 0;
	unsigned i;

	for (i = 9; i < SMALL_CLASSES; i++) {
		double step = (double)size_classes[i].bytes /
			      (double)size_classes[i - 1].bytes;

		worst = step > worst ? step : worst;
	}
	ok(worst <= 1.1251, "small classes above 128 are 12.5 %% apart");
}

static void test_slabs(void)
{
	bool whole = true, many = true, waste = true, division = true;
	unsigned i, k;

	for (i = 0; i < SMALL_CLASSES; i++) {
		const struct size_class *c = &size_classes[i];

		whole = whole && c->slab_bytes % os_page_bytes == 0;
		many = many && c->regions >= 4 &&
		       c->regions * c->bytes <= c->slab_bytes;
		waste = waste && (c->slab_bytes - c->regions * c->bytes) * 32 <=
					 c->slab_bytes;
		for (k = 0; k < c->regions; k++)
			division = division &&
				   (k * c->bytes * c->reciprocal >> 32) == k;
	}
	ok(whole, "slabs are whole pages");
	ok(many, "slabs hold 4 regions or more");
	ok(waste, "tails waste 1/32 at most");
	ok(division, "the reciprocal divides each region's offset exactly");
}

static void test_alignment(void)
{
	size_t alignment, bytes;
	bool good = true, tight = true;
	unsigned size_class;

	for (alignment = 1; alignment <= 65536; alignment *= 2)
		for (bytes = 1; bytes <= 40000; bytes += 7) {
			size_t usable =
				size_class_round(bytes, alignment, &size_class);

			good = good && usable >= bytes;
			if (size_class_is_small(size_class))
				good = good && usable % alignment == 0;
			tight = tight &&
				usable <= 2 * (bytes + alignment) + 24576;
		}
	ok(good, "an aligned request's class keeps the alignment");
	ok(tight, "and is not wildly larger");
}

/* The fast path looks up what is rounded, and looks no further. */
static void test_cached_alignment(void)
{
	size_t alignment, bytes;
	bool good = true;
	unsigned size_class;

	for (alignment = 1; alignment <= 4096; alignment *= 2)
		for (bytes = 1; bytes + alignment <= SMALL_MAX_BYTES; bytes++) {
			size_t rounded = (bytes + alignment - 1) & -alignment;

			size_class_round(bytes, alignment, &size_class);
			good = good &&
			       size_class_slot(rounded) == size_class + 1;
		}
	ok(good, "rounded to its alignment a size has an aligned class");
}

int main(void)
{
	heap_boot();
	plan(24);
	test_ascending();
	test_sweep();
	test_regions();
	test_borders();
	test_aligned();
	test_waste();
	test_slabs();
	test_alignment();
	test_cached_alignment();
	return done_testing();
}
