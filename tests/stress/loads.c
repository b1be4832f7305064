/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads that wear an allocator out, each of them bounded and the same each
 * time: bursts, large objects, threads that come and go, frees on other
 * threads, forks, chains of realloc, alignments. Each checks the contents of
 * what it holds; with the name of a load, that one alone is run.
 */
#include "config.h"

#include "stress/stress.h"
#include "tap/tap.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>

#include "liballoc/include/liballoc/liballoc.h"

static unsigned scale;
static unsigned damaged; /* by atomic adds */

/* An object begins with its size, and ends with the low byte of that. */
static void mark(void *ptr, size_t size)
{
	memcpy(ptr, &size, sizeof(size));
	((unsigned char *)ptr)[size - 1] = (unsigned char)size;
}

static void check(const void *ptr, size_t size)
{
	size_t found;

	memcpy(&found, ptr, sizeof(found));
	if (size < 16 || malloc_usable_size((void *)(uintptr_t)ptr) < size ||
	    found != size ||
	    ((const unsigned char *)ptr)[size - 1] != (unsigned char)size)
		__atomic_add_fetch(&damaged, 1, __ATOMIC_RELAXED);
}

static void *make(size_t size)
{
	void *ptr = malloc(size);

	if (!ptr)
		abort();
	mark(ptr, size);
	return ptr;
}

static void drop(void *ptr)
{
	size_t size;

	if (!ptr)
		return;
	memcpy(&size, ptr, sizeof(size));
	check(ptr, size);
	memset(ptr, 0xa5, size < 64 ? size : 64);
	free(ptr);
}

#define BURST 20000

/* Fills up and empties, in order, in reverse, and in disorder. */
static void bursts(void)
{
	static void *objects[BURST];
	uint64_t seed = 1;

	for (unsigned round = 0; round < 6 * scale; round++) {
		for (unsigned i = 0; i < BURST; i++)
			objects[i] = make(16 + stress_random(&seed) % 700);
		for (unsigned i = 0; round % 3 == 2 && i < BURST; i++) {
			unsigned k = (unsigned)(stress_random(&seed) % BURST);
			void *other = objects[k];

			objects[k] = objects[i];
			objects[i] = other;
		}
		for (unsigned i = 0; i < BURST; i++)
			drop(objects[round % 3 ? BURST - 1 - i : i]);
	}
}

#define LARGE 40

static void large_objects(void)
{
	void *objects[LARGE] = {0};
	uint64_t seed = 2;

	for (unsigned i = 0; i < 4000 * scale; i++) {
		unsigned k = (unsigned)(stress_random(&seed) % LARGE);
		unsigned lg = 14 + (unsigned)(stress_random(&seed) % 9);
		size_t size = (size_t)1 << lg;

		drop(objects[k]);
		objects[k] = make(size + stress_random(&seed) % size);
	}
	for (unsigned k = 0; k < LARGE; k++)
		drop(objects[k]);
}

/* Threads leave objects to whoever comes next by the table. */
#define TABLE 2048

static void *table[TABLE];

static void *short_life(void *argument)
{
	uint64_t seed = (uintptr_t)argument;

	for (unsigned i = 0; i < 400; i++) {
		size_t size = 16 + stress_random(&seed) % 4000;
		void **slot = &table[stress_random(&seed) % TABLE];

		drop(__atomic_exchange_n(slot, make(size), __ATOMIC_ACQ_REL));
	}
	return NULL;
}

static void run_threads(void *(*body)(void *), unsigned count, uintptr_t first)
{
	pthread_t threads[16];

	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, body,
				   (void *)(first + i)))
			abort();
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void empty_table(void)
{
	for (unsigned i = 0; i < TABLE; i++)
		drop(__atomic_exchange_n(&table[i], NULL, __ATOMIC_ACQ_REL));
}

static void thread_churn(void)
{
	for (unsigned round = 0; round < 40 * scale; round++)
		run_threads(short_life, 8, 1 + 8 * round);
	empty_table();
}

