/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metadata allocator: blocks are aligned, zeroed, apart, reused by size,
 * and counted; a failing mmap yields NULL and leaves it working.
 */
#include "config.h"

#include "tap/tap.h"

#include "liballoc/heap/heap.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/ledger/ledger.h"

#define BLOCKS 2000

static char *blocks[BLOCKS];

static size_t bytes_of(unsigned i)
{
	return i % 13 ? 1 + i * 37 % 700 : 1 + i * 101 % 20000;
}

static bool all_are(const char *block, size_t bytes, char value)
{
	while (bytes)
		if (block[--bytes] != value)
			return false;
	return true;
}

static void test_blocks(void)
{
	bool aligned = true, zeroed = true, kept = true;
	unsigned i;

	for (i = 0; i < BLOCKS; i++) {
		blocks[i] = metadata_allocate(bytes_of(i));
		aligned = aligned && !((uintptr_t)blocks[i] % 64);
		zeroed = zeroed && all_are(blocks[i], bytes_of(i), 0);
		memset(blocks[i], (int)(i % 100 + 1), bytes_of(i));
	}
	for (i = 0; i < BLOCKS; i++)
		kept = kept &&
		       all_are(blocks[i], bytes_of(i), (char)(i % 100 + 1));
	ok(aligned, "blocks are aligned to cache lines");
	ok(zeroed, "and zero");
	ok(kept, "and do not overlap");
}

static void test_reuse(void)
{
	uint64_t before = ledger_get(&ledger_process()->metadata);
	bool zeroed = true;
	unsigned i;

	for (i = 0; i < BLOCKS; i++)
		metadata_free(blocks[i], bytes_of(i));
	for (i = 0; i < BLOCKS; i++) {
		blocks[i] = metadata_allocate(bytes_of(i));
		zeroed = zeroed && all_are(blocks[i], bytes_of(i), 0);
	}
	ok(zeroed, "a block used again is zero again");
	is_uint(ledger_get(&ledger_process()->metadata), before,
		"using freed blocks takes no more memory");
	ok(before >= 1000 * 350, "what was taken is counted");
}

static void test_failure(void)
{
	os_fail_map(1, true);
	ok(!metadata_allocate((size_t)64 << 20), "no memory: NULL");
	os_fail_map(0, false);
	ok(metadata_allocate((size_t)64 << 20) != NULL, "then it works again");
}

int main(void)
{
	heap_boot();
	plan(8);
	test_blocks();
	test_reuse();
	test_failure();
	return done_testing();
}
