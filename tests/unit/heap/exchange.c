/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange: what lies there is taken before the process grows, and whatever
 * lane it lies in.
 */
#include "config.h"

#include "liballoc/heap/exchange.h"

#include "liballoc/heap/size_class.h"
#include "liballoc/ledger/ledger.h"
#include "tap/tap.h"

#include <stdlib.h>

#define OBJECTS 1600
#define MOST_BYTES ((size_t)1024)
#define ROUNDS 20
#define LEFT 10

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

/* What one lane lacks is taken from another; its own comes first. */
static void takes_from_lanes(void)
{
	unsigned size_class = size_class_of(MOST_BYTES), i;
	void *left[LEFT], *got[LEFT];

	for (i = 0; i < LEFT; i++)
		left[i] = malloc(MOST_BYTES);
	exchange_flush();
	ok(exchange_put(1, size_class, left, LEFT - 1) &&
		   exchange_put(2, size_class, &left[LEFT - 1], 1),
	   "two lanes have room");
	is_uint(exchange_bytes(), LEFT * MOST_BYTES, "and all lies there");
	is_uint(exchange_take(2, size_class, got, LEFT), 1,
		"of its own lane one thread takes");
	ok(got[0] == left[LEFT - 1], "what lies there");
	is_uint(exchange_take(2, size_class, got, LEFT), LEFT - 1,
		"then of others, all there is");
	is_uint(exchange_take(0, size_class, got, LEFT), 0, "and then nothing");
	for (i = 0; i < LEFT; i++)
		free(left[i]);
}

int main(void)
{
	size_t lay, grown;
	unsigned i;

	plan(10);
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
	takes_from_lanes();
	return done_testing();
}
