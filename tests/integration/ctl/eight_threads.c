/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Eight threads that allocate small and large objects, on whatever allocator
 * the program is run with: it is linked with none.
 */
#include <pthread.h>
#include <stdlib.h>

#define THREADS 8

static void *volatile sink;

static void *work(void *unused)
{
	for (unsigned i = 1; i < 3000; i++) {
		void *object = malloc(i * 7);

		sink = object;
		free(object);
	}
	sink = malloc(100000);
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
