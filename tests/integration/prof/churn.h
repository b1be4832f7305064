/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four threads that allocate and free at random while something else is done.
 */
#ifndef TESTS_INTEGRATION_PROF_CHURN_H
#define TESTS_INTEGRATION_PROF_CHURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { CHURN_THREADS = 4, CHURN_OBJECTS = 256 };

static bool churn_over;
static pthread_t churn_threads[CHURN_THREADS];

static void *churn(void *arg)
{
	unsigned seed = (unsigned)(unsigned long)arg;
	void *mine[CHURN_OBJECTS] = {NULL};

	while (!__atomic_load_n(&churn_over, __ATOMIC_RELAXED)) {
		unsigned i = rand_r(&seed) % CHURN_OBJECTS;

		free(mine[i]);
		mine[i] = malloc(rand_r(&seed) % 20000);
	}
	for (unsigned i = 0; i < CHURN_OBJECTS; i++)
		free(mine[i]);
	return NULL;
}

static void churn_start(void)
{
	for (unsigned long i = 0; i < CHURN_THREADS; i++)
		pthread_create(&churn_threads[i], NULL, churn, (void *)i);
}

static void churn_stop(void)
{
	__atomic_store_n(&churn_over, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < CHURN_THREADS; i++)
		pthread_join(churn_threads[i], NULL);
}

#endif
