/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lets go of the pages of unwinding tables, but for those that are the
 * process's own by now: where somebody wrote there, or loaded the program
 * otherwise than by mapping its file, they could not be had again. The kernel
 * tells which these are (proc_pid_pagemap(5)); where it does not, all stay.
 */
#include "config.h"

#include "liballoc/prof/unwind/table_pages.h"

#include <errno.h>
#include <stddef.h>

#include "liballoc/heap/looks.h"
#include "liballoc/heap/os.h"

#define TABLES 32u
/*
 * Most tables are read when a program begins, while it is small; each time
 * doubles the interval.
 */
#define FIRST_INTERVAL_NS UINT64_C(125000)
#define LAST_INTERVAL_NS UINT64_C(64000000)
/* What becomes resident at a touch, where the kernel has it in its cache. */
#define TOUCH ((uintptr_t)64 << 10)
#define PAGES_AT_ONCE 64u
/* Of the kernel's word for a page. */
#define PRESENT (UINT64_C(1) << 63)
#define OF_FILE (UINT64_C(1) << 61)

/* Of one file; filled from the first on, and kept. Atomics. */
struct tables {
	uintptr_t low;	/* 0: none */
	uintptr_t high; /* 0: nothing was read since; who sees it sees low */
};

bool table_pages_read;
static struct tables tables[TABLES];
static uint64_t next_ns; /* UINT64_MAX: the kernel does not tell */
static uint64_t interval_ns = FIRST_INTERVAL_NS; /* whose turn it is writes */

static struct tables *tables_at(uintptr_t low)
{
	unsigned i;

	for (i = 0; i < TABLES; i++) {
		uintptr_t there = 0;

		if (__atomic_load_n(&tables[i].low, __ATOMIC_RELAXED) == low ||
		    __atomic_compare_exchange_n(&tables[i].low, &there, low,
						false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED) ||
		    there == low)
			return &tables[i];
	}
	return NULL;
}

void table_pages_note(const uint8_t *low, const uint8_t *high,
		      const uint8_t *end)
{
	struct tables *found = tables_at((uintptr_t)low);
	uintptr_t most = ((uintptr_t)high + TOUCH - 1) & ~(TOUCH - 1), old;

	if (!found || high <= low)
		return;
	if (most > (uintptr_t)end)
		most = (uintptr_t)end;
	old = __atomic_load_n(&found->high, __ATOMIC_RELAXED);
	while (old < most &&
	       !__atomic_compare_exchange_n(&found->high, &old, most, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	__atomic_store_n(&table_pages_read, true, __ATOMIC_RELAXED);
}

/* Resident, and the file's: what is not surely so stays. */
static bool may_go(uint64_t word)
{
	return word & PRESENT && word & OF_FILE;
}

/* Of the pages from base on, which words tell of, those that may. */
static void discard(uintptr_t base, const uint64_t *words, size_t count)
{
	size_t i, first = 0;

	for (i = 0; i <= count; i++) {
		if (i < count && may_go(words[i]))
			continue;
		if (i > first)
			os_unload((void *)(base + first * os_page_bytes),
				  (i - first) * os_page_bytes);
		first = i + 1;
	}
}

/* The whole pages in [low, high); false where the kernel does not tell. */
static bool let_go(int pages, uintptr_t low, uintptr_t high)
{
	uint64_t words[PAGES_AT_ONCE];
	uintptr_t at = (low + os_page_bytes - 1) & ~(os_page_bytes - 1);

	while (at + os_page_bytes <= high) {
		size_t count = (high - at) / os_page_bytes, bytes;
		off_t place = (off_t)(at / os_page_bytes * sizeof(words[0]));

		if (count > PAGES_AT_ONCE)
			count = PAGES_AT_ONCE;
		bytes = count * sizeof(words[0]);
		if (os_read_at(pages, words, bytes, place) != (ssize_t)bytes)
			return false;
		discard(at, words, count);
		at += count * os_page_bytes;
	}
	return true;
}

static bool let_all_go(void)
{
	int pages = look_open("/proc/self/pagemap");
	bool good = pages >= 0;
	unsigned i;

	for (i = 0; i < TABLES && good; i++) {
		struct tables *which = &tables[i];
		uintptr_t high =
			__atomic_exchange_n(&which->high, 0, __ATOMIC_ACQUIRE);

		if (high)
			good = let_go(
				pages,
				__atomic_load_n(&which->low, __ATOMIC_RELAXED),
				high);
	}
	if (pages >= 0)
		look_close(pages);
	return good;
}

/* One thread's, when it is time. */
static bool take_turn(void)
{
	uint64_t due = __atomic_load_n(&next_ns, __ATOMIC_RELAXED);
	uint64_t now = due == UINT64_MAX ? 0 : os_clock_ns(), wait;

	wait = __atomic_load_n(&interval_ns, __ATOMIC_RELAXED);
	if (now < due ||
	    !__atomic_compare_exchange_n(&next_ns, &due, now + wait, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return false;
	if (wait < LAST_INTERVAL_NS)
		__atomic_store_n(&interval_ns, 2 * wait, __ATOMIC_RELAXED);
	return true;
}

void table_pages_let_go(void)
{
	int kept_errno = errno;

	if (!take_turn())
		return;
	__atomic_store_n(&table_pages_read, false, __ATOMIC_RELAXED);
	if (!let_all_go())
		__atomic_store_n(&next_ns, UINT64_MAX, __ATOMIC_RELAXED);
	errno = kept_errno;
}
