/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What threads keep of created arenas: what it saves, what the figures say of
 * it, and that nothing of it is handed out once the arena was reset.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/arena_cache.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

/* A sample would take a lock. */
const char *malloc_conf = "prof:false";

#define OBJECTS 64
#define BYTES ((size_t)96)

static void *was_kept;

static struct arena *create(void)
{
	return heap_arena(heap_arena_create(NULL));
}

static int flags_of(const struct arena *arena)
{
	return MALLOCX_ARENA(arena->index);
}

/* Allocates and frees as many objects as go to no more than one slab. */
static void use(struct arena *arena, size_t bytes)
{
	void *objects[OBJECTS];
	unsigned i;

	for (i = 0; i < OBJECTS; i++)
		objects[i] = mallocx(bytes, flags_of(arena));
	for (i = 0; i < OBJECTS; i++)
		dallocx(objects[i], flags_of(arena));
}

static uint64_t allocated(const struct arena *arena)
{
	return ledger_get(&arena->stats->small_allocated);
}

static uint64_t kept(const struct arena *arena)
{
	return ledger_get(&arena->stats->tcache_bytes);
}

static struct bin *bin_of(struct arena *arena, size_t bytes)
{
	return arena_bin(arena, size_class_of(bytes));
}

static void keeps(void)
{
	struct arena *arena = create();
	struct bin *bin = bin_of(arena, BYTES);
	uint64_t locked;
	void *object;
	unsigned i;

	use(arena, BYTES);
	locked = bin->lock.stats.ops;
	object = mallocx(BYTES, flags_of(arena));
	dallocx(object, flags_of(arena));
	ok(mallocx(BYTES, flags_of(arena)) == object,
	   "what was freed last is handed out next");
	free(object);
	for (i = 0; i < 1000; i++)
		free(mallocx(BYTES, flags_of(arena)));
	is_uint(bin->lock.stats.ops - locked, 0, "and no lock is taken");
	heap_publish();
	ok(kept(arena) > 0, "what is kept is told of");
	is_uint(kept(arena), allocated(arena), "and is all there is");
	is_uint(bin->stats->nrequests, OBJECTS + 1002,
		"each request counts, whoever served it");
	locked = bin->lock.stats.ops;
	for (i = 0; i < 10; i++) {
		object = mallocx(BYTES, flags_of(arena) | MALLOCX_TCACHE_NONE);
		dallocx(object, MALLOCX_TCACHE_NONE);
	}
	is_uint(bin->lock.stats.ops - locked, 20,
		"MALLOCX_TCACHE_NONE goes past it");
	heap_thread_flush(thread_get());
	is_uint(kept(arena), 0, "a flush leaves nothing");
	is_uint(allocated(arena), 0, "and nothing allocated");
	ok(heap_arena_destroy(arena), "the arena goes");
}

static void is_bounded(void)
{
	struct arena *arena = create();
	void **objects = malloc(4096 * sizeof(*objects));
	unsigned i;

	for (i = 0; i < 4096; i++)
		objects[i] = mallocx(BYTES, flags_of(arena));
	for (i = 0; i < 4096; i++)
		free(objects[i]);
	free(objects);
	heap_publish();
	ok(kept(arena) <= BIN_KEPT_MAX * BYTES,
	   "no more is kept of a class than a few objects");
	ok(allocated(arena) == kept(arena), "and the rest is given back");
	use(arena, 8 << 10);
	heap_publish();
	ok(kept(arena) <= BIN_KEPT_MAX * BYTES, "of large ones none");
	heap_arena_destroy(arena);
}

static void turns_off(void)
{
	struct arena *arena = create();

	use(arena, BYTES);
	heap_thread_enable_cache(thread_get(), false);
	is_uint(allocated(arena), 0, "a thread without a cache keeps nothing");
	use(arena, BYTES);
	is_uint(allocated(arena), 0, "and comes to keep nothing");
	heap_thread_enable_cache(thread_get(), true);
	use(arena, BYTES);
	ok(allocated(arena) > 0, "until it has one again");
	heap_arena_destroy(arena);
}

static void heeds_the_bound(void)
{
	struct arena *arena = create();
	size_t most = heap_thread_cache_max(thread_get());

	heap_thread_set_cache_max(thread_get(), 64);
	use(arena, BYTES);
	is_uint(allocated(arena), 0, "nothing is kept above thread.tcache.max");
	use(arena, 64);
	ok(allocated(arena) > 0, "but below");
	heap_thread_set_cache_max(thread_get(), most);
	heap_arena_destroy(arena);
}

