/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel moves what lies in one of its mappings at a time, and a range that
 * was moved stays a mapping of its own: a range that was moved in part is tried
 * by halves, and in all only so many moves are made, each of which may leave
 * two or three of the 65,000 mappings that a process may have. Owns that count.
 */
#include "config.h"

#include "liballoc/heap/move.h"

#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/heap/os.h"

#define MOST_MOVES 8192u
/* Parts that are shorter are copied. */
#define LEAST_PART ((size_t)64 << 10)

static uint32_t moves;

/*
 * Of two pages, does the first one move to the second and leave zeros behind,
 * can the kernel still write there, and can both be given back? Emulators of
 * Linux may say yes, and not do so.
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
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, pages))
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

static bool move_or_copy(char *to, char *from, size_t bytes)
{
	size_t half = bytes / 2 & -os_page_bytes;
	enum os_moved moved = OS_MOVE_REFUSED;
	bool emptied;

	if (may_move())
		moved = os_move_pages(to, from, bytes);
	if (moved == OS_MOVED) {
		__atomic_fetch_add(&moves, 1, __ATOMIC_RELAXED);
		return true;
	}
	if (moved == OS_MOVE_REFUSED || half < LEAST_PART) {
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
