/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the pagemap in parts that fit on a small stack. Owns no state.
 */
#include "config.h"

#include "liballoc/heap/residency.h"

#include <errno.h>

#include "liballoc/heap/looks.h"
#include "liballoc/heap/os.h"

/* Of a page's word: it is in memory, or in swap. */
#define THERE (UINT64_C(3) << 62)
/* Pages that one call reads. */
#define PAGES 256u

static const char path[] = "/proc/self/pagemap";

void residency_close(int fd)
{
	int kept_errno = errno;

	look_close(fd);
	errno = kept_errno;
}

bool residency_count(int fd, uintptr_t base, size_t bytes, size_t most,
		     size_t *count)
{
	uintptr_t page = base / os_page_bytes;
	size_t left = bytes / os_page_bytes, pages, i;
	int kept_errno = errno;
	uint64_t words[PAGES];
	ssize_t got;

	while (left && *count <= most) {
		pages = left < PAGES ? left : PAGES;
		got = os_read_at(fd, words, pages * sizeof(words[0]),
				 (off_t)(page * sizeof(words[0])));
		errno = kept_errno;
		if (got != (ssize_t)(pages * sizeof(words[0])))
			return false;
		for (i = 0; i < pages; i++)
			*count += (words[i] & THERE) != 0;
		page += pages;
		left -= pages;
	}
	return true;
}

/* Under an emulator the file may tell of other addresses than ours. */
static bool tells_of_us(int fd)
{
	uintptr_t page = (uintptr_t)&fd & -os_page_bytes;
	size_t count = 0;

	return residency_count(fd, page, os_page_bytes, 1, &count) && count;
}

int residency_open(void)
{
	int kept_errno = errno, fd = look_open(path);

	errno = kept_errno;
	if (fd < 0 || tells_of_us(fd))
		return fd;
	residency_close(fd);
	return -1;
}
