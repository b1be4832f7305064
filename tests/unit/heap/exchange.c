/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange: what lies there is taken before the process grows.
 */
#include "config.h"

#include "liballoc/heap/exchange.h"

#include "liballoc/ledger/ledger.h"
#include "tap/tap.h"

#include <stdlib.h>

#define OBJECTS 1600
#define MOST_BYTES ((size_t)1024)
#define ROUNDS 20

const char *malloc_conf = "prof:false";

static void batch(size_t bytes)
{
	static void *objects[OBJECTS];
	unsigned i;

	for (i = 0; i < OBJECTS; i++)
		*(char *)(objects[i] = malloc(bytes)) = 1;
	for (i = 0; i < OBJECTS; i++)
		free(objects[i]);
}

/* Batches of one class after the other, each of which leaves some there. */
static void classes_up_to(size_t most)
{
	size_t bytes;

	for (bytes = 16; bytes <= most; bytes *= 2)
		batch(bytes);
}

int main(void)
{
	size_t lay, grown;
	unsigned i;

	plan(4);
	for (i = 0; i < ROUNDS; i++)
		classes_up_to(MOST_BYTES);
	lay = exchange_bytes();
	grown = ledger_get(&ledger_process()->mapped);
	ok(lay > 0, "what is freed lies in the exchange: %zu bytes", lay);
	ok(grown < OBJECTS * MOST_BYTES * 5 / 4,
	   "the process has little beside its largest batch: %zu KiB",
	   grown >> 10);
	classes_up_to(MOST_BYTES / 2);
	ok(exchange_shrink() && !exchange_bytes(), "it can be had back");
	ok(!exchange_shrink(), "where nothing lies there nothing is");
	return done_testing();
}
