/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page map: foreign addresses read as 0, words come back as they were
 * set, leaves grow without harm by many threads at once.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <stdlib.h>

#include "liballoc/heap/extent.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"

#define FAR ((uintptr_t)1 << 45)

static struct extent extent;

static void test_foreign(void)
{
	int local = 0;

	is_uint(page_map_get((uintptr_t)&local), 0, "the stack is not ours");
	is_uint(page_map_get(0), 0, "nor is NULL");
	is_uint(page_map_get(UINT64_C(0xdeadbeefdeadbeef)), 0,
		"nor an address beyond 2^48");
	is_uint(page_map_get(UINTPTR_MAX), 0, "nor the last one");
	ok(!page_map_cover(((uintptr_t)1 << 48) - 4096, 8192),
	   "a range that crosses 2^48 cannot be covered");
}

static void test_words(void)
{
	uintptr_t border = FAR + ((uintptr_t)1 << 30);
	uintptr_t base = border - 5 * PAGE_MAP_UNIT;
	uint64_t word = page_word(&extent, 123, PAGE_LIVE | PAGE_SAMPLED);

	ok(page_map_cover(base, 10 * PAGE_MAP_UNIT), "covers two leaves");
	page_map_set_all(base, 10 * PAGE_MAP_UNIT, word);
	is_uint(page_map_get(base), word, "the first word");
	is_uint(page_map_get(border + 17), word, "one in the next leaf");
	is_uint(page_map_get(base + 10 * PAGE_MAP_UNIT), 0, "none behind");
	is_uint(page_map_get(base - 1), 0, "none before");
	ok(page_word_extent(word) == &extent, "the extent comes back");
	is_uint(page_word_tag(word), 123, "so does the tag");
	page_map_set_all(base, 10 * PAGE_MAP_UNIT, 0);
}

static void *cover(void *argument)
{
	bool *good = argument;
	uintptr_t gib;

	*good = true;
	for (gib = 64; gib < 128; gib++)
		*good = *good && page_map_cover(FAR + (gib << 30), 4096);
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[8];
	bool good[8], all = true;
	unsigned i;

	for (i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, cover, &good[i]);
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		all = all && good[i];
	}
	ok(all, "eight threads cover the same leaves");
}

static void test_failure(void)
{
	os_fail_map(1, false);
	ok(!page_map_cover(FAR + ((uintptr_t)500 << 30), 4096),
	   "no memory for a leaf: not covered");
	is_uint(page_map_get(FAR + ((uintptr_t)500 << 30)), 0,
		"and still readable");
	ok(page_map_cover(FAR + ((uintptr_t)500 << 30), 4096),
	   "later it is covered");
}

int main(void)
{
	heap_boot();
	plan(16);
	test_foreign();
	test_words();
	test_threads();
	test_failure();
	return done_testing();
}
