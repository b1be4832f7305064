/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list is reachable to the end, so a leak checker that looks at exit sees
 * nothing wrong with it; only its growth gives it away.
 */
#include "declines.h"

#include "subsystem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct declined {
	struct declined *next;
	char evidence[];
};

enum { EVIDENCE_BYTES = (16 << 10) - sizeof(struct declined) };

struct declines {
	uint64_t leak_rate;
	struct timespec start;
	pthread_mutex_t lock; /* guards what follows */
	uint64_t bytes;
	struct declined *list;
};

/* What the leak rate allows at this moment. */
static uint64_t budget_bytes(const struct declines *declines)
{
	struct timespec now;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (double)(now.tv_sec - declines->start.tv_sec) +
		  (double)(now.tv_nsec - declines->start.tv_nsec) / 1e9;
	return (uint64_t)(seconds * (double)declines->leak_rate);
}

static void keep_for_retry(struct declines *declines, const char *request,
			   size_t bytes)
{
	struct declined *declined =
		allocate(sizeof(struct declined) + EVIDENCE_BYTES);

	memset(declined->evidence, 0, EVIDENCE_BYTES);
	memcpy(declined->evidence, request,
	       bytes < EVIDENCE_BYTES ? bytes : EVIDENCE_BYTES);
	declined->next = declines->list;
	declines->list = declined;
	declines->bytes += sizeof(struct declined) + EVIDENCE_BYTES;
}

struct declines *declines_new(uint64_t leak_rate)
{
	struct declines *declines = allocate(sizeof(struct declines));

	memset(declines, 0, sizeof(struct declines));
	declines->leak_rate = leak_rate;
	clock_gettime(CLOCK_MONOTONIC, &declines->start);
	pthread_mutex_init(&declines->lock, NULL);
	return declines;
}

void declines_free(struct declines *declines)
{
	while (declines->list) {
		struct declined *declined = declines->list;

		declines->list = declined->next;
		free(declined);
	}
	pthread_mutex_destroy(&declines->lock);
	free(declines);
}

void declines_remember(struct declines *declines, const char *request,
		       size_t bytes)
{
	uint64_t budget;

	if (!declines->leak_rate)
		return;
	budget = budget_bytes(declines);
	pthread_mutex_lock(&declines->lock);
	while (declines->bytes < budget)
		keep_for_retry(declines, request, bytes);
	pthread_mutex_unlock(&declines->lock);
}
