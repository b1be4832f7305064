/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of tables that were read are let go where they are a file's, and stay
 * where they are the process's own; either way their bytes stay.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "liballoc/heap/os.h"
#include "liballoc/prof/unwind/table_pages.h"
#include "tap/tap.h"

#define PAGES 100u
#define WRITTEN 3u

static uint8_t *page(uint8_t *base, size_t index)
{
	return base + index * os_page_bytes;
}

/* How many of the pages from first on are resident; -1: it is not told. */
static int resident(uint8_t *base, size_t first, size_t count)
{
	int pages = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), n = 0;

	for (size_t i = first; i < first + count && n >= 0; i++) {
		uintptr_t at = (uintptr_t)page(base, i) / os_page_bytes;
		uint64_t word;

		if (pread(pages, &word, sizeof(word), (off_t)(at * 8)) == 8)
			n += (int)(word >> 63);
		else
			n = -1;
	}
	close(pages);
	return n;
}

static void fill(uint8_t *base)
{
	for (size_t i = 0; i < PAGES; i++)
		memset(page(base, i), (int)i + 1, os_page_bytes);
}

/* Reads all; how many pages do not hold what they were filled with. */
static unsigned wrong(uint8_t *base)
{
	unsigned n = 0;

	for (size_t i = 0; i < PAGES; i++)
		n += page(base, i)[7] != i + 1 ||
		     page(base, i)[os_page_bytes - 1] != i + 1;
	return n;
}

static uint8_t *map(int file, int flags)
{
	void *base = mmap(NULL, PAGES * os_page_bytes, PROT_READ | PROT_WRITE,
			  flags, file, 0);

	return base == MAP_FAILED ? NULL : base;
}

/* A private mapping of a file, one page of which the process has written. */
static uint8_t *map_file(void)
{
	int file = memfd_create("tables", MFD_CLOEXEC);
	uint8_t *base;

	if (file < 0 || ftruncate(file, (off_t)(PAGES * os_page_bytes)) != 0)
		return NULL;
	base = map(file, MAP_SHARED);
	if (!base)
		return NULL;
	fill(base);
	munmap(base, PAGES * os_page_bytes);
	base = map(file, MAP_PRIVATE);
	close(file);
	if (base)
		page(base, WRITTEN)[1] = 77;
	return base;
}

/* What is read of them ends within a page, and their segment later. */
static void let_go(uint8_t *base)
{
	table_pages_note(base + 16, page(base, 20) + 5, page(base, PAGES));
	table_pages_look();
}

int main(void)
{
	uint8_t *file, *own;

	os_boot();
	file = map_file();
	own = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);
	if (!file || !own)
		return 99;
	fill(own);
	/* An emulator may have the kernel's words for other addresses. */
	if (resident(own, 0, PAGES) != PAGES)
		return skip_all("it is not told which pages are resident");
	plan(9);
	ok(wrong(file) == 0 && resident(file, 0, PAGES) == PAGES,
	   "all of a file's is resident");
	errno = 5;
	let_go(file);
	ok(errno == 5, "errno is kept");
	ok(!table_pages_read, "nothing was read since");
	ok(resident(file, 1, 20) == 1, "what was read is let go, but one page");
	ok(resident(file, WRITTEN, 1) == 1 && page(file, WRITTEN)[1] == 77,
	   "the one that was written to");
	ok(resident(file, 0, 1) == 1 && resident(file, 40, 60) == 60,
	   "what lies before and behind stays");
	ok(wrong(file) == 0, "the bytes are what they were");
	usleep(20000);
	let_go(own);
	ok(!table_pages_read && resident(own, 0, PAGES) == PAGES,
	   "memory that is no file's stays");
	ok(wrong(own) == 0, "with its bytes");
	return 0;
}
