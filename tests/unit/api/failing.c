/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failing mmap at the Nth call, for every N that a round of calls reaches, once
 * or for good: every call of the API gives NULL and ENOMEM or works, and
 * afterwards all is well.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

#define SLOTS 400
/* At least so many N are reached, though earlier rounds leave memory behind. */
#define LEAST_N 4
/* N at which nothing failed, one after the other, beyond which nothing does. */
#define UNREACHED 6

static unsigned wrong_errno, damaged, failures;
static char *slots[SLOTS];
static size_t sizes[SLOTS];

static void note(const void *ptr)
{
	if (ptr)
		return;
	failures++;
	wrong_errno += errno != ENOMEM;
}

static size_t size_of(unsigned i)
{
	return i % 7 ? (size_t)1 << i % 16 : (size_t)(i + 1) << 13;
}

static void allocate(unsigned i, int flags)
{
	errno = 0;
	sizes[i] = size_of(i);
	slots[i] = i % 3 ? malloc(sizes[i])
			 : mallocx(sizes[i], flags | MALLOCX_ALIGN(64));
	note(slots[i]);
	if (slots[i])
		slots[i][0] = slots[i][sizes[i] - 1] = (char)i;
}

static void resize(unsigned i)
{
	char *moved;

	if (!slots[i])
		return;
	errno = 0;
	moved = realloc(slots[i], sizes[i] * 3);
	note(moved);
	if (moved)
		slots[i] = moved;
	damaged += slots[i][0] != (char)i || slots[i][sizes[i] - 1] != (char)i;
}

static void round_of(int flags)
{
	unsigned i;

	for (i = 0; i < SLOTS; i++)
		allocate(i, flags);
	for (i = 0; i < SLOTS; i += 2)
		resize(i);
	for (i = 0; i < SLOTS; i++)
		free(slots[i]);
}

static void *thread_round(void *unused)
{
	round_of(0);
	return unused;
}

static uint64_t failed_maps(void)
{
	return ledger_process()->map_failures;
}

/* How many N were reached. */
static unsigned sweep(bool forever)
{
	unsigned n, reached = 0, unreached = 0;

	for (n = 1; unreached < UNREACHED; n++) {
		unsigned arena = heap_arena_create(NULL);
		int flags = arena == UINT32_MAX ? 0 : MALLOCX_ARENA(arena);
		uint64_t before = failed_maps();
		pthread_t thread;

		/* Empty page heaps, so that memory must come from mmap. */
		os_fail_map(n, forever);
		round_of(flags);
		if (pthread_create(&thread, NULL, thread_round, NULL) == 0)
			pthread_join(thread, NULL);
		os_fail_map(0, false);
		if (failed_maps() == before) {
			unreached++;
		} else {
			unreached = 0;
			reached++;
		}
	}
	return reached;
}

int main(void)
{
	heap_boot();
	plan(7);
	ok(sweep(false) >= LEAST_N, "mmap failed once at several calls");
	ok(sweep(true) >= LEAST_N, "and from several on");
	ok(failures > 0, "some calls failed");
	is_uint(wrong_errno, 0, "each with ENOMEM");
	is_uint(damaged, 0, "no contents were damaged");
	failures = 0;
	round_of(0);
	is_uint(failures, 0, "with memory again, nothing fails");
	ok(heap_arena_create(NULL) != UINT32_MAX, "and an arena can be made");
	return done_testing();
}
