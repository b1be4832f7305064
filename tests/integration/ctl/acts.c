/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does what an option acts on, and prints what came of it: "zero" resizes to
 * 0, "interval" allocates 16 MiB, "cancelled" does so in a thread that is to be
 * cancelled, "percpu" moves two threads from CPU to CPU.
 */
#include "config.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liballoc/liballoc.h"

static void *volatile sink;

static int zero(void)
{
	void *object = malloc(100);

	sink = realloc(object, 0);
	printf("%s\n", sink ? "object" : "NULL");
	return 0;
}

static int interval(void)
{
	for (unsigned i = 0; i < 16 * 1024; i++) {
		sink = malloc(1024);
		free(sink);
	}
	printf("done\n");
	return 0;
}

static void *be_cancelled(void *unused)
{
	(void)unused;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	for (unsigned i = 0; i < 16 * 1024; i++) {
		sink = malloc(1024);
		free(sink);
	}
	sink = be_cancelled;
	pthread_testcancel();
	return NULL;
}

/* malloc is no cancellation point, whatever it prints. */
static int cancelled(void)
{
	pthread_t thread;
	void *result;

	if (pthread_create(&thread, NULL, be_cancelled, NULL) ||
	    pthread_join(thread, &result))
		return 1;
	printf("%s\n", sink == be_cancelled && result == PTHREAD_CANCELED
			       ? "at the end"
			       : "before");
	return 0;
}

static int cpus[2];
static pthread_barrier_t barrier;

static int arena_after_slow_calls(void)
{
	unsigned arena = 0;
	size_t length = sizeof(arena);

	/* In turns with the other, so that each sees that he was here. */
	for (unsigned i = 0; i < 8; i++) {
		void *volatile object = malloc(4 << 20);

		free(object);
		pthread_barrier_wait(&barrier);
	}
	mallctl("thread.arena", &arena, &length, NULL, 0);
	return (int)arena;
}

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *stay(void *unused)
{
	(void)unused;
	go_to(cpus[0]);
	printf("stays: %d\n", arena_after_slow_calls() - cpus[0]);
	pthread_barrier_wait(&barrier);
	arena_after_slow_calls();
	return NULL;
}

static void *leave(void *unused)
{
	unsigned mine = (unsigned)cpus[0];

	(void)unused;
	printf("same: %d\n", arena_after_slow_calls() - cpus[0]);
	pthread_barrier_wait(&barrier);
	go_to(cpus[1]);
	printf("moved: %d\n", arena_after_slow_calls() - cpus[1]);
	printf("chosen: %d\n",
	       mallctl("thread.arena", NULL, NULL, &mine, sizeof(mine)));
	return NULL;
}

/* Both begin on the first CPU; the program's own thread may have elsewhere. */
static int percpu(void)
{
	pthread_t staying, leaving;

	go_to(cpus[0]);
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&staying, NULL, stay, NULL);
	pthread_create(&leaving, NULL, leave, NULL);
	pthread_join(staying, NULL);
	pthread_join(leaving, NULL);
	return 0;
}

/* The first two CPUs, or how many there are. */
static int find_cpus(void)
{
	cpu_set_t set;
	int found = 0;

	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
		if (CPU_ISSET(i, &set))
			cpus[found++] = i;
	return found;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "zero") == 0)
		return zero();
	if (argc == 2 && strcmp(argv[1], "interval") == 0)
		return interval();
	if (argc == 2 && strcmp(argv[1], "cancelled") == 0)
		return cancelled();
	if (argc == 2 && strcmp(argv[1], "percpu") == 0)
		return find_cpus() == 2 ? percpu() : 77;
	return 2;
}
