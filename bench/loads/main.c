/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loads NAME OPERATIONS THREADS: runs one load. Its own allocations are the
 * load's; it prints nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loads/load.h"

static const struct load *const loads[] = {
	&churn_load,	&handover_load, &server_load,	     &remote_load,
	&exchange_load, &scratch_load,	&thrash_load,	     &trees_load,
	&bursts_load,	&large_load,	&large_touched_load, &grow_load,
	&stress_load,	&crossing_load, &batches_load,	     &threads_load,
};

enum { LOADS = sizeof(loads) / sizeof(loads[0]) };

static int usage(void)
{
	fputs("Usage: loads NAME OPERATIONS THREADS\n", stderr);
	for (size_t i = 0; i < LOADS; i++)
		fprintf(stderr, "  %-14s %s\n", loads[i]->name, loads[i]->help);
	return 2;
}

static void die(const char *what)
{
	fprintf(stderr, "loads: %s\n", what);
	exit(2);
}

void *must(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

char *object_new(size_t bytes)
{
	char *object = must(malloc(bytes));

	object[0] = 1;
	object[bytes - 1] = 1;
	return object;
}

char *object_filled(size_t bytes)
{
	return memset(must(malloc(bytes)), 1, bytes);
}

void thread_start(pthread_t *thread, void *(*main)(void *), void *argument)
{
	if (pthread_create(thread, NULL, main, argument))
		die("cannot start a thread");
}

void workers_run(void *(*main)(void *), void *workers, size_t worker_bytes,
		 unsigned count)
{
	pthread_t threads[LOAD_THREADS];

	for (unsigned i = 0; i < count; i++)
		thread_start(&threads[i], main,
			     (char *)workers + i * worker_bytes);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	unsigned long long operations;
	unsigned long threads;

	if (argc != 4)
		return usage();
	operations = strtoull(argv[2], NULL, 10);
	threads = strtoul(argv[3], NULL, 10);
	if (operations == 0 || threads == 0 || threads > LOAD_THREADS)
		die("operations above 0, threads from 1 to 64");
	for (size_t i = 0; i < LOADS; i++) {
		if (strcmp(loads[i]->name, argv[1]) == 0) {
			loads[i]->run(operations, (unsigned)threads);
			return 0;
		}
	}
	return usage();
}
