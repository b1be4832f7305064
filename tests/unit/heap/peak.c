/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The peak of what was in use, by which is measured how much may wait to be
 * given back, is seen where hardly anything waits at that moment: batches of
 * small objects find the pages of those before them.
 */
#include "config.h"

#include "tap/tap.h"

#include <stdlib.h>
#include <sys/resource.h>

#define OBJECTS 1600
#define BYTES 1024
#define ROUNDS 200

const char *malloc_conf = "prof:false";

static void batch(void)
{
	static void *objects[OBJECTS];
	unsigned i;

	for (i = 0; i < OBJECTS; i++)
		*(char *)(objects[i] = malloc(BYTES)) = 1;
	for (i = 0; i < OBJECTS; i++)
		free(objects[i]);
}

static long page_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

int main(void)
{
	long before;
	unsigned i;

	plan(1);
	for (i = 0; i < ROUNDS; i++)
		batch();
	before = page_faults();
	for (i = 0; i < ROUNDS; i++)
		batch();
	before = page_faults() - before;
	ok(before < ROUNDS, "what a batch frees is there for the next one");
	return done_testing();
}
