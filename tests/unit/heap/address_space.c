/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A limit on the address space, smaller than what the class map takes of it:
 * set while the program runs, and from its start.
 */
#include "config.h"

#include "tap/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/heap/page_map.h"

#define LIMIT_BYTES ((rlim_t)4 << 30)
#define BIG_BYTES ((size_t)1 << 30)
#define MANY 20000

static void *objects[MANY];

static bool make(unsigned first, unsigned last, size_t bytes)
{
	unsigned i;

	for (i = first; i < last; i++) {
		objects[i] = malloc(bytes);
		if (!objects[i])
			return false;
		memset(objects[i], (int)i, bytes);
	}
	return true;
}

static bool whole(size_t bytes)
{
	unsigned i;

	for (i = 0; i < MANY; i++) {
		const unsigned char *object = objects[i];

		if (object[0] != (unsigned char)i ||
		    object[bytes - 1] != (unsigned char)i)
			return false;
		free(objects[i]);
	}
	return true;
}

static void *volatile big;

/* From the start, in a program that this one runs; its exit status. */
static int limited(void)
{
	big = malloc(BIG_BYTES);
	if (!big || page_class_pages)
		return 1;
	free(big);
	return make(0, MANY, 100) && whole(100) ? 0 : 2;
}

static int run_limited(void)
{
	char name[] = "limited", *arguments[] = {name, name, NULL};
	int status = -1;
	pid_t child = fork();

	if (!child) {
		execv("/proc/self/exe", arguments);
		_exit(3);
	}
	waitpid(child, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	struct rlimit limit = {LIMIT_BYTES, RLIM_INFINITY};

	(void)argv;
	if (argc > 1)
		return limited();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return skip_all("sanitizers need more address space");
#endif
#if !defined(__x86_64__)
	return skip_all("an emulator has the limit on its own space");
#endif
	plan(4);
	make(0, MANY / 2, 100);
	setrlimit(RLIMIT_AS, &limit);
	big = malloc(BIG_BYTES);
	ok(big != NULL, "a limit below the class map leaves room for malloc");
	ok(!page_class_pages, "which gives the map up");
	free(big);
	ok(make(MANY / 2, MANY, 100) && whole(100),
	   "objects of before and after are freed");
	is_uint((unsigned)run_limited(), 0,
		"begun with the limit, a program has no map, and works");
	return done_testing();
}
