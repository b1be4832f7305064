/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas that go while another thread gives back what all of them keep, as
 * the background thread does.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <stdlib.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

#define ROUNDS 4000
#define OBJECTS 8
#define OBJECT_BYTES ((size_t)256 << 10)

static bool stopping;

static void *walk(void *unused)
{
	thread_busy++;
	while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED))
		waiting_purge_all();
	thread_busy--;
	return unused;
}

/* Leaves dirty pages in the arena for both threads to give back. */
static void use(unsigned index)
{
	int flags = MALLOCX_ARENA(index) | MALLOCX_TCACHE_NONE;
	char *objects[OBJECTS];
	unsigned i;

	for (i = 0; i < OBJECTS; i++) {
		objects[i] = mallocx(OBJECT_BYTES, flags);
		objects[i][0] = 1;
	}
	for (i = 0; i < OBJECTS; i += 2)
		dallocx(objects[i], flags);
}

int main(void)
{
	unsigned round, bad = 0, gone = 0;
	pthread_t walker;

	free(malloc(1));
	plan(2);
	pthread_create(&walker, NULL, walk, NULL);
	for (round = 0; round < ROUNDS; round++) {
		unsigned index = heap_arena_create(NULL);
		const struct arena_stats *stats = ledger_arena(index);

		use(index);
		gone += heap_arena_destroy(heap_arena(index));
		bad += stats->mapped || stats->dirty || stats->retained;
	}
	__atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
	pthread_join(walker, NULL);
	is_uint(gone, ROUNDS, "arenas go while another thread walks over them");
	is_uint(bad, 0, "and leave no page behind");
	return done_testing();
}
