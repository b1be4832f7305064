/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service that idles between bursts: each burst handles many requests at
 * once, each of them with a session, small strings, and a buffer for the
 * answer, and frees all when done. What an allocator gives back in the gap it
 * must fetch again; what it keeps is idle.
 */
#include "bench/loads/load.h"

#include <stdlib.h>
#include <time.h>

enum {
	STRINGS = 24,
	REQUESTS = 1200, /* of one burst and thread */
	OBJECTS = 2 + STRINGS,
	IDLE_MS = 15,
};

struct request {
	char *strings[STRINGS];
	char *answer;
};

struct worker {
	uint64_t random;
	uint64_t bursts;
} LOAD_OWN_LINES;

static struct request *request_open(uint64_t *random)
{
	struct request *request = must(malloc(sizeof(*request)));

	for (unsigned i = 0; i < STRINGS; i++)
		request->strings[i] =
			object_filled(8 + next_random(random) % 400);
	request->answer = object_filled(2000 + next_random(random) % 30000);
	return request;
}

static void request_close(struct request *request)
{
	for (unsigned i = 0; i < STRINGS; i++)
		free(request->strings[i]);
	free(request->answer);
	free(request);
}

static void *serve(void *argument)
{
	struct worker *worker = argument;
	const struct timespec gap = {.tv_nsec = IDLE_MS * 1000000L};
	struct request *requests[REQUESTS];

	for (uint64_t i = 0; i < worker->bursts; i++) {
		for (unsigned j = 0; j < REQUESTS; j++)
			requests[j] = request_open(&worker->random);
		for (unsigned j = 0; j < REQUESTS; j++)
			request_close(requests[j]);
		nanosleep(&gap, NULL);
	}
	return NULL;
}

static void run(uint64_t operations, unsigned threads)
{
	struct worker workers[LOAD_THREADS];

	for (unsigned i = 0; i < threads; i++) {
		workers[i].random = random_seed(i);
		workers[i].bursts =
			operations / ((uint64_t)REQUESTS * OBJECTS * threads) +
			1;
	}
	workers_run(serve, workers, sizeof(workers[0]), threads);
}

const struct load bursts_load = {
	"bursts", "a service that idles between bursts of requests", run};
