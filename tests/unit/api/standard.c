/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The standard functions by their documents: results, errno, alignment,
 * zeroing, sizes that cannot be, and what free() leaves alone.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"

/* The compiler must not see that sizes are absurd, or results unused. */
static volatile size_t huge = PTRDIFF_MAX, half_word = (size_t)1 << 32,
		       forty_eight = 48;
static void *volatile sink;

static bool fails_with(void *ptr, int error)
{
	return !ptr && errno == error;
}

static void test_malloc(void)
{
	void *a = malloc(0), *b = malloc(0);

	ok(a && b && a != b, "malloc(0) gives distinct pointers");
	free(a);
	free(b);
	errno = 0;
	ok(fails_with(sink = malloc(huge), ENOMEM), "malloc(PTRDIFF_MAX)");
	errno = 0;
	ok(fails_with(sink = malloc(huge + 1), ENOMEM), "PTRDIFF_MAX + 1");
	errno = 0;
	ok(fails_with(sink = malloc(huge * 2 + 1), ENOMEM), "SIZE_MAX");
	errno = 0;
	ok(fails_with(sink = malloc(huge * 2 - 4095), ENOMEM),
	   "SIZE_MAX - 4096");
	errno = 0;
	ok(fails_with(sink = malloc((size_t)1 << 46), ENOMEM), "2^46");
}

static void test_free(void)
{
	void *small = malloc(100), *large = malloc(1 << 20);

	errno = 77;
	free(small);
	free(large);
	free(NULL);
	is_int(errno, 77, "free leaves errno alone");
	free_sized(malloc(100), 100);
	free_sized(malloc(100000), 100000);
	free_aligned_sized(aligned_alloc(256, 1000), 256, 1000);
	free_sized(NULL, 1);
	ok(true, "the sized forms free too");
}

static bool all_zero(const char *bytes, size_t count)
{
	while (count)
		if (bytes[--count])
			return false;
	return true;
}

static void test_calloc(void)
{
	bool zero = true;
	size_t size;
	char *ptr;

	for (size = 1; size < 3000000; size = size * 3 / 2 + 1) {
		ptr = malloc(size);
		memset(ptr, 0xa5, size);
		free(ptr);
		ptr = calloc(1, size);
		zero = zero &&
		       all_zero(ptr, malloc_usable_size(ptr) < size ? SIZE_MAX
								    : size);
		memset(ptr, 0xa5, size);
		free(ptr);
	}
	ok(zero, "calloc clears memory that was used before");
	ptr = calloc(0, 7);
	ok(ptr != NULL, "calloc(0, 7)");
	free(ptr);
	errno = 0;
	ok(fails_with(sink = calloc(huge, 4), ENOMEM), "calloc overflow");
	errno = 0;
	ok(fails_with(sink = calloc(half_word, half_word), ENOMEM),
	   "calloc overflow to 0");
}

static void test_reallocarray(void)
{
	char *volatile ptr = reallocarray(NULL, 10, 10), *moved;

	ok(ptr != NULL, "reallocarray of NULL allocates");
	ptr[99] = 1;
	errno = 0;
	moved = reallocarray(ptr, huge, 4);
	ok(fails_with(moved, ENOMEM), "reallocarray overflow");
	is_int(ptr[99], 1, "leaves the old alone");
	free(ptr);
}

static void test_posix_memalign(void)
{
	void *mine = &mine, *ptr = mine;

	errno = 55;
	is_int(posix_memalign(&ptr, 3, 8), EINVAL, "alignment 3");
	is_int(posix_memalign(&ptr, 4, 8), EINVAL, "alignment 4");
	is_int(posix_memalign(&ptr, 0, 8), EINVAL, "alignment 0");
	is_int(posix_memalign(&ptr, 64, huge), ENOMEM, "too large");
	ok(ptr == mine, "a failure leaves the result alone");
	is_int(posix_memalign(&ptr, 64, 0), 0, "size 0");
	ok(ptr && (uintptr_t)ptr % 64 == 0, "gives a pointer");
	free(ptr);
	is_int(errno, 55, "posix_memalign leaves errno alone");
}

static void test_aligned(void)
{
	void *ptr;

	errno = 0;
	ok(fails_with(sink = aligned_alloc(huge & 48, 8), EINVAL),
	   "aligned_alloc(48)");
	errno = 0;
	ok(fails_with(sink = aligned_alloc(64, huge), ENOMEM),
	   "aligned_alloc of too much");
	ptr = aligned_alloc(4096, 1);
	ok(ptr && (uintptr_t)ptr % 4096 == 0, "aligned_alloc(4096, 1)");
	free(ptr);
	ptr = memalign(forty_eight, 10);
	ok(ptr && (uintptr_t)ptr % 64 == 0, "memalign(48) means 64");
	free(ptr);
	sink = memalign(huge + 1, 10);
	ok(!sink, "memalign(2^63) fails");
	ptr = valloc(10);
	ok(ptr && (uintptr_t)ptr % os_page_bytes == 0, "valloc");
	free(ptr);
	ptr = pvalloc(os_page_bytes + 1);
	ok(ptr && malloc_usable_size(ptr) >= 2 * os_page_bytes, "pvalloc");
	free(ptr);
	errno = 0;
	ok(fails_with(sink = pvalloc(huge), ENOMEM), "pvalloc of too much");
}

static void test_alignment_sweep(void)
{
	static const size_t sizes[] = {1, 7, 100, 5000, 20000, 300000};
	bool aligned = true, usable = true;
	size_t lg, i;

	for (lg = 3; lg <= 30; lg++) {
		for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			size_t alignment = (size_t)1 << lg;
			char *ptr = NULL;

			if (posix_memalign((void **)&ptr, alignment, sizes[i]))
				aligned = false;
			if (!ptr)
				continue;
			aligned = aligned && (uintptr_t)ptr % alignment == 0;
			usable = usable && malloc_usable_size(ptr) >= sizes[i];
			ptr[0] = ptr[sizes[i] - 1] = 1;
			free(ptr);
		}
	}
	ok(aligned, "alignments up to 1 GiB are kept");
	ok(usable, "and the size asked for is there");
}

static void test_usable(void)
{
	bool good = true;
	size_t size;

	for (size = 1; size < 200000; size = size * 9 / 8 + 1) {
		char *ptr = malloc(size);
		size_t usable = malloc_usable_size(ptr);

		good = good && usable >= size && usable <= size * 9 / 8 + 4096;
		memset(ptr, 1, usable);
		free(ptr);
	}
	ok(good, "all of the usable size can be used");
	is_uint(malloc_usable_size(NULL), 0, "that of NULL is 0");
}

int main(void)
{
	plan(35);
	test_malloc();
	test_free();
	test_calloc();
	test_reallocarray();
	test_posix_memalign();
	test_aligned();
	test_alignment_sweep();
	test_usable();
	return done_testing();
}
