/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large objects of which hardly anything is touched: replacing them at random
 * does not make their pages resident one after the other; what waits is told
 * all the same, also of a program that changes its ways; zeroed ones are zero.
 */
#include "config.h"

#include "tap/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"

#define SLOTS 32
#define LEAST_BYTES ((size_t)300 << 10)
#define MOST_BYTES ((size_t)3 << 20)
#define ROUNDS 20000
#define FEW_ROUNDS 2000
#define MIB ((size_t)1 << 20)

const char *malloc_conf = "prof:false,dirty_decay_ms:3600000,tcache_max:32768,"
			  "narenas:1";

enum touching {
	ENDS,
	WHOLE,
};

static char *volatile objects[SLOTS];
static uint64_t seed = 42;

static uint64_t next_random(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return seed >> 33;
}

/* Of /proc/self/statm: what is mapped, and what is resident. */
static void read_sizes(size_t *mapped, size_t *resident)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*mapped = *resident = 0;
	if (file && fscanf(file, "%zu %zu", mapped, resident) != 2)
		*mapped = *resident = 0;
	if (file)
		fclose(file);
	*mapped *= page;
	*resident *= page;
}

static size_t resident_bytes(void)
{
	size_t mapped, resident;

	read_sizes(&mapped, &resident);
	return resident;
}

static size_t mapped_bytes(void)
{
	size_t mapped, resident;

	read_sizes(&mapped, &resident);
	return mapped;
}

static size_t get(const char *name)
{
	uint64_t epoch = 1;
	size_t value = 0, length = sizeof(value);

	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	mallctl(name, &value, &length, NULL, 0);
	return value;
}

/* What the allocator says that it has resident, but for its metadata. */
static size_t told_bytes(void)
{
	return (get("stats.arenas.0.pactive") + get("stats.arenas.0.pdirty")) *
	       (size_t)sysconf(_SC_PAGESIZE);
}

static void purge(void)
{
	mallctl("arena.0.purge", NULL, NULL, NULL, 0);
}

static void replace(unsigned rounds, enum touching touching)
{
	while (rounds--) {
		char *volatile *object = &objects[next_random() % SLOTS];
		size_t bytes = LEAST_BYTES +
			       next_random() % (MOST_BYTES - LEAST_BYTES);

		free(*object);
		*object = malloc(bytes);
		if (!*object)
			continue;
		if (touching == WHOLE)
			memset(*object, 1, bytes);
		(*object)[0] = (*object)[bytes - 1] = 1;
	}
}

static void free_all(void)
{
	unsigned i;

	for (i = 0; i < SLOTS; i++) {
		free(objects[i]);
		objects[i] = NULL;
	}
}

static void test_ends(size_t before)
{
	size_t live, grown;

	replace(ROUNDS, ENDS);
	live = get("stats.active");
	grown = resident_bytes() - before;
	ok(live > 20 * MIB, "%zu bytes are in use", live);
	ok(grown < live / 2, "and %zu resident", grown);
	free_all();
	ok(get("stats.arenas.0.pdirty") > 0, "what is resident waits");
	ok(told_bytes() < grown + 8 * MIB, "and is not told to be more: %zu",
	   told_bytes());
	purge();
	is_uint(get("stats.arenas.0.pdirty"), 0, "it goes with all that waits");
	is_uint(get("stats.mapped"), get("stats.active"), "and is retained");
}

/* What is resident and not told is bounded while the program changes. */
static void test_whole(size_t before)
{
	replace(FEW_ROUNDS, ENDS);
	replace(FEW_ROUNDS, WHOLE);
	free_all();
	ok(resident_bytes() - before < told_bytes() + 8 * MIB,
	   "objects that are filled are told: %zu of %zu", told_bytes(),
	   resident_bytes() - before);
	purge();
	ok(resident_bytes() - before < 8 * MIB, "and go");
}

/* Of the largest, each that is filled is seen when it is freed. */
static void test_largest(size_t before)
{
	char *volatile largest[4];
	unsigned round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 4; i++) {
			largest[i] = malloc(16 * MIB);
			largest[i][0] = 1;
			if (round == 19)
				memset(largest[i], 1, 16 * MIB);
		}
		for (i = 0; i < 4; i++)
			free(largest[i]);
	}
	ok(resident_bytes() - before < told_bytes() + 8 * MIB,
	   "large ones, once filled, are told: %zu of %zu", told_bytes(),
	   resident_bytes() - before);
	purge();
}

static bool is_zero(const char *object, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		if (object[i])
			return false;
	return true;
}

static void test_zeroed(void)
{
	unsigned i, wrong = 0;

	for (i = 0; i < FEW_ROUNDS; i++) {
		size_t bytes = MIB + next_random() % (MIB / 8);
		char *volatile object = malloc(bytes);

		if (object)
			object[0] = object[bytes / 2] = object[bytes - 1] = 1;
		free(object);
		if (i % 64)
			continue;
		object = calloc(1, bytes);
		wrong += object && !is_zero(object, bytes);
		free(object);
	}
	is_uint(wrong, 0, "zeroed objects are zero");
}

