/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that come, fill their caches and go while another publishes the
 * statistics of all of them: in the end, nothing is left in any cache.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <stdlib.h>

#include "liballoc/include/liballoc/liballoc.h"

#define THREADS 3
#define ROUNDS 60

static unsigned running = THREADS;

static void *fill(void *unused)
{
	void *objects[100];

	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 100; i++)
			objects[i] = malloc(16 + i * 83 % 20000);
		for (unsigned i = 0; i < 100; i++)
			free(objects[i]);
	}
	return unused;
}

static void *start(void *unused)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, fill, NULL) == 0)
			pthread_join(thread, NULL);
	}
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return unused;
}

static uint64_t control(const char *name)
{
	uint64_t epoch = 1, value = 0;
	size_t bytes = sizeof(value);

	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	if (mallctl(name, &value, &bytes, NULL, 0))
		return UINT64_MAX;
	return value;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned absurd = 0;

	plan(2);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, start, NULL);
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		absurd += control("stats.allocated") > UINT64_C(1) << 40;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	is_uint(control("stats.arenas.4096.tcache_bytes"), 0,
		"no bytes are left in caches");
	is_uint(absurd, 0, "no figure was absurd meanwhile");
	return done_testing();
}