/* Even threads allocate, odd ones free: all memory goes one way. */
static void *one_way(void *argument)
{
	uint64_t seed = (uintptr_t)argument;
	bool makes = (uintptr_t)argument % 2 == 0;

	for (unsigned i = 0; i < 60000 * scale; i++) {
		void **slot = &table[stress_random(&seed) % TABLE];
		size_t size = 16 + stress_random(&seed) % 500;

		drop(__atomic_exchange_n(slot, makes ? make(size) : NULL,
					 __ATOMIC_ACQ_REL));
	}
	return NULL;
}

static void cross_frees(void)
{
	run_threads(one_way, 6, 2);
	empty_table();
}

static void *fork_often(void *argument)
{
	uint64_t seed = (uintptr_t)argument;

	for (unsigned i = 0; i < 8 * scale; i++) {
		pid_t child = fork();
		int status = -1;

		if (!child) {
			alarm(60);
			for (unsigned k = 0; k < 300; k++)
				drop(make(16 + stress_random(&seed) % 100000));
			_exit(__atomic_load_n(&damaged, __ATOMIC_RELAXED) != 0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			__atomic_add_fetch(&damaged, 1, __ATOMIC_RELAXED);
		short_life((void *)(uintptr_t)stress_random(&seed));
	}
	return NULL;
}

/* Several threads fork at once, while others allocate. */
static void fork_storm(void)
{
	run_threads(fork_often, 8, 100);
	empty_table();
}

#define CHAINS 30

static void realloc_chains(void)
{
	void *chains[CHAINS];
	size_t sizes[CHAINS];
	uint64_t seed = 7;

	for (unsigned i = 0; i < CHAINS; i++)
		chains[i] = make(sizes[i] = 16);
	for (unsigned i = 0; i < 40000 * scale; i++) {
		unsigned k = (unsigned)(stress_random(&seed) % CHAINS);
		size_t size = sizes[k] + 1 + sizes[k] / 3;

		if (size > 3 << 20 || stress_random(&seed) % 50 == 0)
			size = 16 + sizes[k] / 7;
		check(chains[k], sizes[k]);
		chains[k] = realloc(chains[k], size);
		if (!chains[k])
			abort();
		mark(chains[k], sizes[k] = size);
	}
	for (unsigned i = 0; i < CHAINS; i++)
		drop(chains[i]);
}

static void alignments(void)
{
	void *objects[64] = {0};
	uint64_t seed = 8;

	for (unsigned i = 0; i < 20000 * scale; i++) {
		size_t alignment = (size_t)8 << stress_random(&seed) % 18;
		size_t size =
			16 + stress_random(&seed) % (i % 100 ? 5000 : 500000);
		void **slot = &objects[stress_random(&seed) % 64];

		drop(*slot);
		if (posix_memalign(slot, alignment, size))
			abort();
		if ((uintptr_t)*slot % alignment)
			damaged++;
		mark(*slot, size);
	}
	for (unsigned i = 0; i < 64; i++)
		drop(objects[i]);
}

static const struct load {
	const char *name;
	void (*run)(void);
} loads[] = {
	{"bursts", bursts},
	{"large_objects", large_objects},
	{"thread_churn", thread_churn},
	{"cross_frees", cross_frees},
	{"fork_storm", fork_storm},
	{"realloc_chains", realloc_chains},
	{"alignments", alignments},
};

#define LOADS (sizeof(loads) / sizeof(loads[0]))

/* Bytes that the program holds, and what the allocator keeps for it. */
static size_t allocated(void)
{
	size_t value = 0, bytes = sizeof(value);
	uint64_t epoch = 1;

	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	mallctl("stats.allocated", &value, &bytes, NULL, 0);
	return value;
}

/* The C library keeps stacks of threads and such, which are not ours. */
#define SLACK ((size_t)64 << 10)

static void run(const struct load *load)
{
	size_t before = allocated(), after;

	damaged = 0;
	load->run();
	after = allocated();
	is_uint(damaged, 0, load->name);
	ok(after <= before + SLACK, "and nothing is left: %zu to %zu bytes",
	   before, after);
}

int main(int argc, char **argv)
{
	scale = stress_scale();
	plan(argc > 1 ? 2 : 2 * LOADS);
	for (unsigned i = 0; i < LOADS; i++)
		if (argc < 2 || strcmp(argv[1], loads[i].name) == 0)
			run(&loads[i]);
	return done_testing();
}
