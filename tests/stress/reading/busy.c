/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * busy TRUTH LIBRARY: 64 threads that allocate, free what others allocated,
 * end and are started again; one forks before it ends, one loads and unloads
 * LIBRARY. Keeps its books in the file TRUTH (truth.h), and goes on until it
 * is killed, or told to lock up: then it blocks in locks of its own and of
 * the allocator's.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress/reading/truth.h"
#include "stress/stress.h"

#include <liballoc/liballoc.h>

#define TABLE 4096

static struct truth *truth;
static const char *library;
/* What threads leave each other. */
static size_t *table[TABLE];
static sem_t free_slots;
static bool slot_taken[TRUTH_THREADS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;
/*
 * Held over fork, which waits for all locks of the allocator: none may be kept
 * for good before it has them.
 */
static pthread_mutex_t fork_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned hung_arena;

/* Size classes, so that what is asked for is what is usable. */
static const size_t sizes[] = {
	16,   32,   48,	  64,	 80,	96,    112,   128,
	160,  192,  256,  320,	 512,	640,   1024,  1280,
	2048, 4096, 8192, 10240, 16384, 32768, 65536, 1 << 20,
};

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static size_t pick_size(uint64_t *seed)
{
	uint64_t r = stress_random(seed);

	/* Megabytes are rare. */
	return sizes[r % (r >> 32 & 63 ? SIZES - 1 : SIZES)];
}

static __attribute__((noinline)) size_t *take(struct truth_slot *slot,
					      size_t size)
{
	size_t *object;

	truth_add(&slot->allocating, size);
	object = malloc(size);
	if (!object || malloc_usable_size(object) != size)
		abort();
	truth_add(&slot->allocated, size);
	*object = size;
	return object;
}

static void give(struct truth_slot *slot, size_t *object)
{
	size_t size;

	if (!object)
		return;
	size = *object;
	truth_add(&slot->freeing, size);
	free(object);
	truth_add(&slot->freed, size);
}

static void work(struct truth_slot *slot, uint64_t *seed, unsigned steps)
{
	for (unsigned i = 0; i < steps && !truth_get(&truth->lock_up); i++) {
		uint64_t r = stress_random(seed);
		size_t *object = NULL;

		if (r % 3)
			object = take(slot, pick_size(seed));
		give(slot, __atomic_exchange_n(&table[(r >> 8) % TABLE], object,
					       __ATOMIC_ACQ_REL));
	}
}

/* The child keeps no books: it is another process. */
static void child_work(uint64_t seed)
{
	static const struct timespec two_ms = {0, 2000000};

	alarm(60);
	for (unsigned i = 0; i < 200; i++) {
		unsigned k = (unsigned)(stress_random(&seed) % TABLE);

		free(table[k]);
		table[k] = malloc(pick_size(&seed));
	}
	nanosleep(&two_ms, NULL);
	_exit(0);
}

static void fork_once(uint64_t seed)
{
	pid_t child = -1;

	pthread_mutex_lock(&fork_lock);
	if (!truth_get(&truth->lock_up))
		child = fork();
	if (child == 0)
		child_work(seed);
	pthread_mutex_unlock(&fork_lock);
	if (child < 0)
		return;
	__atomic_store_n(&truth->child, (uint64_t)child, __ATOMIC_SEQ_CST);
	waitpid(child, NULL, 0);
	truth_add(&truth->forks, 1);
}

static void load_once(void)
{
	void *handle = dlopen(library, RTLD_NOW);

	if (!handle)
		abort();
	dlclose(handle);
	truth_add(&truth->loads, 1);
}

/* A third of them within the allocator, where one holds the arena's lock. */
static void block(unsigned number)
{
	pthread_mutex_lock(&fork_lock);
	pthread_mutex_unlock(&fork_lock);
	truth_add(&truth->blocked, 1);
	if (number % 3 == 0)
		mallocx((size_t)4 << 20,
			MALLOCX_ARENA(hung_arena) | MALLOCX_TCACHE_NONE);
	pthread_mutex_lock(&never);
	abort();
}

static void *live(void *argument)
{
	static uint64_t count;
	unsigned number = (unsigned)(uintptr_t)argument;
	uint64_t seed = __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);

	work(&truth->slots[number], &seed,
	     200 + (unsigned)(stress_random(&seed) % 3000));
	if (truth_get(&truth->lock_up))
		block(number);
	if (number == 0)
		fork_once(seed);
	if (number == 1)
		load_once();
	pthread_mutex_lock(&slots_lock);
	slot_taken[number] = false;
	pthread_mutex_unlock(&slots_lock);
	truth_add(&truth->ended, 1);
	sem_post(&free_slots);
	return NULL;
}

static unsigned take_slot(void)
{
	unsigned i = 0;

	while (sem_wait(&free_slots) != 0)
		;
	pthread_mutex_lock(&slots_lock);
	while (slot_taken[i])
		i++;
	slot_taken[i] = true;
	pthread_mutex_unlock(&slots_lock);
	return i;
}

static void keep_threads(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	for (uint64_t started = 0;; started++) {
		uintptr_t number = take_slot();

		if (started == TRUTH_THREADS)
			truth_add(&truth->ready, 1);
		if (pthread_create(&thread, &attributes, live, (void *)number))
			abort();
	}
}

static void *hang(extent_hooks_t *hooks, void *address, size_t size,
		  size_t alignment, bool *zero, bool *commit, unsigned arena)
{
	(void)hooks, (void)address, (void)size, (void)alignment;
	(void)zero, (void)commit, (void)arena;
	while (true)
		pause();
	return NULL;
}

/* Its page heap's lock is never given back by who first wants pages of it. */
static void make_hung_arena(void)
{
	static extent_hooks_t hooks = {.alloc = hang};
	extent_hooks_t *pointer = &hooks;
	size_t bytes = sizeof(hung_arena);

	if (mallctl("arenas.create", &hung_arena, &bytes, &pointer,
		    sizeof(pointer)))
		abort();
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0)
		return 2;
	library = argv[2];
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (truth == MAP_FAILED || sem_init(&free_slots, 0, TRUTH_THREADS) != 0)
		return 2;
	make_hung_arena();
	pthread_mutex_lock(&never);
	keep_threads();
	return 0;
}
