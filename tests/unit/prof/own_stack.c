/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which stack is the thread's own: what the C library gave it, as it says
 * itself, or what the kernel gave the first one; not what merely lies below it,
 * such as a coroutine's, of which parts may go while samples are taken there.
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "liballoc/prof/unwind/unwind.h"
#include "tap/tap.h"
#include "unit/prof/other_stack.h"

#define ROOM ((size_t)128 << 10)
#define FRAME ((size_t)9 << 10)
#define STACK ((size_t)1 << 20)

const char *malloc_conf = "lg_prof_sample:0";

static __thread struct own_stack own;
static bool was_own;
static char *room; /* for a coroutine */

static __attribute__((noinline)) bool is_own(void)
{
	struct unwind unwind;

	unwind_start(&unwind, &own);
	return unwind.memory.own;
}

static bool covers(const void *address)
{
	return (uintptr_t)address >= own.known.low &&
	       (uintptr_t)address < own.known.high;
}

static void look(void)
{
	was_own = is_own();
}

static char *map_room(void *at, size_t bytes)
{
	char *memory = mmap(at, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS |
				    (at ? MAP_FIXED_NOREPLACE : 0),
			    -1, 0);

	if (memory == MAP_FAILED || (at && memory != at)) {
		tap_line("# cannot map %p\n", at);
		_exit(99);
	}
	return memory;
}

static uintptr_t frames[8]; /* where the last recursion had its frames */

/* Frames of one size, each above FRAME, and samples in the innermost. */
static __attribute__((noinline)) void deep(unsigned depth)
{
	volatile char taken[FRAME];

	taken[0] = (char)depth;
	frames[depth] = (uintptr_t)taken;
	if (depth > 0)
		deep(depth - 1);
	else
		for (unsigned i = 0; i < 8; i++) {
			void *volatile object = malloc(100);

			free(object);
		}
	taken[1] = taken[0];
}

static void three_deep(void)
{
	deep(3);
}

static void one_deep(void)
{
	deep(1);
}

/*
 * The same innermost frame at the same place, on a stack that ended further up
 * before, where there is nothing now.
 */
static void check_other_end(void)
{
	uintptr_t innermost;
	size_t less;

	call_on(room + ROOM, three_deep);
	innermost = frames[0];
	less = frames[2] - frames[0];
	munmap(room, ROOM);
	map_room(room, ROOM - less);
	call_on(room + ROOM - less, one_deep);
	ok(frames[0] == innermost, "samples at one place on two stacks");
	munmap(room, ROOM - less);
}

static void *in_thread(void *unused)
{
	pthread_attr_t attr;
	size_t bytes, guard;
	void *lowest;
	char local;

	(void)unused;
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &lowest, &bytes);
	pthread_attr_getguardsize(&attr, &guard);
	pthread_attr_destroy(&attr);
	ok(is_own() && covers(&local), "a thread's stack is its own");
	ok((uintptr_t)lowest - own.base <= guard &&
		   own.known.high == (uintptr_t)lowest + bytes,
	   "and is what pthread_getattr_np says");
	run_on(room, ROOM, look);
	ok(!was_own, "what lies right below it is not");
	ok(is_own() && own.known.low > (uintptr_t)room + ROOM,
	   "nor has it grown by that");
	check_other_end();
	return NULL;
}

/* No gap lies between its stack and the room. */
static void check_thread(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	room = map_room(NULL, ROOM + STACK);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, room + ROOM, STACK);
	if (pthread_create(&thread, &attr, in_thread, NULL) == 0)
		pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	munmap(room + ROOM, STACK);
}

static __attribute__((noinline)) bool is_own_deep_down(unsigned depth)
{
	volatile char taken[1024];
	char local;
	bool owned;

	taken[0] = (char)depth;
	if (depth > 0)
		owned = is_own_deep_down(depth - 1);
	else
		owned = is_own() && covers(&local);
	taken[1] = taken[0];
	return owned;
}

/* Does the kernel tell what may be read? Another one may stand between. */
static bool is_told(void)
{
	struct unwind_memory memory = {.page_count = 0};
	char *gone = map_room(NULL, ROOM);
	uint64_t word, here = 0;

	munmap(gone, ROOM);
	return unwind_read(&memory, (uintptr_t)&here, &word, sizeof(word)) &&
	       !unwind_read(&memory, (uintptr_t)gone, &word, sizeof(word));
}

static void check_first(void)
{
	bool owned = is_own();
	char local;

	if (!is_told()) {
		skip("the first thread's stack is its own",
		     "the kernel does not tell what may be read");
		skip("however deep", "the same");
		skip("a coroutine's is not", "the same");
		return;
	}
	ok(owned && covers(&local) && own.base == 0,
	   "the first thread's stack is its own");
	ok(is_own_deep_down(5000), "however deep");
	room = map_room(NULL, ROOM);
	run_on(room, ROOM, look);
	ok(!was_own && is_own(), "a coroutine's is not");
	munmap(room, ROOM);
}

int main(void)
{
	plan(8);
	check_first();
	check_thread();
	return done_testing();
}