static void *use_large(void *arena)
{
	use(arena, 8 << 10);
	was_kept = thread_get()->arena_cache;
	return NULL;
}

static void is_made_late(void)
{
	struct arena *arena = create();
	pthread_t thread;

	was_kept = arena;
	pthread_create(&thread, NULL, use_large, arena);
	pthread_join(thread, NULL);
	ok(!was_kept, "a thread of large objects alone has no place for any");
	heap_arena_destroy(arena);
}

/* In a child, which ends by SIGABRT. */
static void finds_double_frees(void)
{
	struct arena *arena = create();
	struct bin *bin = bin_of(arena, BYTES);
	void *first = mallocx(BYTES, flags_of(arena));
	void *second = mallocx(BYTES, flags_of(arena));
	int status = -1;
	pid_t child;

	free(first);
	free(second);
	child = fork();
	if (child == 0) {
		close(STDERR_FILENO);
		arena_cache_give(&thread_get()->arena_cache, bin, first);
		_exit(0);
	}
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
	   "what is kept already is found, though not the newest");
	heap_arena_destroy(arena);
}

/* More bins than there are places. */
static void shares_places(void)
{
	struct arena *arenas[8];
	uint64_t left = 0;
	unsigned i, bytes;

	for (i = 0; i < 8; i++)
		arenas[i] = create();
	for (bytes = 16; bytes <= 1024; bytes += 16)
		for (i = 0; i < 8; i++)
			use(arenas[i], bytes);
	heap_thread_flush(thread_get());
	for (i = 0; i < 8; i++) {
		left += allocated(arenas[i]) + kept(arenas[i]);
		heap_arena_destroy(arenas[i]);
	}
	is_uint(left, 0, "places that bins share lose nothing");
}

/* Keeps some of the arena, and goes on when it was reset, and again. */
struct keeper {
	struct arena *arena;
	pthread_barrier_t barrier;
	unsigned doubles;
};

/* A thread that runs main, and meets this one at the barrier. */
static pthread_t start(struct keeper *keeper, void *(*main)(void *))
{
	pthread_t thread;

	pthread_barrier_init(&keeper->barrier, NULL, 2);
	pthread_create(&thread, NULL, main, keeper);
	return thread;
}

/* Objects that are handed out twice. */
static unsigned handed_out_twice(struct arena *arena)
{
	unsigned char *objects[OBJECTS];
	unsigned i, twice = 0;

	for (i = 0; i < OBJECTS; i++) {
		objects[i] = mallocx(BYTES, flags_of(arena));
		memset(objects[i], (int)i, BYTES);
	}
	for (i = 0; i < OBJECTS; i++) {
		twice += objects[i][0] != i || objects[i][BYTES - 1] != i;
		free(objects[i]);
	}
	return twice;
}

static void *keep(void *pointer)
{
	struct keeper *keeper = pointer;

	use(keeper->arena, BYTES);
	pthread_barrier_wait(&keeper->barrier);
	/* It is reset. */
	pthread_barrier_wait(&keeper->barrier);
	keeper->doubles = handed_out_twice(keeper->arena);
	pthread_barrier_wait(&keeper->barrier);
	/* It is destroyed, and its index used anew. */
	pthread_barrier_wait(&keeper->barrier);
	was_kept = malloc(1);
	return NULL;
}

/* Those that were destroyed before come first. */
static bool is_made_anew(const struct arena *arena)
{
	for (unsigned i = 0; i < 100; i++)
		if (create() == arena)
			return true;
	return false;
}

static void survives_reset(void)
{
	struct keeper keeper = {.arena = create()};
	struct arena *arena = keeper.arena;
	pthread_t thread = start(&keeper, keep);
	unsigned own;

	pthread_barrier_wait(&keeper.barrier);
	use(arena, BYTES);
	ok(allocated(arena) > 0, "two threads keep some");
	heap_arena_reset(arena);
	is_uint(allocated(arena), 0, "a reset leaves nothing allocated");
	is_uint(kept(arena), 0, "or kept");
	own = handed_out_twice(arena);
	pthread_barrier_wait(&keeper.barrier);
	pthread_barrier_wait(&keeper.barrier);
	is_uint(own + keeper.doubles, 0,
		"and nothing kept is handed out after it");
	ok(heap_arena_destroy(arena), "it is destroyed");
	ok(is_made_anew(arena), "and made anew");
	is_uint(handed_out_twice(arena), 0, "what it hands out is its own");
	heap_thread_flush(thread_get());
	is_uint(allocated(arena), 0, "and all of that is given back");
	pthread_barrier_wait(&keeper.barrier);
	pthread_join(thread, NULL);
	is_uint(allocated(arena), 0,
		"a thread's end gives nothing of the old one to the new");
	is_uint(kept(arena), 0, "nor tells of it");
	free(was_kept);
	heap_arena_destroy(arena);
}

