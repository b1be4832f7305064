/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of link maps that are known. Rows are added and emptied under the
 * lock, and looked up without. Owns the mark on link maps; reads nothing of
 * theirs but the list of those that were there from the start.
 */
#include "config.h"

#include <link.h>
#include <stdlib.h>

#include "liballoc/heap/internal.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/thread.h"
#include "liballoc/prof/tables.h"
#include "liballoc/prof/unload.h"
#include "liballoc/prof/unwind/find.h"
#include "liballoc/prof/unwind/rules.h"

#define ROWS 1024u
#define FILTER_WORDS 16u

struct row {
	const void *map; /* NULL: empty */
	uint64_t low, high;
	bool stays; /* never unloaded: the map is not marked */
};

static struct lock lock = LOCK_INIT(LOCK_PROF_IMAGES);
static struct row rows[ROWS] __attribute__((aligned(4096)));
static uint32_t rows_used;
uint32_t unload_marked;
/* A bit for each marked map, by its address: most frees need not look. */
static uint64_t filter[FILTER_WORDS];
/* The last link map of the start; those up to it in the list stay for good. */
static const struct link_map *last_of_start;

/* Whoever asks for calloc gets ours, the dynamic linker included. */
static bool is_process_allocator(void)
{
#if defined(PIC)
	struct image global, own;
	void *(*volatile found)(size_t, size_t) = calloc;

	/* By the library that holds it: our own name for it is not exported. */
	return find_image((uintptr_t)found, &global) &&
	       find_image((uintptr_t)unload_boot, &own) &&
	       global.low == own.low;
#else
	return true;
#endif
}

__attribute__((cold)) void unload_boot(void)
{
	const struct link_map *map = _r_debug.r_map;

	if (!is_process_allocator())
		return;
	for (; map; map = map->l_next)
		last_of_start = map;
}

static bool was_there_at_start(const void *which)
{
	const struct link_map *map;

	if (!last_of_start)
		return false;
	for (map = _r_debug.r_map; map; map = map->l_next) {
		if (map == which)
			return true;
		if (map == last_of_start)
			break;
	}
	return false;
}

static struct row *find_row(const void *map)
{
	uint32_t used = __atomic_load_n(&rows_used, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < used; i++)
		if (__atomic_load_n(&rows[i].map, __ATOMIC_ACQUIRE) == map)
			return &rows[i];
	return NULL;
}

bool unload_is_heard(const void *map)
{
	return !map || find_row(map);
}

bool unload_never_comes(const void *map)
{
	const struct row *row = map ? find_row(map) : NULL;

	return !map || (row && row->stays);
}

static uint64_t *filter_word(uint64_t filters[FILTER_WORDS], const void *map,
			     uint64_t *bit)
{
	uint64_t hash = tables_mix((uintptr_t)map) >> 54;

	*bit = UINT64_C(1) << (hash & 63);
	return &filters[hash >> 6 & (FILTER_WORDS - 1)];
}

static bool may_be_marked(const void *ptr)
{
	uint64_t bit;
	const uint64_t *word = filter_word(filter, ptr, &bit);

	return __atomic_load_n(word, __ATOMIC_RELAXED) & bit;
}

/* Holding the lock. Bits of maps that stay marked are never off meanwhile. */
static void make_filter(void)
{
	uint64_t made[FILTER_WORDS] = {0}, bit, *word;
	uint32_t marked = 0;

	for (uint32_t i = 0; i < rows_used; i++) {
		if (!rows[i].map || rows[i].stays)
			continue;
		word = filter_word(made, rows[i].map, &bit);
		*word |= bit;
		marked++;
	}
	for (unsigned i = 0; i < FILTER_WORDS; i++)
		__atomic_store_n(&filter[i], made[i], __ATOMIC_RELAXED);
	__atomic_store_n(&unload_marked, marked, __ATOMIC_RELAXED);
}

/* Holding the lock; false where there is no room. */
static bool add_row(const struct fde *fde, bool stays)
{
	uint32_t i = 0;

	while (i < rows_used && rows[i].map)
		i++;
	if (i == ROWS)
		return false;
	rows[i].low = fde->image.low;
	rows[i].high = fde->image.high;
	rows[i].stays = stays;
	__atomic_store_n(&rows[i].map, fde->image.map, __ATOMIC_RELEASE);
	if (i == rows_used)
		__atomic_store_n(&rows_used, i + 1, __ATOMIC_RELEASE);
	if (!stays)
		make_filter();
	return true;
}

/* Marks the link map, so that its free comes by; false where it cannot. */
static bool mark(const void *map)
{
	uint64_t word = page_map_get((uintptr_t)map);

	if (!(word & PAGE_LIVE) || word & PAGE_TAIL)
		return false;
	return heap_watch((void *)(uintptr_t)map, true);
}

/* Holding the lock. */
static void listen(uint64_t pc, const struct fde *fde)
{
	bool stays = was_there_at_start(fde->image.map);
	struct fde again;

	if (find_row(fde->image.map) || (!stays && !mark(fde->image.map)))
		return;
	/* It is still there, so its map was one when it was marked. */
	if (find_fde(pc, &again) && again.image.map == fde->image.map &&
	    add_row(fde, stays))
		return;
	if (!stays)
		heap_watch((void *)(uintptr_t)fde->image.map, false);
}

void unload_listen(uint64_t pc)
{
	struct fde fde;

	if (!last_of_start || !find_fde(pc, &fde) ||
	    unload_is_heard(fde.image.map))
		return;
	thread_busy++;
	lock_take(&lock);
	listen(pc, &fde);
	lock_release(&lock);
	thread_busy--;
}

void unload_look(void *ptr)
{
	struct row *row;

	if (!may_be_marked(ptr))
		return;
	thread_busy++;
	lock_take(&lock);
	row = find_row(ptr);
	if (row && !row->stays) {
		__atomic_store_n(&row->map, NULL, __ATOMIC_RELEASE);
		rules_forget(row->low, row->high);
		make_filter();
	} else {
		row = NULL;
	}
	lock_release(&lock);
	thread_busy--;
	if (row)
		heap_watch(ptr, false);
}

void unload_prefork(void)
{
	lock_take_for_fork(&lock);
}

void unload_postfork_parent(void)
{
	lock_release_for_fork(&lock);
}

void unload_postfork_child(void)
{
	lock_reset(&lock);
}