static void *zeroed(size_t bytes)
{
	return calloc(1, bytes);
}

static void *aligned(size_t bytes)
{
	return aligned_alloc(64 << 10, bytes & -(size_t)(64 << 10));
}

/* They serve requests of their kind, so that address space is not used up. */
static void test_reused(void *(*make)(size_t), const char *what)
{
	size_t before = mapped_bytes(), i;

	for (i = 0; i < FEW_ROUNDS; i++) {
		char *volatile object =
			make(MIB + next_random() % 4 * (64 << 10));

		object[0] = object[MIB - 1] = 1;
		free(object);
	}
	ok(mapped_bytes() < before + 128 * MIB, "%s are reused", what);
}

/* What another arena keeps is told, too, once a size is known to be filled. */
static void test_other_arena(void)
{
	unsigned arena[2], i, j;
	size_t length = sizeof(arena[0]), before, told;
	char *volatile filled[2][8];
	char name[64];

	purge();
	before = resident_bytes();
	for (i = 0; i < 2; i++)
		if (mallctl("arenas.create", &arena[i], &length, NULL, 0))
			return;
	for (i = 0; i < 400; i++) {
		unsigned flags =
			MALLOCX_ARENA(arena[i % 2]) | MALLOCX_TCACHE_NONE;
		char *volatile object = mallocx(2 * MIB, flags);

		object[0] = 1;
		dallocx(object, flags);
	}
	for (i = 0; i < 2; i++)
		for (j = 0; j < 8; j++) {
			filled[i][j] =
				mallocx(2 * MIB, MALLOCX_ARENA(arena[i]) |
							 MALLOCX_TCACHE_NONE);
			memset(filled[i][j], 1, 2 * MIB);
		}
	for (i = 0; i < 2; i++)
		for (j = 0; j < 8; j++)
			dallocx(filled[i][j], MALLOCX_TCACHE_NONE);
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "arena.%u.decay", arena[i]);
		mallctl(name, NULL, NULL, NULL, 0);
	}
	told = get("stats.active");
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "stats.arenas.%u.pdirty",
			 arena[i]);
		told += get(name) * (size_t)sysconf(_SC_PAGESIZE);
	}
	ok(resident_bytes() - before < told + 4 * MIB,
	   "in each arena is told what is resident: %zu of %zu", told,
	   resident_bytes() - before);
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "arena.%u.destroy", arena[i]);
		mallctl(name, NULL, NULL, NULL, 0);
	}
}

/* What was never resident does not become muzzy either. */
static void test_muzzy(void)
{
	ssize_t long_ms = 3600000, short_ms = 1;
	struct timespec while_ms = {0, 20000000};

	replace(FEW_ROUNDS, ENDS);
	free_all();
	mallctl("arena.0.muzzy_decay_ms", NULL, NULL, &long_ms,
		sizeof(long_ms));
	mallctl("arena.0.dirty_decay_ms", NULL, NULL, &short_ms,
		sizeof(short_ms));
	nanosleep(&while_ms, NULL);
	mallctl("arena.0.decay", NULL, NULL, NULL, 0);
	is_uint(get("stats.arenas.0.pdirty"), 0, "all go by the clock");
	ok(get("stats.arenas.0.pmuzzy") < 20000, "and hardly any is muzzy: %zu",
	   get("stats.arenas.0.pmuzzy"));
	mallctl("arena.0.dirty_decay_ms", NULL, NULL, &long_ms,
		sizeof(long_ms));
}

static void test_at_once(void)
{
	ssize_t ms = 0;

	replace(FEW_ROUNDS, ENDS);
	mallctl("arena.0.dirty_decay_ms", NULL, NULL, &ms, sizeof(ms));
	free_all();
	is_uint(get("stats.arenas.0.pdirty"), 0,
		"nothing is kept where nothing may wait");
}

/* In a child: a limit that the process sets on its address space. */
static void test_limited(void)
{
	struct rlimit limit = {(rlim_t)1 << 45, (rlim_t)1 << 45};
	int status = 1;
	pid_t child = fork();

	if (!child) {
		replace(FEW_ROUNDS, ENDS);
		if (!heap_arena(0)->pages.sparse.bytes ||
		    setrlimit(RLIMIT_AS, &limit))
			_exit(1);
		/* An emulator may take the limit and not heed it. */
		if (!os_address_space_is_limited())
			_exit(77);
		replace(FEW_ROUNDS, ENDS);
		free_all();
		_exit(heap_arena(0)->pages.sparse.bytes ? 2 : 0);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip("none is kept where address space is limited",
		     "it cannot be limited here");
	else
		is_int(status, 0,
		       "none is kept where address space is limited");
}

int main(void)
{
	size_t before;

	plan(17);
	free(malloc(MOST_BYTES));
	purge();
	before = resident_bytes();
	test_ends(before);
	test_whole(before);
	test_largest(before);
	test_zeroed();
	test_reused(zeroed, "zeroed objects");
	test_reused(aligned, "aligned ones");
	test_other_arena();
	test_limited();
	test_muzzy();
	test_at_once();
	return done_testing();
}
