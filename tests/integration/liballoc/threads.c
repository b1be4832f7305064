/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ten thousand threads over a lifetime, some dozens at a time. Each ends with
 * a full cache, and with a TLS destructor that allocates and frees in each
 * round of destructors. Nothing may be left of them.
 */
#include "config.h"

#include "tap/tap.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "liballoc/include/liballoc/liballoc.h"

#define THREADS 10000
#define AT_ONCE 50
#define OBJECTS 300

static pthread_key_t key;
static uint64_t destroyed, damaged;

/* Runs in as many rounds as there are, before and after liballoc's own. */
static void destroy(void *pointer)
{
	unsigned char *old = pointer, *again = malloc(200);

	if (old[0] != 7 || old[99] != 7)
		__atomic_add_fetch(&damaged, 1, __ATOMIC_RELAXED);
	old = realloc(old, 5000);
	memset(again, 9, 200);
	memset(old, 8, 5000);
	free(old);
	memset(again, 7, 100);
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
	if (again[150] != 9)
		__atomic_add_fetch(&damaged, 1, __ATOMIC_RELAXED);
	if (again[100] == 9 &&
	    __atomic_load_n(&destroyed, __ATOMIC_RELAXED) % 4)
		pthread_setspecific(key, again);
	else
		free(again);
}

/* together: all of a batch have a cache at the same time, as it may happen. */
static void *live(void *together)
{
	void *objects[OBJECTS];
	unsigned char *mine;
	unsigned i;

	for (i = 0; i < OBJECTS; i++)
		objects[i] = malloc(16 + i * 8 % 3000);
	for (i = 0; i < OBJECTS; i++)
		free(objects[i]);
	mine = malloc(100);
	memset(mine, 7, 100);
	pthread_setspecific(key, mine);
	if (together)
		pthread_barrier_wait(together);
	return NULL;
}

static void batch(pthread_barrier_t *together)
{
	pthread_t threads[AT_ONCE];
	unsigned i;

	for (i = 0; i < AT_ONCE; i++)
		if (pthread_create(&threads[i], NULL, live, together)) {
			if (together)
				exit(99);
			threads[i] = 0;
		}
	for (i = 0; i < AT_ONCE; i++)
		if (threads[i])
			pthread_join(threads[i], NULL);
}

static size_t control(const char *name)
{
	uint64_t epoch = 1;
	size_t value = 0, bytes = sizeof(value);

	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	if (mallctl(name, &value, &bytes, NULL, 0))
		return SIZE_MAX;
	return value;
}

/* In which round of destructors a thread first allocates. */
static pthread_key_t late;
static char rounds[5], *late_round;

static void allocate_late(void *round)
{
	void *volatile object;

	if ((char *)round < late_round) {
		pthread_setspecific(late, (char *)round + 1);
		return;
	}
	object = malloc(100);
	free(object);
}

static void *begin_late(void *unused)
{
	pthread_setspecific(late, rounds + 1);
	return unused;
}

static unsigned threads(void)
{
	unsigned value = 0;
	size_t bytes = sizeof(value);

	mallctl("stats.arenas.4096.nthreads", &value, &bytes, NULL, 0);
	return value;
}

/* The C library has four rounds; who comes in the last two may not end. */
static void test_late(void)
{
	void *volatile own = malloc(1);
	pthread_t thread;
	unsigned before;

	free(own);
	before = threads();
	for (late_round = rounds + 1; late_round < rounds + 3; late_round++)
		for (unsigned i = 0; i < 50; i++) {
			pthread_create(&thread, NULL, begin_late, NULL);
			pthread_join(thread, NULL);
		}
	is_uint(threads(), before,
		"threads that first allocate as they end do end");
}

int main(void)
{
	pthread_barrier_t together;
	size_t metadata, allocated;
	unsigned done;

	plan(5);
	pthread_key_create(&late, allocate_late);
	test_late();
	pthread_key_create(&key, destroy);
	pthread_barrier_init(&together, NULL, AT_ONCE);
	for (done = 0; done < 1000; done += AT_ONCE)
		batch(&together);
	metadata = control("stats.metadata");
	allocated = control("stats.allocated");
	for (; done < THREADS; done += AT_ONCE)
		batch(NULL);
	ok(destroyed >= THREADS, "%d threads came and went", THREADS);
	is_uint(damaged, 0, "what their destructors held was kept");
	/* A destructor's last object may be left: the C library gives up. */
	ok(control("stats.allocated") <= allocated + THREADS * 208,
	   "their caches went back");
	/* Ten times as many came, and no more at once. */
	ok(control("stats.metadata") <= metadata + metadata / 4,
	   "metadata did not grow with them");
	tap_line("# metadata %zu, then %zu; allocated %zu, then %zu\n",
		 metadata, control("stats.metadata"), allocated,
		 control("stats.allocated"));
	return done_testing();
}
