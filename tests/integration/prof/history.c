/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps a log and recent allocations as a program would: history WHAT PATH.
 * Says what went wrong, and exits with 1, where an answer is not the one due.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <liballoc/liballoc.h>

#include "churn.h"

static int fail(const char *what)
{
	fprintf(stderr, "history: %s\n", what);
	return 1;
}

static void set_name(const char *name)
{
	mallctl("thread.prof.name", NULL, NULL, &name, sizeof(name));
}

__attribute__((noinline)) void *make(size_t bytes)
{
	void *ptr = malloc(bytes);

	__asm__ volatile("" : : "r"(ptr) : "memory");
	return ptr;
}

__attribute__((noinline)) void drop(void *ptr)
{
	free(ptr);
	__asm__ volatile("" : : : "memory");
}

static void *drop_elsewhere(void *ptr)
{
	set_name("bob \"the\" other");
	drop(ptr);
	return NULL;
}

static void free_elsewhere(void *ptr)
{
	pthread_t thread;

	pthread_create(&thread, NULL, drop_elsewhere, ptr);
	pthread_join(thread, NULL);
}

static int log_start(const char *path)
{
	return mallctl("prof.log_start", NULL, NULL, path ? &path : NULL,
		       path ? sizeof(path) : 0);
}

static int log_stop(void)
{
	return mallctl("prof.log_stop", NULL, NULL, NULL, 0);
}

static int logged(const char *path)
{
	char long_path[4096];
	void *kept;

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	if (log_stop() != EFAULT)
		return fail("a log was stopped that was not there");
	if (log_start(long_path) != EFAULT)
		return fail("a name without end was taken");
	set_name("alice");
	kept = make(3000);
	if (log_start(path) || log_start(path) != EFAULT)
		return fail("prof.log_start");
	drop(make(1000));
	free_elsewhere(make(2000));
	if (log_stop() || log_stop() != EFAULT)
		return fail("prof.log_stop");
	drop(kept);
	return 0;
}

/* More than the log has room for. */
static int bounded(const char *path)
{
	if (log_start(path))
		return fail("prof.log_start");
	for (unsigned i = 0; i < 40000; i++)
		drop(make(100));
	return log_stop();
}

/* What was logged before is forgotten, what comes after is not. */
static int reset(const char *path)
{
	size_t lg_sample = 0;

	if (log_start(path))
		return fail("prof.log_start");
	drop(make(1000));
	mallctl("prof.reset", NULL, NULL, &lg_sample, sizeof(lg_sample));
	drop(make(2000));
	return log_stop();
}

static int forked(const char *path)
{
	int status = 1;

	if (log_start(path))
		return fail("prof.log_start");
	drop(make(1000));
	if (fork() == 0)
		_exit(log_stop() != EFAULT);
	wait(&status);
	if (status != 0)
		return fail("the child has a log");
	return log_stop();
}

/* With prof_log both write one at exit. */
static int automatic(const char *path)
{
	(void)path;
	drop(make(1000));
	if (fork() == 0) {
		drop(make(2000));
		exit(0);
	}
	wait(NULL);
	return 0;
}

struct target {
	void (*write)(void *opaque, const char *text);
	void *opaque;
};

static int dump_recent(void (*write)(void *, const char *), void *opaque)
{
	struct target target = {write, opaque};

	return mallctl("experimental.prof_recent.alloc_dump", NULL, NULL,
		       &target, sizeof(target));
}

static void to_nowhere(void *opaque, const char *text)
{
	*(size_t *)opaque += strlen(text);
}

/* A function that allocates, frees a sample, dumps and asks again. */
static void *sample;

static void to_file(void *opaque, const char *text)
{
	size_t length = 0;

	free(malloc(5000));
	if (sample) {
		free(sample);
		sample = NULL;
		mallctl("prof.dump", NULL, NULL, NULL, 0);
		dump_recent(to_nowhere, &length);
		if (length == 0)
			fail("a dump within a dump");
	}
	if (write(*(int *)opaque, text, strlen(text)) < 0)
		fail("the file");
}

static int set_max(ssize_t max, ssize_t *old)
{
	size_t size = sizeof(*old);

	return mallctl("experimental.prof_recent.alloc_max", old,
		       old ? &size : NULL, &max, sizeof(max));
}

static int dump_to(const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int error = dump_recent(to_file, &file);

	if (write(file, "\n", 1) != 1)
		fail("the file");
	close(file);
	return error;
}

static int recent(const char *path)
{
	void *first, *c;
	ssize_t old = -7;
	struct target nothing = {NULL, NULL};
	size_t size = sizeof(old);

	set_name("alice");
	first = make(1000);
	make(2000);
	c = make(3000);
	make(5000);
	free_elsewhere(c);
	sample = first;
	if (dump_to(path))
		return fail("the dump");
	if (mallctl("experimental.prof_recent.alloc_max", &old, &size, NULL,
		    0) ||
	    old != 4 || set_max(-2, NULL) != EINVAL)
		return fail("what is in force");
	if (set_max(-1, &old) || old != 4)
		return fail("what was in force");
	for (unsigned i = 0; i < 10; i++)
		make(7000);
	dump_to(path);
	set_max(2, NULL);
	dump_to(path);
	set_max(0, NULL);
	make(9000);
	dump_to(path);
	if (mallctl("experimental.prof_recent.alloc_dump", &old, &size,
		    &nothing, sizeof(nothing)) != EPERM ||
	    mallctl("experimental.prof_recent.alloc_dump", NULL, NULL, NULL,
		    0) != EINVAL ||
	    mallctl("experimental.prof_recent.alloc_dump", NULL, NULL, &nothing,
		    8) != EINVAL)
		return fail("who may ask for a dump");
	return 0;
}

/* Logs, dumps, resets and forks while four threads allocate. */
static int storm(const char *path)
{
	size_t lg_sample = 8, length;
	int status;

	churn_start();
	for (unsigned i = 0; i < 20; i++) {
		log_start(path);
		set_max((ssize_t)(i * 100 % 700), NULL);
		length = 0;
		if (dump_recent(to_nowhere, &length) || length == 0)
			return fail("the dump");
		if (i % 5 == 4)
			mallctl("prof.reset", NULL, NULL, &lg_sample,
				sizeof(lg_sample));
		if (fork() == 0) {
			length = 0;
			drop(make(1000));
			_exit(dump_recent(to_nowhere, &length) ||
			      log_start(path) || log_stop());
		}
		wait(&status);
		if (status != 0)
			return fail("the child");
		if (log_stop())
			return fail("the log");
	}
	churn_stop();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const char *path);
	} table[] = {
		{"logged", logged},	  {"bounded", bounded},
		{"reset", reset},	  {"forked", forked},
		{"automatic", automatic}, {"recent", recent},
		{"storm", storm},
	};

	for (unsigned i = 0; argc == 3 && i < sizeof(table) / sizeof(*table);
	     i++)
		if (strcmp(argv[1], table[i].name) == 0)
			return table[i].run(argv[2]);
	return 2;
}
