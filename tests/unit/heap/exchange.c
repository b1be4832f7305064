/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange: what lies there is taken before the process grows, and whatever
 * lane it lies in.
 */
#include "config.h"

#include "liballoc/heap/exchange.h"

#include <pthread.h>
#include <stdlib.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "tap/tap.h"

#define OBJECTS 1600
#define MOST_BYTES ((size_t)1024)
#define ROUNDS 20
#define LEFT 10
#define TINY 16
#define MANY 2100

/* No limit of the machine's shall change container_scale. */
const char *malloc_conf = "prof:false,narenas:1,memory_limit:-1";

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

static void *lane_of_new_thread(void *lane)
{
	free(malloc(1));
	*(unsigned *)lane = thread_peek()->cache.lane;
	return NULL;
}

static unsigned lane_of_thread(void)
{
	unsigned lane = EXCHANGE_LANES;
	pthread_t thread;

	pthread_create(&thread, NULL, lane_of_new_thread, &lane);
	pthread_join(thread, NULL);
	return lane;
}

static void shares_lanes_out(void)
{
	unsigned first = lane_of_thread();

	is_uint(thread_peek()->cache.lane, 0, "the first thread has a lane");
	is_uint(first, 1, "the second one another");
	is_uint(lane_of_thread(), first, "which its successor takes over");
}

/* What one lane lacks is taken from another; its own comes first. */
static void takes_from_lanes(void)
{
	unsigned size_class = size_class_of(MOST_BYTES), i;
	void *left[LEFT], *got[LEFT];

	for (i = 0; i < LEFT; i++)
		left[i] = malloc(MOST_BYTES);
	heap_thread_flush(thread_peek());
	ok(exchange_put(0, size_class, left, LEFT - 1) &&
		   exchange_put(1, size_class, &left[LEFT - 1], 1),
	   "two lanes have room");
	is_uint(exchange_bytes(), LEFT * MOST_BYTES, "and all lies there");
	is_uint(exchange_take(1, size_class, got, LEFT), 1,
		"of its own lane a thread takes");
	ok(got[0] == left[LEFT - 1], "what lies there");
	is_uint(exchange_take(1, size_class, got, LEFT), LEFT - 1,
		"then of others, all there is");
	is_uint(exchange_take(0, size_class, got, LEFT), 0, "and then nothing");
	for (i = 0; i < LEFT; i++)
		free(left[i]);
}

/* The ledger's figure once all is told. */
static uint64_t told_beside_cache(void)
{
	heap_publish();
	return ledger_get(&heap_arena(0)->stats->tcache_bytes) -
	       thread_peek()->cached_bytes;
}

/* How many objects of TINY bytes a lane takes. */
static unsigned fill_lane(void)
{
	unsigned size_class = size_class_of(TINY), i;
	static void *objects[MANY];

	for (i = 0; i < MANY; i++)
		objects[i] = malloc(TINY);
	for (i = 0; i < MANY && exchange_put(0, size_class, &objects[i], 1);)
		i++;
	is_uint(told_beside_cache(), exchange_bytes(),
		"the ledger has what lies there");
	for (unsigned j = i; j < MANY; j++)
		free(objects[j]);
	return i;
}

static void bounds_lanes(void)
{
	uint32_t usual = container_scale;

	heap_thread_flush(thread_peek());
	container_scale = CONTAINER_FULL_SCALE;
	is_uint(fill_lane(), 2048, "a lane takes so many tiny objects");
	exchange_flush();
	is_uint(exchange_bytes(), 0, "which all go back");
	is_uint(told_beside_cache(), 0, "and the ledger has none");
	container_scale = CONTAINER_FULL_SCALE / 2;
	is_uint(fill_lane(), 1024, "half as many in a small container");
	container_scale = usual;
	exchange_flush();
}

/* With as much memory as there may be, or more. */
static void goes_where_memory_is_short(void)
{
	is_uint(fill_lane(), 2048, "a lane is full");
	opt.memory_limit = 1;
	thread_busy++;
	container_look(SIZE_MAX);
	thread_busy--;
	is_uint(exchange_bytes(), 0, "and empty where memory is short");
}

int main(void)
{
	size_t lay, grown;
	unsigned i;

	plan(22);
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
	shares_lanes_out();
	takes_from_lanes();
	bounds_lanes();
	goes_where_memory_is_short();
	return done_testing();
}
