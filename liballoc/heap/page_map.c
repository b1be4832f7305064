/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page map's storage. Owns the leaves, which it grows without a lock, so
 * that the emergency path may grow it too; never frees one.
 */
#include "config.h"

#include "liballoc/heap/page_map.h"

#include <string.h>

#include "liballoc/heap/os.h"

/* No program's address on x86-64 is beyond 2^47, unless it asked for that. */
#ifdef __x86_64__
# define LG_CLASS_MAP_ADDRESS 47
#else
# define LG_CLASS_MAP_ADDRESS PAGE_MAP_LG_ADDRESS
#endif
#define CLASS_MAP_PAGES ((size_t)1 << (LG_CLASS_MAP_ADDRESS - PAGE_MAP_LG_UNIT))

uint64_t *page_map_root[PAGE_MAP_ROOTS] __attribute__((aligned(4096)));
uint8_t *page_class_map;
size_t page_class_pages;

__attribute__((cold)) void page_map_boot(void)
{
	if (os_address_space_is_limited())
		return;
	page_class_map = os_map_readable(CLASS_MAP_PAGES);
	if (page_class_map)
		page_class_pages = CLASS_MAP_PAGES;
}

static bool cover_classes(size_t root)
{
	if (root * PAGE_MAP_LEAF_WORDS >= page_class_pages)
		return true;
	return os_make_writable(page_class_map + root * PAGE_MAP_LEAF_WORDS,
				PAGE_MAP_LEAF_WORDS);
}

/* As many slots as one by one are cheap to set; slabs have fewer. */
#define SLAB_SLOTS 64u

/* What stands in the class map for a page with the word. */
static uint8_t class_slot(uint64_t word)
{
	return (word & PAGE_PLAIN_MASK) == PAGE_LIVE
		       ? (uint8_t)(page_word_tag(word) + 1)
		       : 0;
}

void page_class_set(uintptr_t base, size_t bytes, uint64_t word)
{
	uint8_t slot = class_slot(word);
	size_t count = bytes >> PAGE_MAP_LG_UNIT;
	uint8_t *at;

	if (base >> PAGE_MAP_LG_UNIT >= page_class_pages)
		return;
	at = page_class_map + (base >> PAGE_MAP_LG_UNIT);
	/* Who frees to a slab may look while a sample changes its slots. */
	if (count <= SLAB_SLOTS)
		while (count--)
			__atomic_store_n(&at[count], slot, __ATOMIC_RELAXED);
	else
		memset(at, slot, count);
}

static bool cover_root(size_t root)
{
	size_t bytes = PAGE_MAP_LEAF_WORDS * sizeof(uint64_t);
	uint64_t *expected = NULL;
	uint64_t *leaf;

	if (__atomic_load_n(&page_map_root[root], __ATOMIC_ACQUIRE))
		return true;
	if (!cover_classes(root))
		return false;
	leaf = os_map(bytes, false);
	if (!leaf)
		return false;
	if (!__atomic_compare_exchange_n(&page_map_root[root], &expected, leaf,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		os_unmap(leaf, bytes);
	return true;
}

/*
 * Others may be about to look at entries of live objects, which stay, and of
 * NULL. Whoever makes a leaf does so before he looks whether to set classes.
 */
bool page_map_give_up_classes(void)
{
	size_t pages = page_class_pages, root;

	if (!pages ||
	    !__atomic_compare_exchange_n(&page_class_pages, &pages, 0, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	for (root = 1; root < pages / PAGE_MAP_LEAF_WORDS; root++) {
		size_t first = root;

		while (root < pages / PAGE_MAP_LEAF_WORDS &&
		       !__atomic_load_n(&page_map_root[root], __ATOMIC_SEQ_CST))
			root++;
		if (root > first)
			os_unmap(page_class_map + first * PAGE_MAP_LEAF_WORDS,
				 (root - first) * PAGE_MAP_LEAF_WORDS);
	}
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

static uint64_t *word_place(uintptr_t address)
{
	uint64_t *leaf = page_map_root[address >> PAGE_MAP_LG_LEAF];

	return &leaf[address >> PAGE_MAP_LG_UNIT & (PAGE_MAP_LEAF_WORDS - 1)];
}

void page_map_set(uintptr_t address, uint64_t word)
{
	__atomic_store_n(word_place(address), word, __ATOMIC_RELAXED);
}

void page_map_mark(uintptr_t address, bool sampled)
{
	uint64_t *place = word_place(address);
	uint64_t word = __atomic_load_n(place, __ATOMIC_RELAXED) &
			~(uint64_t)PAGE_SAMPLED;
	size_t page = address >> PAGE_MAP_LG_UNIT;

	word |= sampled ? PAGE_SAMPLED : 0;
	__atomic_store_n(place, word, __ATOMIC_RELAXED);
	if (page < page_class_pages)
		__atomic_store_n(&page_class_map[page], class_slot(word),
				 __ATOMIC_RELAXED);
}

void page_map_set_all(uintptr_t base, size_t bytes, uint64_t word)
{
	uintptr_t end = base + bytes;

	for (; base < end; base += PAGE_MAP_UNIT)
		page_map_set(base, word);
}
