/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether huge pages pay is learnt from some pages of each large object that
 * did without: they are asked for once several in a row were touched nearly
 * wholly. One that was not ends that, and then it takes more of them each time.
 * Now and then an object does without, so that a program that has changed is
 * found out. Owns what was learnt; the words are read and written by all
 * threads without a lock, and may be off by one.
 */
#include "config.h"

#include "liballoc/heap/huge.h"

#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/extent_hooks.h"
#include "liballoc/heap/looks.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/residency.h"

/* Pages that are looked at; so many of them are nearly all. */
#define LOOKS 16u
#define NEARLY_ALL 15u
/* Objects in a row at first; each error makes that so many times more. */
#define FIRST_NEEDED 4u
#define MOST_NEEDED 4096u
#define TIMES 4u
/* Of so many one does without, and in all so many: each splits mappings. */
#define ASKS_PER_TRIAL 16u
#define MOST_TRIALS 4096u

static const char setting_path[] =
	"/sys/kernel/mm/transparent_hugepage/enabled";

enum kernel_says {
	KERNEL_UNKNOWN,
	KERNEL_GIVES_WHEN_ASKED,
	KERNEL_DECIDES,
};

static uint32_t kernel_says;
static uint32_t touched_in_a_row, needed = FIRST_NEEDED;
static uint32_t asks, trials;

static uint32_t get(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static enum kernel_says read_setting(void)
{
	char text[64] = "";
	int fd = look_open(setting_path);
	ssize_t n = fd < 0 ? -1 : os_read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		look_close(fd);
	return n > 0 && strstr(text, "[madvise]") ? KERNEL_GIVES_WHEN_ASKED
						  : KERNEL_DECIDES;
}

/* Huge pages of other sizes than these would be out of proportion. */
static bool may_ask(void)
{
	if (opt.thp != THP_FILLED || os_page_bytes != 4096)
		return false;
	if (get(&kernel_says) == KERNEL_UNKNOWN)
		set(&kernel_says, read_setting());
	return get(&kernel_says) == KERNEL_GIVES_WHEN_ASKED;
}

/* Where memory is short a page too much is too much. */
static bool pays(void)
{
	return get(&touched_in_a_row) >= get(&needed) && container_is_roomy() &&
	       may_ask();
}

static bool is_trial(void)
{
	set(&asks, get(&asks) + 1);
	if (get(&asks) % ASKS_PER_TRIAL || get(&trials) >= MOST_TRIALS)
		return false;
	set(&trials, get(&trials) + 1);
	return true;
}

void huge_ask(struct extent *run)
{
	bool wanted = pays();

	if (wanted || run->huge)
		os_ask_huge((void *)run->base, run->bytes, wanted);
	run->huge = wanted;
}

void huge_try_without(struct extent *extent)
{
	if (!is_trial())
		return;
	os_ask_huge((void *)extent->base, extent->bytes, false);
	extent->huge = false;
}

/* Of [from, end), some pages in regular distances, not of a power of two. */
static unsigned count_resident(uintptr_t from, uintptr_t end)
{
	size_t step = (end - from) / LOOKS;
	size_t resident = 0;
	int fd = residency_open();
	unsigned i;

	for (i = 0; fd >= 0 && i < LOOKS; i++) {
		uintptr_t at = from + i * step + step * (i % 5) / 5;

		residency_count(fd, at & -os_page_bytes, os_page_bytes, LOOKS,
				&resident);
	}
	if (fd >= 0)
		residency_close(fd);
	return (unsigned)resident;
}

static void learn(bool touched)
{
	uint32_t row = get(&touched_in_a_row);

	if (touched) {
		if (row < MOST_NEEDED)
			set(&touched_in_a_row, row + 1);
		return;
	}
	if (row >= get(&needed) && get(&needed) < MOST_NEEDED)
		set(&needed, get(&needed) * TIMES);
	set(&touched_in_a_row, 0);
}

void huge_look(const struct extent *extent)
{
	uintptr_t from = extent->base + extent->dirty_bytes;
	uintptr_t end = extent->base + extent->usable;

	if (!extent->huge && !extent->emptied &&
	    !hooks_are_custom(extent->arena) && may_ask())
		learn(count_resident(from, end) >= NEARLY_ALL);
}