static void counts_requests(void)
{
	struct arena *arena = create();

	use(arena, BYTES);
	free(mallocx(BYTES, flags_of(arena)));
	heap_arena_reset(arena);
	is_uint(bin_of(arena, BYTES)->stats->nrequests, OBJECTS + 1,
		"a reset loses no request of the thread that resets");
	heap_arena_destroy(arena);
}

#define ROUNDS 2000

/* So that some slabs empty. */
static const size_t raced[] = {BYTES, 2048, 4096};

static void use_some(struct arena *arena)
{
	for (unsigned i = 0; i < sizeof(raced) / sizeof(raced[0]); i++)
		use(arena, raced[i]);
}

static void *flush_meanwhile(void *pointer)
{
	struct keeper *keeper = pointer;

	for (unsigned i = 0; i < ROUNDS; i++) {
		use_some(keeper->arena);
		pthread_barrier_wait(&keeper->barrier);
		heap_thread_flush(thread_get());
		pthread_barrier_wait(&keeper->barrier);
		/* It is looked at. */
		pthread_barrier_wait(&keeper->barrier);
	}
	return NULL;
}

/* A thread may give back what it keeps just when the arena goes. */
static void races(void)
{
	struct keeper keeper = {.arena = create()};
	struct arena *arena = keeper.arena;
	pthread_t thread = start(&keeper, flush_meanwhile);
	uint64_t left = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		use_some(arena);
		pthread_barrier_wait(&keeper.barrier);
		if (i % 2)
			heap_arena_reset(arena);
		else
			heap_arena_destroy(arena);
		pthread_barrier_wait(&keeper.barrier);
		left += allocated(arena) | kept(arena);
		left += !(i % 2) && ledger_get(&arena->stats->mapped);
		if (!(i % 2) && !is_made_anew(arena))
			abort(); /* the other thread waits for it */
		pthread_barrier_wait(&keeper.barrier);
	}
	pthread_join(thread, NULL);
	is_uint(left, 0, "a flush while the arena goes leaves nothing");
	heap_arena_destroy(arena);
}

static void *use_and_end(void *pointer)
{
	use(pointer, BYTES);
	return NULL;
}

static void ends_with_the_thread(void)
{
	struct arena *arena = create();
	pthread_t thread;

	pthread_create(&thread, NULL, use_and_end, arena);
	pthread_join(thread, NULL);
	is_uint(allocated(arena), 0, "a thread that ends keeps nothing");
	is_uint(kept(arena), 0, "and tells so");
	heap_arena_destroy(arena);
}

static void *wait_with_some(void *pointer)
{
	struct keeper *keeper = pointer;

	use(keeper->arena, BYTES);
	pthread_barrier_wait(&keeper->barrier);
	pthread_barrier_wait(&keeper->barrier);
	return NULL;
}

static void forks(void)
{
	struct keeper keeper = {.arena = create()};
	struct arena *arena = keeper.arena;
	int status = -1;
	pthread_t thread = start(&keeper, wait_with_some);
	uint64_t both;
	pid_t child;

	pthread_barrier_wait(&keeper.barrier);
	use(arena, BYTES);
	heap_publish();
	both = kept(arena);
	child = fork();
	if (child == 0) {
		bool less = kept(arena) < both && kept(arena) > 0;

		heap_thread_flush(thread_get());
		_exit(!less || kept(arena) || handed_out_twice(arena));
	}
	waitpid(child, &status, 0);
	is_int(status, 0, "a child keeps what its own thread kept");
	pthread_barrier_wait(&keeper.barrier);
	pthread_join(thread, NULL);
	heap_thread_flush(thread_get());
	is_uint(allocated(arena), 0, "and the parent all of it");
	heap_arena_destroy(arena);
}

int main(void)
{
	free(malloc(1));
	plan(36);
	keeps();
	is_bounded();
	turns_off();
	heeds_the_bound();
	is_made_late();
	finds_double_frees();
	shares_places();
	survives_reset();
	counts_requests();
	races();
	ends_with_the_thread();
	forks();
	return done_testing();
}
