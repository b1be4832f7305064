/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that allocate, resize and free at random, a third of it what other
 * threads allocated. Each object carries its size and a mark at both ends,
 * checked by whoever frees it. At the end nothing is left allocated.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <stdlib.h>

#include "liballoc/include/liballoc/liballoc.h"

#define THREADS 8
#define STEPS 150000
#define OWN 500
#define SHARED 1024

struct object {
	size_t size;
	uint64_t mark;
};

static struct object *shared[SHARED]; /* by atomic exchange */
static uint64_t damaged;

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *seed >> 33;
}

static size_t random_size(uint64_t *seed)
{
	size_t size = (size_t)1 << (4 + next_random(seed) % 7);

	if (next_random(seed) % 500 == 0)
		size <<= next_random(seed) % 10;
	return size + next_random(seed) % size + 16;
}

static void mark(struct object *object, size_t size)
{
	object->size = size;
	object->mark = (uintptr_t)object ^ size;
	((unsigned char *)object)[size - 1] = (unsigned char)size;
}

static void check(struct object *object)
{
	size_t size = object->size;

	if (object->mark != ((uintptr_t)object ^ size) ||
	    (size > 16 &&
	     ((unsigned char *)object)[size - 1] != (unsigned char)size))
		__atomic_add_fetch(&damaged, 1, __ATOMIC_RELAXED);
}

static struct object *make(uint64_t *seed)
{
	size_t size = random_size(seed);
	struct object *object = malloc(size);

	mark(object, size);
	return object;
}

static struct object *resize(struct object *object, uint64_t *seed)
{
	size_t size = random_size(seed);

	check(object);
	object = realloc(object, size);
	mark(object, size);
	return object;
}

static void drop(struct object *object)
{
	if (!object)
		return;
	check(object);
	object->mark = 0;
	free(object);
}

static void *churn(void *argument)
{
	uint64_t seed = (uintptr_t)argument;
	struct object *own[OWN] = {0};
	unsigned i;

	for (i = 0; i < STEPS; i++) {
		unsigned k = (unsigned)next_random(&seed) % OWN;
		unsigned s = (unsigned)next_random(&seed) % SHARED;

		switch (next_random(&seed) % 3) {
		case 0:
			drop(__atomic_exchange_n(&shared[s], make(&seed),
						 __ATOMIC_ACQ_REL));
			break;
		case 1:
			if (own[k])
				own[k] = resize(own[k], &seed);
			break;
		default:
			drop(own[k]);
			own[k] = make(&seed);
		}
	}
	for (i = 0; i < OWN; i++)
		drop(own[i]);
	return NULL;
}

static size_t control(const char *name)
{
	uint64_t epoch = 1;
	size_t value = 0, bytes = sizeof(value);

	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	if (mallctl(name, &value, &bytes, NULL, 0))
		return SIZE_MAX;
	return value;
}

static void run(void)
{
	pthread_t threads[THREADS];
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, churn, (void *)(i + 1));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < SHARED; i++)
		drop(__atomic_exchange_n(&shared[i], NULL, __ATOMIC_ACQ_REL));
}

int main(void)
{
	size_t before, after;

	plan(3);
	run(); /* the C library's own memory for threads comes in here */
	before = control("stats.allocated");
	run();
	after = control("stats.allocated");
	is_uint(damaged, 0, "no object was damaged");
	ok(after != SIZE_MAX, "stats.allocated can be read");
	is_uint(after, before, "all that was allocated was freed");
	return done_testing();
}
