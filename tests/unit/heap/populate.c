/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages of a slab are brought in at once where its bin has many slabs, and
 * else one by one as the program writes them.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liballoc/heap/container.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/include/liballoc/liballoc.h"

#define OBJECT_BYTES 2048
#define FEW_SLABS 4u
#define MANY_SLABS 40u
#ifndef MADV_POPULATE_WRITE
# define MADV_POPULATE_WRITE 23
#endif

const char *malloc_conf = "prof:false,junk:false,zero:false,thp:default";

/* As a kernel before Linux 5.14. */
static bool kernel_is_old;
static unsigned populated;

int madvise(void *base, size_t bytes, int advice)
{
	if (advice == MADV_POPULATE_WRITE) {
		populated++;
		if (kernel_is_old) {
			errno = EINVAL;
			return -1;
		}
	}
	return (int)syscall(SYS_madvise, base, bytes, advice);
}

/* Emulators of Linux take the call and do nothing. */
static bool kernel_populates(void)
{
	char *pages = mmap(NULL, os_page_bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool does;

	if (pages == MAP_FAILED)
		return false;
	os_populate(pages, os_page_bytes);
	does = os_is_resident(pages);
	munmap(pages, os_page_bytes);
	return does;
}

static const struct size_class *objects_class(void)
{
	return &size_classes[size_class_of(OBJECT_BYTES)];
}

/* The last page of the slab that object is the first of. */
static char *end_page(char *object)
{
	return object + objects_class()->slab_bytes - os_page_bytes;
}

/*
 * Takes so many slabs of objects of a new arena's, without writing to any;
 * the first object of the last slab.
 */
static char *take_slabs(unsigned slabs)
{
	unsigned arena = 0, i;
	size_t bytes = sizeof(arena);
	char *object = NULL;
	int flags;

	mallctl("arenas.create", &arena, &bytes, NULL, 0);
	flags = MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
	for (i = 0; i <= (slabs - 1) * objects_class()->regions; i++)
		object = mallocx(OBJECT_BYTES, flags);
	return object;
}

static void test_few(void)
{
	ok(!os_is_resident(end_page(take_slabs(FEW_SLABS))),
	   "a slab among few is not brought in before it is written");
}

static void test_many(bool does)
{
	char *object = take_slabs(MANY_SLABS);

	if (!does)
		skip("one among many is, as a whole",
		     "this kernel brings in nothing");
	else
		ok(os_is_resident(object) && os_is_resident(end_page(object)),
		   "one among many is, as a whole");
}

static void test_short_memory(void)
{
	container_scale = CONTAINER_FULL_SCALE / 2;
	ok(!os_is_resident(end_page(take_slabs(MANY_SLABS))),
	   "not where memory is short");
	container_scale = CONTAINER_FULL_SCALE;
}

static void test_old_kernel(void)
{
	char *object;
	unsigned calls;

	kernel_is_old = true;
	calls = populated;
	errno = E2BIG;
	object = take_slabs(MANY_SLABS);
	ok(object && errno == E2BIG && !os_is_resident(end_page(object)) &&
		   populated == calls + 1,
	   "a kernel that cannot is asked once, and errno is kept");
	memset(object, 1, OBJECT_BYTES);
}

int main(void)
{
	bool does;

	plan(4);
	container_scale = CONTAINER_FULL_SCALE;
	does = kernel_populates();
	test_few();
	test_many(does);
	test_short_memory();
	test_old_kernel();
	return done_testing();
}
