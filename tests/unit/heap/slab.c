/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slabs of every class: each region is handed out once, whole cache lines
 * first, comes back, and a wrong or second free aborts with the address.
 */
#include "config.h"

#include "tap/tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/slab.h"

static void *regions[65536];

static struct extent *make(unsigned size_class)
{
	struct extent *slab = page_heap_take(
		heap_arena(0), size_classes[size_class].slab_bytes,
		os_page_bytes, PAGES_ANY);

	return slab && slab_init(slab, size_class, false) ? slab : NULL;
}

static void give_one(struct extent *slab, uintptr_t address)
{
	void *region = (void *)address;

	slab_give(slab, &region, 1);
}

/* In uneven batches, so that the last ones find broken groups only. */
static bool each_once(struct extent *slab, unsigned size_class)
{
	unsigned count = size_classes[size_class].regions, i, taken = 0;
	size_t bytes = size_classes[size_class].bytes;
	static bool seen[65536];

	memset(seen, 0, sizeof(seen));
	while (taken < count) {
		unsigned want = 1 + taken % 37;
		unsigned got = slab_take(slab, regions, want);

		if (!got || got > want)
			return false;
		for (i = 0; i < got; i++) {
			size_t region =
				((uintptr_t)regions[i] - slab->base) / bytes;

			if (region >= count || seen[region])
				return false;
			seen[region] = true;
		}
		taken += got;
	}
	return slab_take(slab, regions, 1) == 0 && !slab->free_count;
}

/* Whole groups, the lowest first, though others have regions on the first. */
static bool groups_first(struct extent *slab, unsigned size_class)
{
	unsigned group = slab_group(size_class), i;
	size_t bytes = size_classes[size_class].bytes;
	void *region;

	if (group == 1)
		return true;
	if (group * bytes % 64)
		return false;
	slab_take(slab, &region, 1);
	if ((uintptr_t)region != slab->base)
		return false;
	if (slab_take(slab, regions, 2 * group) != 2 * group)
		return false;
	for (i = 0; i < 2 * group; i++)
		if ((uintptr_t)regions[2 * group - 1 - i] !=
		    slab->base + (group + i) * bytes)
			return false;
	if (slab_give(slab, regions, 2 * group) != 2 * group)
		return false;
	give_one(slab, slab->base);
	return true;
}

static bool back_again(struct extent *slab, unsigned size_class)
{
	unsigned count = size_classes[size_class].regions, i;
	size_t bytes = size_classes[size_class].bytes;

	for (i = 0; i < count; i += 2)
		give_one(slab, slab->base + i * bytes);
	if (slab->free_count != (count + 1) / 2)
		return false;
	for (i = 1; i < count; i += 2)
		give_one(slab, slab->base + i * bytes);
	if (slab->free_count != count)
		return false;
	return slab_take(slab, regions, count) == count &&
	       (uintptr_t)regions[count - 1] == slab->base;
}

static bool words_cover(const struct extent *slab, unsigned size_class)
{
	uint64_t word = page_map_get(slab->base + slab->bytes - 1);

	return page_word_extent(word) == slab && word & PAGE_LIVE &&
	       page_word_tag(word) == size_class &&
	       page_map_get(slab->base) == word;
}

static void test_all_classes(void)
{
	bool once = true, back = true, words = true, cleared = true;
	bool groups = true;
	unsigned i;

	for (i = 0; i < SMALL_CLASSES; i++) {
		struct extent *slab = make(i);
		uintptr_t base = slab->base;

		words = words && words_cover(slab, i);
		groups = groups && groups_first(slab, i);
		once = once && each_once(slab, i);
		back = back && back_again(slab, i);
		slab_fini(slab);
		cleared = cleared && !page_map_get(base);
		page_heap_give(heap_arena(0), slab);
	}
	ok(groups, "whole cache lines go out first");
	ok(once, "each region is handed out once");
	ok(back, "regions come back and are handed out again");
	ok(words, "the page words name slab and class");
	ok(cleared, "and are cleared with the slab");
}

/* What free() of such a pointer does: the signal, and whether it is told. */
static bool aborts(void (*body)(struct extent *slab))
{
	struct extent *slab = make(4);
	char text[256] = "";
	int ends[2], status = 0;
	pid_t child;

	slab_take(slab, regions, 2);
	if (pipe(ends))
		return false;
	child = fork();
	if (!child) {
		dup2(ends[1], STDERR_FILENO);
		body(slab);
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], text, sizeof(text) - 1) < 0)
		return false;
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	       strncmp(text, "liballoc: ", 10) == 0 && strstr(text, " 0x");
}

static void free_twice(struct extent *slab)
{
	give_one(slab, slab->base);
	give_one(slab, slab->base);
}

