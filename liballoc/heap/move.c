/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel moves what lies in one of its mappings at a time, and a range that
 * was moved stays a mapping of its own: a range that was moved in part is tried
 * by halves. Each move may leave two or three more of the 65,000 mappings that
 * a process may have, though most only cut what was cut before: after so many
 * moves the mappings are counted, and where there are many of them nothing is
 * moved any more. Owns the count of moves.
 */
#include "config.h"

#include "liballoc/heap/move.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/heap/looks.h"
#include "liballoc/heap/os.h"

/* So many between two looks, and so many mappings that a look may find. */
#define MOVES_PER_LOOK 8192u
#define MOST_MAPPINGS 16384u
/* Parts that are shorter are copied. */
#define LEAST_PART ((size_t)64 << 10)

/* Since the last look, and one for the trial; GIVEN_UP: none any more. */
static uint32_t moves;
#define GIVEN_UP UINT32_MAX

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
	int kept_errno = errno;
	bool good;

	if (!pages)
		return false;
	good = page_moves(pages);
	errno = kept_errno;
	os_unmap(pages, 2 * os_page_bytes);
	return good;
}

/*
 * Up to MOST_MAPPINGS; 0: they cannot be counted, as where no file can be
 * opened. By the thread: the process has none to show once its first thread has
 * ended.
 */
static unsigned count_mappings(void)
{
	int fd = look_open("/proc/thread-self/maps");
	unsigned count = 0;
	char text[2048];
	ssize_t n = -1;

	while (fd >= 0 && count < MOST_MAPPINGS &&
	       (n = os_read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++)
			count += text[i] == '\n';
	if (fd >= 0)
		look_close(fd);
	return n >= 0 ? count : 0;
}

/*
 * One thread does, and others move nothing meanwhile. Where nothing is to be
 * seen, nothing is moved either, and the next one looks again.
 */
static void look(uint32_t made)
{
	int kept_errno = errno;
	unsigned count;

	if (!__atomic_compare_exchange_n(&moves, &made, GIVEN_UP, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	count = count_mappings();
	if (count < MOST_MAPPINGS)
		__atomic_store_n(&moves, count ? 1 : made, __ATOMIC_RELAXED);
	errno = kept_errno;
}

/* What cannot be done at all is not tried again. */
static bool may_move(void)
{
	uint32_t made = __atomic_load_n(&moves, __ATOMIC_RELAXED);

	if (!made)
		__atomic_store_n(&moves, try_one_page() ? 1 : GIVEN_UP,
				 __ATOMIC_RELAXED);
	else if (made >= MOVES_PER_LOOK && made != GIVEN_UP)
		look(made);
	return __atomic_load_n(&moves, __ATOMIC_RELAXED) < MOVES_PER_LOOK;
}

static enum os_moved move_counted(void *to, void *from, size_t bytes)
{
	enum os_moved moved;
	uint32_t made;

	if (!may_move())
		return OS_MOVE_REFUSED;
	moved = os_move_pages(to, from, bytes);
	made = __atomic_load_n(&moves, __ATOMIC_RELAXED);
	/* Races lose a few of them; who gave up meanwhile has given up. */
	if (moved == OS_MOVED && made != GIVEN_UP)
		__atomic_compare_exchange_n(&moves, &made, made + 1, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return moved;
}

static bool move_or_copy(char *to, char *from, size_t bytes)
{
	size_t half = bytes / 2 & -os_page_bytes;
	enum os_moved moved = move_counted(to, from, bytes);
	bool emptied;

	if (moved == OS_MOVED)
		return true;
	if (moved == OS_MOVE_REFUSED || half < LEAST_PART) {
		memcpy(to, from, bytes);
		/* The other parts were moved: nothing is to be left. */
		return moved == OS_MOVE_PARTED && os_discard(from, bytes);
	}
	emptied = move_or_copy(to, from, half);
	return move_or_copy(to + half, from + half, bytes - half) && emptied;
}

enum os_moved move_idle_pages(void *to, void *from, size_t bytes)
{
	return bytes < MOVE_IDLE_MIN_BYTES || !may_move() ||
			       os_is_locked(from) || os_is_locked(to)
		       ? OS_MOVE_REFUSED
		       : move_counted(to, from, bytes);
}

bool move_pages(void *to, void *from, size_t bytes)
{
	if (bytes < MOVE_MIN_BYTES) {
		memcpy(to, from, bytes);
		return false;
	}
	return move_or_copy(to, from, bytes);
}
