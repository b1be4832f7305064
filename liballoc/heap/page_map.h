/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page map: for each 4 KiB of address space below 2^48 a word that says
 * what lies there. A table of leaves in bss, a leaf for each GiB, mapped when
 * the first page of it comes into use and never unmapped. Reading takes no
 * lock and is safe for any address; 0 means: not ours.
 *
 * A word: bits 0-5 flags, bits 6-47 the extent (64-byte aligned), bits 48-63
 * the size class of what is in use, or the arena's index of what is free. A
 * slab has the word in each of its pages; a large extent and a free run in
 * their first and last page only.
 */
#ifndef LIBALLOC_HEAP_PAGE_MAP_H
#define LIBALLOC_HEAP_PAGE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/os.h"

struct extent;

/*
 * Beside it, the class map: a byte for each such page, so that a free finds
 * its class in one small read. 1 + the size class where freeing an object of
 * that page may go to a thread's cache at once; 0 anywhere else. One flat
 * mapping that can only be read, but where pages of ours lie; where address
 * space is short there is none, and all frees take the slow path.
 */

#define PAGE_MAP_LG_UNIT 12
#define PAGE_MAP_UNIT ((size_t)1 << PAGE_MAP_LG_UNIT)
#define PAGE_MAP_LG_LEAF 30
#define PAGE_MAP_LG_ADDRESS 48
#define PAGE_MAP_ROOTS ((size_t)1 << (PAGE_MAP_LG_ADDRESS - PAGE_MAP_LG_LEAF))
#define PAGE_MAP_LEAF_WORDS ((size_t)1 << (PAGE_MAP_LG_LEAF - PAGE_MAP_LG_UNIT))

enum page_word_flag {
	PAGE_LIVE = 1,	    /* in use by the program (or its caches) */
	PAGE_LARGE = 2,	    /* one object, not a slab */
	PAGE_SAMPLED = 4,   /* may hold samples, or what is watched */
	PAGE_BYPASS = 8,    /* of an arena whose frees skip the caches */
	PAGE_UNCACHED = 16, /* too large for the caches */
	PAGE_TAIL = 32,	    /* the last page of a large extent: no object */
};

/* What a page needs to have an entry in the class map: PAGE_LIVE alone. */
#define PAGE_PLAIN_MASK                                                        \
 (PAGE_LIVE | PAGE_SAMPLED | PAGE_BYPASS | PAGE_UNCACHED | PAGE_TAIL)

extern uint8_t *page_class_map HEAP_HIDDEN;
extern size_t page_class_pages
	HEAP_HIDDEN; /* that it has entries for: all, or 0 */

static inline size_t page_class_slot(const void *ptr)
{
	size_t page = (uintptr_t)ptr >> PAGE_MAP_LG_UNIT;

	if (__builtin_expect(page >= page_class_pages, 0))
		return 0;
	return __atomic_load_n(&page_class_map[page], __ATOMIC_RELAXED);
}

extern uint64_t *page_map_root[PAGE_MAP_ROOTS];

static inline uint64_t page_map_get(uintptr_t address)
{
	uint64_t *leaf;

	if (address >> PAGE_MAP_LG_ADDRESS)
		return 0;
	leaf = __atomic_load_n(&page_map_root[address >> PAGE_MAP_LG_LEAF],
			       __ATOMIC_ACQUIRE);
	if (!leaf)
		return 0;
	return __atomic_load_n(
		&leaf[address >> PAGE_MAP_LG_UNIT & (PAGE_MAP_LEAF_WORDS - 1)],
		__ATOMIC_RELAXED);
}

static inline struct extent *page_word_extent(uint64_t word)
{
	return (struct extent *)(word & UINT64_C(0xffffffffffc0));
}

static inline unsigned page_word_tag(uint64_t word)
{
	return (unsigned)(word >> PAGE_MAP_LG_ADDRESS);
}

static inline uint64_t page_word(const struct extent *extent, unsigned tag,
				 unsigned flags)
{
	return (uint64_t)(uintptr_t)extent |
	       (uint64_t)tag << PAGE_MAP_LG_ADDRESS | flags;
}

/*
 * Makes sure that words and classes can be set for [base, base + bytes); false
 * where memory is short or the range lies beyond the map. Any thread, no lock.
 */
bool page_map_cover(uintptr_t base, size_t bytes);
/* Before anything is covered; makes the class map. */
void page_map_boot(void);
/*
 * Address space counts, as from now: unmaps what nothing of ours needs of the
 * class map, and uses it no more. True: done so; false: it was done before.
 */
bool page_map_give_up_classes(void);
/* Sets the class map's entries by word, as page_word() makes it; 0: none. */
void page_class_set(uintptr_t base, size_t bytes, uint64_t word);
/* Sets one word, or all of a range that was covered. */
void page_map_set(uintptr_t address, uint64_t word);
void page_map_set_all(uintptr_t base, size_t bytes, uint64_t word);
/* Gives a page of a slab PAGE_SAMPLED, or takes it away, in both maps. */
void page_map_mark(uintptr_t address, bool sampled);

#endif
