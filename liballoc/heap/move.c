/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel moves what lies in one of its mappings at a time, and a range that
 * was moved stays a mapping of its own: a range that was moved in part is tried
 * by halves, and in all only so many moves are made, since a process may have
 * some 65,000 mappings. Owns that count.
 */
#include "config.h"

#include "liballoc/heap/move.h"

#include <stdint.h>
#include <string.h>

#include "liballoc/heap/os.h"

#define MOST_MOVES 8192u

static uint32_t moves;

/*
 * Of two pages, does the first one move to the second, leave zeros behind, and
 * can both be given back then? Emulators of Linux may say yes, and not do so.
 */
static bool page_moves(char *pages)
{
	char *to = pages + os_page_bytes;

	*pages = *to = 1;
	pages[1] = 2;
	if (os_move_pages(to, pages, os_page_bytes) != OS_MOVED || to[1] != 2 ||
	    pages[0] || pages[1])
		return false;
	*pages = 3;
	return os_discard(pages, 2 * os_page_bytes) && !pages[0] && !to[0];
}

static bool try_one_page(void)
{
	char *pages = os_map(2 * os_page_bytes, true);
	bool good;

	if (!pages)
		return false;
	good = page_moves(pages);
	os_unmap(pages, 2 * os_page_bytes);
	return good;
}

/* What cannot be done at all is not tried again. */
static void give_up(void)
{
	__atomic_store_n(&moves, MOST_MOVES, __ATOMIC_RELAXED);
}

static bool may_move(void)
{
	uint32_t made = __atomic_load_n(&moves, __ATOMIC_RELAXED);

	if (made)
		return made < MOST_MOVES;
	if (try_one_page())
		__atomic_fetch_add(&moves, 1, __ATOMIC_RELAXED);
	else
		give_up();
	return __atomic_load_n(&moves, __ATOMIC_RELAXED) < MOST_MOVES;
}

static bool move_whole(void *to, void *from, size_t bytes)
{
	enum os_moved moved = os_move_pages(to, from, bytes);

	if (moved == OS_MOVED)
		__atomic_fetch_add(&moves, 1, __ATOMIC_RELAXED);
	if (moved == OS_MOVE_UNKNOWN)
		give_up();
	return moved == OS_MOVED;
}

static bool move_or_copy(char *to, char *from, size_t bytes)
{
	size_t half = bytes / 2 & -os_page_bytes;
	bool emptied;

	if (may_move() && move_whole(to, from, bytes))
		return true;
	if (!may_move() || half < MOVE_MIN_BYTES) {
		memcpy(to, from, bytes);
		return false;
	}
	emptied = move_or_copy(to, from, half);
	return move_or_copy(to + half, from + half, bytes - half) && emptied;
}

bool move_pages(void *to, void *from, size_t bytes)
{
	if (bytes < MOVE_MIN_BYTES) {
		memcpy(to, from, bytes);
		return false;
	}
	return move_or_copy(to, from, bytes);
}