static void free_inside(struct extent *slab)
{
	give_one(slab, slab->base + 8);
}

static void free_tail(struct extent *slab)
{
	give_one(slab, slab->base + slab->bytes - 8);
}

/* How many of the slab's pages send their frees to the profiler. */
static unsigned marked_pages(const struct extent *slab)
{
	unsigned count = 0;

	for (uintptr_t at = slab->base; at < slab->base + slab->bytes;
	     at += PAGE_MAP_UNIT) {
		bool sampled = page_map_get(at) & PAGE_SAMPLED;

		if (sampled == (page_class_slot((void *)at) != 0))
			return 99; /* the maps disagree */
		count += sampled;
	}
	return count;
}

/* Of 1 KiB: four regions a page, 16 KiB in all. */
static void test_marks(void)
{
	struct extent *slab = make(size_class_of(1024));
	char *base = slab ? (char *)slab->base : NULL;
	bool ok_all = true;

	ok(slab && marked_pages(slab) == 0, "nothing is watched at first");
	if (!slab)
		return;
	slab_watch(slab, base, true);
	slab_watch(slab, base + 1024, true);
	is_uint(marked_pages(slab), 1, "two on a page mark that page");
	slab_watch(slab, base + (9 << 10), true);
	is_uint(marked_pages(slab), 2, "another one marks its own");
	ok((slab->watched_filter & slab_region_bit(base)) &&
		   !(slab->watched_filter & slab_region_bit(base + 2048)),
	   "the filter tells what is watched from what lies beside it");
	slab_watch(slab, base, false);
	ok(page_map_get(slab->base) & PAGE_SAMPLED,
	   "a page stays marked while it has one");
	slab_watch(slab, base + (9 << 10), false);
	slab_watch(slab, base + 1024, false);
	is_uint(marked_pages(slab), 0, "without any there is no mark left");
	ok(!slab_get_sample(slab, base) && !slab_take_sample(slab, base),
	   "no sample is kept at first");
	ok(slab_add_sample(slab, base, UINT32_MAX - 1) &&
		   slab_get_sample(slab, base) == UINT32_MAX - 1 &&
		   !slab_get_sample(slab, base + 1024) &&
		   !slab_take_sample(slab, base + 1024) &&
		   slab_take_sample(slab, base) == UINT32_MAX - 1 &&
		   !slab->some,
	   "one alone is kept, and none for its neighbour");
	for (unsigned i = 0; i < 16; i++)
		ok_all =
			ok_all && slab_add_sample(slab, base + i * 1024, 7 + i);
	for (unsigned i = 0; i < 16; i++)
		ok_all = ok_all &&
			 slab_get_sample(slab, base + i * 1024) == 7 + i;
	ok(ok_all, "one for each region may be");
	is_uint(marked_pages(slab), 4, "and they are watched");
	for (unsigned i = 16; i-- > 0;)
		ok_all = ok_all &&
			 slab_take_sample(slab, base + i * 1024) == 7 + i &&
			 !slab_take_sample(slab, base + i * 1024);
	ok(ok_all && !slab->some, "until they are taken back");
	is_uint(marked_pages(slab), 0, "all of them");
}

/* As above, for samples alone. */
static void test_apart(void)
{
	struct extent *slab = page_heap_take(
		heap_arena(0), size_classes[size_class_of(1024)].slab_bytes,
		os_page_bytes, PAGES_ANY);
	uint32_t *first, *last;
	char *base;

	if (!slab || !slab_init(slab, size_class_of(1024), true)) {
		ok(false, "a slab apart is made");
		return;
	}
	base = (char *)slab->base;
	is_uint(marked_pages(slab), slab->bytes / PAGE_MAP_UNIT,
		"all pages of a slab apart are marked");
	first = slab_sample(slab, base);
	last = slab_sample(slab, base + slab->bytes - 1024);
	ok(last - first == slab->free_count - 1 && !*first && !*last,
	   "each region has a place for its sample, empty at first");
	slab_watch(slab, base, true);
	slab_watch(slab, base, false);
	is_uint(marked_pages(slab), slab->bytes / PAGE_MAP_UNIT,
		"which watching does not change");
	slab_fini(slab);
	is_uint(page_map_get((uintptr_t)base) & PAGE_SAMPLED, 0,
		"until the slab goes");
	page_heap_give(heap_arena(0), slab);
}

int main(void)
{
	heap_boot();
	plan(24);
	test_all_classes();
	ok(aborts(free_twice), "a second free aborts, with the address");
	ok(aborts(free_inside), "so does one into the middle");
	ok(aborts(free_tail), "and one behind the last region");
	test_marks();
	test_apart();
	return done_testing();
}
