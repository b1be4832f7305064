/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program on the C library's malloc that opens liballoc as a private
 * library, uses it beside, on several threads, and opens others meanwhile.
 */
#include "tap/tap.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

static void *(*other_malloc)(size_t);
static void (*other_free)(void *);
static unsigned bad;

static void *use_both(void *unused)
{
	void *ours[100], *theirs[100];
	unsigned round, i;

	for (round = 0; round < 100; round++) {
		for (i = 0; i < 100; i++) {
			ours[i] = other_malloc(i * 50 + 1);
			theirs[i] = malloc(i * 50 + 1);
			memset(ours[i], 1, i * 50 + 1);
			memset(theirs[i], 2, i * 50 + 1);
		}
		for (i = 0; i < 100; i++) {
			if (*(char *)ours[i] != 1 || *(char *)theirs[i] != 2)
				__atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
			other_free(ours[i]);
			free(theirs[i]);
		}
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[4];
	void *library;
	unsigned i;

	plan(4);
	library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!ok(library != NULL, "liballoc can be opened"))
		tap_line("# %s\n", dlerror());
	if (!library)
		return 1;
	*(void **)&other_malloc = dlsym(library, "malloc");
	*(void **)&other_free = dlsym(library, "free");
	ok(other_malloc && other_malloc != malloc, "its malloc is another");
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use_both, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	is_uint(bad, 0, "both allocators keep what they hold");
	ok(dlclose(library) == 0, "and it can be closed");
	return done_testing();
}
