/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages of a slab are brought in at once where its bin has many slabs of
 * small objects, and else one by one as the program writes them.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liballoc/heap/container.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/include/liballoc/liballoc.h"

#define OBJECT_BYTES 2048
#define MANY_SLABS 40u
/* As bin.c has it. */
#define SLABS_OF_GROWING 8u
#ifndef MADV_POPULATE_WRITE
# define MADV_POPULATE_WRITE 23
#endif

const char *malloc_conf = "prof:false,junk:false,zero:false,thp:never";

static bool is_resident(void *page)
{
	unsigned char resident = 0;

	return mincore(page, os_page_bytes, &resident) == 0 && resident & 1;
}

/* As a kernel before Linux 5.14. */
static bool kernel_is_old;
static unsigned populated;

int madvise(void *base, size_t bytes, int advice)
{
	if (advice != MADV_POPULATE_WRITE)
		return (int)syscall(SYS_madvise, base, bytes, advice);
	populated++;
	if (kernel_is_old) {
		errno = EINVAL;
		return -1;
	}
	(void)syscall(SYS_madvise, base, bytes, advice);
	return 0;
}

static size_t slab_bytes(size_t object_bytes)
{
	return size_classes[size_class_of(object_bytes)].slab_bytes;
}

/* Emulators of Linux take the call and do nothing, older kernels refuse it. */
static bool kernel_populates(void)
{
	char *page = mmap(NULL, os_page_bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool does;

	if (page == MAP_FAILED)
		return false;
	os_populate(page, os_page_bytes);
	does = is_resident(page);
	munmap(page, os_page_bytes);
	return does;
}

static int new_arena(void)
{
	unsigned arena = 0;
	size_t bytes = sizeof(arena);

	mallctl("arenas.create", &arena, &bytes, NULL, 0);
	return MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
}

/*
 * Takes so many slabs of objects, but for all but one of the last, without
 * writing to any. Is the last one resident, as a whole?
 */
static bool is_populated(size_t object_bytes, unsigned slabs, int flags)
{
	unsigned regions = size_classes[size_class_of(object_bytes)].regions;
	char *object = NULL;
	unsigned i;

	for (i = 0; i <= (slabs - 1) * regions; i++)
		object = mallocx(object_bytes, flags);
	return is_resident(object) &&
	       is_resident(object + slab_bytes(object_bytes) - os_page_bytes);
}

static void test_few(void)
{
	ok(!is_populated(OBJECT_BYTES, SLABS_OF_GROWING, new_arena()),
	   "a slab among few is not brought in before it is written");
}

static void test_growing(bool does)
{
	if (!does) {
		skip("one among more is, as a whole", "nothing is brought in");
		skip("and those after it", "nothing is brought in");
		return;
	}
	ok(is_populated(OBJECT_BYTES, SLABS_OF_GROWING + 1, new_arena()),
	   "one among more is, as a whole");
	ok(is_populated(OBJECT_BYTES, MANY_SLABS, new_arena()),
	   "and those after it");
}

static void test_buffers(void)
{
	ok(!is_populated(2 * os_page_bytes, MANY_SLABS, new_arena()),
	   "not where objects are as large as buffers");
}

static void test_short_memory(void)
{
	container_scale = CONTAINER_FULL_SCALE / 2;
	ok(!is_populated(OBJECT_BYTES, MANY_SLABS, new_arena()),
	   "not where memory is short");
	container_scale = CONTAINER_FULL_SCALE;
}

static void test_old_kernel(void)
{
	unsigned calls = populated;

	if (slab_bytes(OBJECT_BYTES) < 2 * os_page_bytes) {
		skip("a kernel that cannot is asked once",
		     "a slab is one page");
		return;
	}
	kernel_is_old = true;
	errno = E2BIG;
	ok(!is_populated(OBJECT_BYTES, MANY_SLABS, new_arena()) &&
		   errno == E2BIG && populated == calls + 1,
	   "a kernel that cannot is asked once, and errno is kept");
}

int main(void)
{
	bool does;

	plan(6);
	container_scale = CONTAINER_FULL_SCALE;
	does = kernel_populates() &&
	       slab_bytes(OBJECT_BYTES) >= 2 * os_page_bytes;
	test_few();
	test_growing(does);
	test_buffers();
	test_short_memory();
	test_old_kernel();
	return done_testing();
}
