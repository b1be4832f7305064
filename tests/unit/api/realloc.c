/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realloc in every direction: all pairs of sizes from a few bytes to some
 * megabytes, in place and moving, with the contents checked.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "liballoc/ledger/ledger.h"

static const size_t sizes[] = {
	1,     8,     9,      16,     100,     128,	129,	 1000,	  1024,
	4096,  5000,  14336,  16384,  16385,   20480,	20481,	 32768,	  32769,
	40000, 65536, 100000, 262144, 1000000, 1048576, 1 << 21, 5000000,
};
#define SIZES (sizeof(sizes) / sizeof(*sizes))

static volatile size_t huge = PTRDIFF_MAX, none = 0;

static void fill(unsigned char *ptr, size_t bytes, unsigned seed)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		ptr[i] = (unsigned char)(i * 31 + i / 251 + seed);
}

static bool holds(const unsigned char *ptr, size_t bytes, unsigned seed)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		if (ptr[i] != (unsigned char)(i * 31 + i / 251 + seed))
			return false;
	return true;
}

static void test_pairs(void)
{
	bool kept = true, large_enough = true;
	size_t i, j;

	for (i = 0; i < SIZES; i++)
		for (j = 0; j < SIZES; j++) {
			size_t least =
				sizes[i] < sizes[j] ? sizes[i] : sizes[j];
			unsigned char *ptr = malloc(sizes[i]);

			fill(ptr, sizes[i], (unsigned)(i + j));
			ptr = realloc(ptr, sizes[j]);
			kept = kept && holds(ptr, least, (unsigned)(i + j));
			large_enough = large_enough &&
				       malloc_usable_size(ptr) >= sizes[j];
			fill(ptr, sizes[j], 3);
			free(ptr);
		}
	ok(kept, "contents survive every pair of sizes");
	ok(large_enough, "and the new size is there");
}

static void test_chain(void)
{
	unsigned char *ptr = NULL;
	bool kept = true;
	size_t size, old = 0;

	for (size = 1; size < 20000000; size += size / 7 + 1) {
		ptr = realloc(ptr, size);
		kept = kept && holds(ptr, old, 5);
		fill(ptr, size, 5);
		old = size;
	}
	while (size > 10) {
		size = size * 5 / 6;
		ptr = realloc(ptr, size);
		kept = kept && holds(ptr, size < old ? size : old, 5);
	}
	ok(kept, "a long chain up and down keeps the contents");
	free(ptr);
}

static void test_in_place(void)
{
	char *ptr = malloc(10 << 20);
	char *same = realloc(ptr, 5 << 20);

	ok(same == ptr, "a large object shrinks in place");
	same = realloc(same, 9 << 20);
	ok(same == ptr, "and grows again into what follows");
	is_uint(malloc_usable_size(same), 9 << 20, "exactly");
	free(same);
	ptr = malloc(100);
	ok(realloc(ptr, 101) == ptr, "the same class stays where it is");
	free(ptr);
}

static void test_edges(void)
{
	uint64_t before = ledger_get(&ledger_process()->zero_reallocs);
	void *volatile ptr = realloc(NULL, 10), *moved;

	ok(ptr != NULL, "realloc(NULL, 10) allocates");
	ptr = realloc(ptr, none);
	ok(!ptr, "realloc(ptr, 0) frees");
	is_uint(ledger_get(&ledger_process()->zero_reallocs), before + 1,
		"and is counted");
	ptr = malloc(1);
	memset(ptr, 'x', 1);
	errno = 0;
	moved = realloc(ptr, huge);
	ok(!moved && errno == ENOMEM, "too much: ENOMEM");
	is_int(*(char *)ptr, 'x', "and the old is untouched");
	free(ptr);
}

int main(void)
{
	plan(12);
	test_pairs();
	test_chain();
	test_in_place();
	test_edges();
	return done_testing();
}
