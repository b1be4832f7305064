/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads fill tables of objects, replace them for a while, and free them, each
 * at its own pace, while all they have is counted. Fails where the peak that
 * liballoc says is off the true one by more than 2 MiB for each thread: one
 * that the thread has not counted yet, and one that its cache has not told of.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <liballoc/liballoc.h>

#define THREADS 4u
#define ROUNDS 4u
#define MOST 40000u
#define REPLACED 20000u
#define MOST_OFF ((int64_t)THREADS << 21)

static int64_t live, peak;

static void count(int64_t bytes)
{
	int64_t now = __atomic_add_fetch(&live, bytes, __ATOMIC_RELAXED);
	int64_t most = __atomic_load_n(&peak, __ATOMIC_RELAXED);

	while (now > most &&
	       !__atomic_compare_exchange_n(&peak, &most, now, 0,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void drop(void **object)
{
	count(-(int64_t)malloc_usable_size(*object));
	free(*object);
	*object = NULL;
}

static void replace(void **object, unsigned *seed)
{
	if (*object)
		drop(object);
	*object = malloc(16 + (size_t)rand_r(seed) % 3000);
	count((int64_t)malloc_usable_size(*object));
}

static void *work(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	static __thread void *objects[MOST];

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned most = MOST / 4 + (unsigned)rand_r(&seed) % MOST / 2;

		for (unsigned i = 0; i < most; i++)
			replace(&objects[i], &seed);
		for (unsigned i = 0; i < REPLACED; i++)
			replace(&objects[(unsigned)rand_r(&seed) % most],
				&seed);
		for (unsigned i = 0; i < most; i++)
			drop(&objects[i]);
	}
	return arg;
}

int main(void)
{
	pthread_t threads[THREADS];
	uint64_t counted = 0;
	size_t size = sizeof(counted);
	int64_t off;

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)(i + 1));
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	mallctl("prof.peak_bytes", &counted, &size, NULL, 0);
	off = (int64_t)counted - peak;
	printf("%lld bytes, off by %lld\n", (long long)peak, (long long)off);
	return off > MOST_OFF || off < -MOST_OFF;
}
