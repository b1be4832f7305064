/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What large objects leave resident: with what waits to be given back, not much
 * more than was in use at its peak; a free run serves a part of an object that
 * is longer; objects that grow side by side have room to; and threads look
 * often enough whether something is due.
 */
#include "config.h"

#include "tap/tap.h"

#include <stdlib.h>
#include <string.h>

#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"

#define MIB ((size_t)1 << 20)
#define SLOTS 16
#define VECTORS 4

const char *malloc_conf = "dirty_decay_ms:-1,prof:false";

static size_t statistic(const char *name)
{
	uint64_t epoch = 1;
	size_t value = 0, bytes = sizeof(value);

	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	if (mallctl(name, &value, &bytes, NULL, 0))
		return 0;
	return value;
}

static void purge(void)
{
	mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
}

/* Dirty pages with clean ones before them, and more clean ones elsewhere. */
static void test_joined(void)
{
	char *front, *back, *object;
	size_t used;

	free(malloc(24 * MIB));
	purge();
	front = malloc(12 * MIB);
	back = malloc(12 * MIB);
	free(malloc(64 * MIB));
	free(front);
	purge();
	used = statistic("stats.active");
	free(back);
	object = malloc(20 * MIB);
	ok(statistic("stats.mapped") < used + 10 * MIB,
	   "free pages that are resident serve as a part of an object");
	free(object);
}

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void test_replaced(void)
{
	char *slots[SLOTS] = {NULL};
	size_t most_used = 0, most = 0;
	unsigned i;

	for (i = 0; i < 2000; i++) {
		uint64_t random = next_random();
		char **slot = &slots[random % SLOTS];
		size_t used, resident;

		free(*slot);
		*slot = malloc(5 * MIB + (random >> 8) % (20 * MIB));
		used = statistic("stats.active");
		resident = statistic("stats.mapped");
		most_used = used > most_used ? used : most_used;
		most = resident > most ? resident : most;
	}
	ok(most > most_used, "some wait to be given back");
	ok(most < most_used + most_used / 4,
	   "but with them no more than a quarter above what was in use");
	for (i = 0; i < SLOTS; i++)
		free(slots[i]);
}

/* How often do vectors that grow in turn to bytes change their place? */
static unsigned grow_in_turn(size_t bytes)
{
	char *vectors[VECTORS] = {NULL};
	unsigned moves = 0, i;
	size_t size;

	for (size = MIB; size <= bytes; size += size / 2)
		for (i = 0; i < VECTORS; i++) {
			char *old = vectors[i];

			vectors[i] = realloc(old, size);
			memset(vectors[i], 1, size);
			moves += vectors[i] != old;
		}
	for (i = 0; i < VECTORS; i++)
		free(vectors[i]);
	return moves;
}

static void test_grown(void)
{
	unsigned i, moves = 0;
	size_t before;

	purge();
	grow_in_turn(24 * MIB);
	grow_in_turn(24 * MIB);
	before = statistic("stats.mapped");
	for (i = 0; i < 4; i++)
		moves += grow_in_turn(24 * MIB);
	/* Each is made once, and moved to where it has room at most twice. */
	ok(moves <= 4 * VECTORS * 3, "what grows side by side is hardly moved");
	ok(statistic("stats.mapped") < before + before / 4,
	   "nor does it leave more and more behind");
}

/*
 * A thread that was busy may be a slow one from now on, of whose calls each
 * comes long after the last: what is due waits for a few of them, not for many.
 */
static void test_looks(void)
{
	unsigned calls, since = 0, most = 0, looks = 0;

	for (calls = 0; calls < 1000000; calls++) {
		since++;
		if (!thread_may_look(thread_get()))
			continue;
		most = since > most ? since : most;
		since = 0;
		looks++;
	}
	ok(looks < calls / 4, "a busy thread seldom looks at the clock");
	ok(most <= 8, "but with one in eight slow calls at least");
}

int main(void)
{
	plan(7);
	test_joined();
	test_replaced();
	test_grown();
	test_looks();
	return done_testing();
}
