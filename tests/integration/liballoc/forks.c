/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many forks of a program whose other threads are busy in the allocator. Each
 * child allocates of every size, frees what its parent had, starts threads of
 * its own, forks once more, and must come to its end.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "liballoc/include/liballoc/liballoc.h"

#define FORKS 300
#define BUSY 6
#define KEPT 500

static bool stop;
static void *kept[KEPT];

static void churn(uint64_t seed, unsigned steps)
{
	void *objects[64] = {0};
	unsigned i;

	for (i = 0; i < steps; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 99;
		free(objects[seed >> 58]);
		objects[seed >> 58] = malloc((size_t)1 << (seed >> 33) % 18);
		*(char *)objects[seed >> 58] = 1;
	}
	for (i = 0; i < 64; i++)
		free(objects[i]);
}

static void *busy(void *argument)
{
	uint64_t seed = (uintptr_t)argument;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		churn(seed++, 1000);
	return NULL;
}

static void *short_lived(void *argument)
{
	churn((uintptr_t)argument, 500);
	return NULL;
}

static int wait_for(pid_t child)
{
	int status = -1;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

/* What a child does; its exit status. */
static int work(void)
{
	pthread_t threads[3];
	uintptr_t i;

	alarm(60); /* a deadlock is a failure, not a hang */
	for (i = 0; i < KEPT; i++)
		free(kept[i]);
	churn(5, 2000);
	for (i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, short_lived, (void *)i))
			return 3;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static int work_and_fork(void)
{
	int status = work();
	pid_t child;

	if (status)
		return status;
	child = fork();
	if (!child) {
		alarm(60);
		churn(6, 2000);
		_exit(0);
	}
	return wait_for(child) ? 4 : 0;
}

int main(void)
{
	unsigned bad = 0, i;
	pthread_t threads[BUSY];

	plan(1);
	for (i = 0; i < KEPT; i++)
		kept[i] = malloc(i * 37 + 1);
	for (i = 0; i < BUSY; i++)
		pthread_create(&threads[i], NULL, busy, (void *)(uintptr_t)i);
	for (i = 0; i < FORKS; i++) {
		pid_t child = fork();

		if (!child)
			_exit(i % 10 ? work() : work_and_fork());
		bad += wait_for(child) != 0;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < BUSY; i++)
		pthread_join(threads[i], NULL);
	is_uint(bad, 0, "every child came to its end");
	return done_testing();
}
