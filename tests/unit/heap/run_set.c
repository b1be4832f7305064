/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The set of free runs against a plain array: random inserts, removals and
 * searches; best fit, lowest address first.
 */
#include "config.h"

#include "tap/tap.h"

#include "liballoc/heap/run_set.h"

#define RUNS 600
#define STEPS 60000

static struct extent runs[RUNS];
static bool inside[RUNS];
static struct run_set set;
static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static size_t random_bytes(void)
{
	return (size_t)4096 * (1 + (next_random() >> 20) %
					   ((uint64_t)1 << next_random() % 20));
}

static struct extent *best_by_array(size_t bytes)
{
	struct extent *best = NULL;
	unsigned i;

	for (i = 0; i < RUNS; i++) {
		struct extent *run = &runs[i];

		if (!inside[i] || run->bytes < bytes)
			continue;
		if (!best || run->bytes < best->bytes ||
		    (run->bytes == best->bytes && run->base < best->base))
			best = run;
	}
	return best;
}

/* Is the walk from the longest run down in order, and does it miss none? */
static bool walks_all(unsigned count)
{
	struct extent *run = run_set_longest(&set), *next;

	for (; run; run = next) {
		next = run_set_before(&set, run);
		if (next &&
		    (next->bytes > run->bytes ||
		     (next->bytes == run->bytes && next->base >= run->base)))
			return false;
		count--;
	}
	return !count;
}

int main(void)
{
	unsigned held = 0, misled = 0;
	unsigned i, step, wrong = 0, found = 0;
	bool empty = true, starts = true;

	plan(7);
	for (i = 1; i < RUN_SET_BINS; i++) {
		struct extent run = {.bytes = run_set_bin_bytes(i)};

		run_set_insert(&set, &run);
		starts = starts && set.bins[i].root == &run &&
			 set.bins[i].count == 1 &&
			 set.bins[i].bytes == run.bytes;
		run_set_remove(&set, &run);
	}
	ok(starts, "each bin begins with the size that is said");
	is_uint(run_set_bin_bytes(9), 40960, "the sizes are jemalloc's");
	ok(!run_set_find(&set, 4096), "an empty set has no fit");
	for (step = 0; step < STEPS; step++) {
		unsigned k = (unsigned)(next_random() >> 30) % RUNS;
		size_t want = random_bytes();
		struct extent *got;

		if (inside[k]) {
			run_set_remove(&set, &runs[k]);
		} else {
			runs[k].bytes = random_bytes();
			runs[k].base = (uintptr_t)(k + 1) << 40;
			run_set_insert(&set, &runs[k]);
		}
		inside[k] = !inside[k];
		held += inside[k] ? 1 : -1u;
		if (step % 100 == 0)
			misled += !walks_all(held);
		got = run_set_find(&set, want);
		found += got != NULL;
		wrong += got != best_by_array(want);
	}
	is_uint(wrong, 0, "every search finds the best fit");
	ok(found > STEPS / 10, "and many found one");
	is_uint(misled, 0, "every walk from the longest down is in order");
	for (i = 0; i < RUNS; i++)
		if (inside[i])
			run_set_remove(&set, &runs[i]);
	for (i = 0; i < RUN_SET_BINS; i++)
		empty = empty && !set.bins[i].root && !set.bins[i].bytes &&
			!set.bins[i].count;
	ok(empty && !run_set_find(&set, 4096), "it ends empty");
	return done_testing();
}
