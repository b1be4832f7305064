/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uses the profiler as a program would: exercise WHAT [PATH]. Says what went
 * wrong, and exits with 1, where the profiler's answers are not the ones due.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <liballoc/liballoc.h>

#include "churn.h"

#define OBJECTS 1000

static void *kept[OBJECTS];

static int fail(const char *what)
{
	fprintf(stderr, "exercise: %s\n", what);
	return 1;
}

static int dump(const char *path)
{
	return mallctl("prof.dump", NULL, NULL, path ? &path : NULL,
		       path ? sizeof(path) : 0);
}

__attribute__((noinline)) void keep(size_t bytes)
{
	for (unsigned i = 0; i < OBJECTS; i++)
		kept[i] = malloc(bytes);
}

__attribute__((noinline)) void drop(void)
{
	for (unsigned i = 0; i < OBJECTS; i++)
		free(kept[i]);
}

static bool set_name(const char *name)
{
	return mallctl("thread.prof.name", NULL, NULL, &name, sizeof(name)) ==
	       0;
}

static bool set_switch(const char *which, bool on)
{
	return mallctl(which, NULL, NULL, &on, sizeof(on)) == 0;
}

static int plain(const char *path)
{
	if (!set_name("main thread") || set_name("tab\nnewline"))
		return fail("thread.prof.name");
	keep(2000);
	keep(1000);
	drop();
	keep(1000);
	return dump(path) != 0;
}

/* Nothing sampled while inactive, nor before a reset, is in the dump. */
static int switches(const char *path)
{
	size_t lg_sample = 0;

	keep(3000);
	if (mallctl("prof.reset", NULL, NULL, &lg_sample, sizeof(lg_sample)))
		return fail("prof.reset");
	set_switch("prof.active", false);
	keep(4000);
	set_switch("prof.active", true);
	set_switch("thread.prof.active", false);
	keep(5000);
	set_switch("thread.prof.active", true);
	keep(1000);
	return dump(path) != 0;
}

static int forked(const char *path)
{
	int status = 1;

	keep(1000);
	if (fork() == 0) {
		drop();
		keep(3000);
		_exit(dump(path) != 0);
	}
	wait(&status);
	return status != 0;
}

static void *short_lived(void *arg)
{
	void *volatile p = malloc(100);

	free(p);
	if ((unsigned long)arg % 100 == 0)
		p = malloc(100);
	return NULL;
}

static int threads(const char *path)
{
	pthread_t thread;

	for (unsigned long i = 0; i < 12000; i++)
		if (pthread_create(&thread, NULL, short_lived, (void *)i) ||
		    pthread_join(thread, NULL))
			return fail("threads");
	return dump(path) != 0;
}

/* Dumps, resets and forks while four threads allocate. */
static int storm(const char *path)
{
	size_t lg_sample = 10;
	int status;

	churn_start();
	for (unsigned i = 0; i < 20; i++) {
		if (dump(path))
			return fail("dump");
		mallctl("prof.reset", NULL, NULL, &lg_sample,
			sizeof(lg_sample));
		if (fork() == 0) {
			keep(100);
			drop();
			_exit(dump(path) != 0);
		}
		wait(&status);
		if (status != 0)
			return fail("the child");
	}
	churn_stop();
	return 0;
}

static int named(const char *path)
{
	const char *prefix = path;

	if (mallctl("prof.prefix", NULL, NULL, &prefix, sizeof(prefix)))
		return fail("prof.prefix");
	keep(100000);
	return dump(NULL) != 0;
}

/* As the system names it, but for what would end a line. */
static int system_name(const char *path)
{
	const char *own = "own", *name = NULL;
	size_t size = sizeof(name);

	if (mallctl("thread.prof.name", NULL, NULL, &own, sizeof(own)) !=
	    ENOENT)
		return fail("a name of its own");
	prctl(PR_SET_NAME, "re\nnamed \xc3\xbc");
	keep(1000);
	if (mallctl("thread.prof.name", &name, &size, NULL, 0) ||
	    strcmp(name, "re?named \xc3\xbc"))
		return fail("the system's name");
	return dump(path) != 0;
}

static void *drop_some(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 600; i++)
		free(kept[i]);
	return NULL;
}

/* Another thread frees 600 of the objects, this one 200. */
static int frees(const char *path)
{
	pthread_t thread;

	keep(1000);
	if (pthread_create(&thread, NULL, drop_some, NULL) ||
	    pthread_join(thread, NULL))
		return fail("threads");
	for (unsigned i = 600; i < 800; i++)
		free(kept[i]);
	return dump(path) != 0;
}

/* Sizes of one large class: 65, 65 and 80 pages, of which one is freed. */
static int sizes(const char *path)
{
	kept[0] = malloc(65 * 4096);
	kept[1] = malloc(65 * 4096);
	kept[2] = malloc(80 * 4096);
	free(kept[1]);
	return dump(path) != 0;
}

/* A dump that fails is an error to its caller alone. */
static int failing(const char *path)
{
	errno = 77;
	if (dump(path) != EFAULT || errno != 77)
		return fail("a failed dump");
	puts("going on");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const char *path);
	} table[] = {
		{"plain", plain},     {"switches", switches},
		{"forked", forked},   {"threads", threads},
		{"storm", storm},     {"named", named},
		{"failing", failing}, {"frees", frees},
		{"sizes", sizes},     {"system_name", system_name},
	};

	for (unsigned i = 0; argc == 3 && i < sizeof(table) / sizeof(*table);
	     i++)
		if (strcmp(argv[1], table[i].name) == 0)
			return table[i].run(argv[2]);
	return 2;
}
