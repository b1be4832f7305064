/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page map's storage. Owns the leaves, which it grows without a lock, so
 * that the emergency path may grow it too; never frees one.
 */
#include "config.h"

#include "liballoc/heap/page_map.h"

#include "liballoc/heap/os.h"

uint64_t *page_map_root[PAGE_MAP_ROOTS];

static bool cover_root(size_t root)
{
	size_t bytes = PAGE_MAP_LEAF_WORDS * sizeof(uint64_t);
	uint64_t *expected = NULL;
	uint64_t *leaf;

	if (__atomic_load_n(&page_map_root[root], __ATOMIC_ACQUIRE))
		return true;
	leaf = os_map(bytes, false);
	if (!leaf)
		return false;
	if (!__atomic_compare_exchange_n(&page_map_root[root], &expected, leaf,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		os_unmap(leaf, bytes);
	return true;
}

bool page_map_cover(uintptr_t base, size_t bytes)
{
	size_t root = base >> PAGE_MAP_LG_LEAF;
	size_t last = (base + bytes - 1) >> PAGE_MAP_LG_LEAF;

	if (last >= PAGE_MAP_ROOTS)
		return false;
	for (; root <= last; root++)
		if (!cover_root(root))
			return false;
	return true;
}

void page_map_set(uintptr_t address, uint64_t word)
{
	uint64_t *leaf = page_map_root[address >> PAGE_MAP_LG_LEAF];

	__atomic_store_n(
		&leaf[address >> PAGE_MAP_LG_UNIT & (PAGE_MAP_LEAF_WORDS - 1)],
		word, __ATOMIC_RELAXED);
}

void page_map_set_all(uintptr_t base, size_t bytes, uint64_t word)
{
	uintptr_t end = base + bytes;

	for (; base < end; base += PAGE_MAP_UNIT)
		page_map_set(base, word);
}
