/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does what its arguments say, one after the other, and exits with 1 where one
 * of them cannot be done. They are listed at the end.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <liballoc/liballoc.h>

/* Of a size class. */
#define PIECE ((size_t)16 << 10)
#define MOST 65536

static void *kept[MOST];
static size_t kept_count;

/* Allocates so many MiB, writes to it, and keeps it. */
__attribute__((noinline)) static bool hold(const char *mib)
{
	size_t count = (strtoul(mib, NULL, 10) << 20) / PIECE;

	for (size_t i = 0; i < count && kept_count < MOST; i++) {
		kept[kept_count] = malloc(PIECE);
		memset(kept[kept_count++], 1, PIECE);
	}
	return kept_count < MOST;
}

/* Frees all that is kept. */
static bool drop(const char *unused)
{
	(void)unused;
	while (kept_count)
		free(kept[--kept_count]);
	return true;
}

/* Comes by the slow paths, and keeps nothing. */
static bool busy(const char *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 64; i++) {
		void *volatile p = malloc((size_t)256 << 10);

		free(p);
	}
	return true;
}

static bool set_string(const char *name, const char *value)
{
	return mallctl(name, NULL, NULL, &value, sizeof(value)) == 0;
}

static bool dump(const char *path)
{
	return set_string("prof.dump", path);
}

/* The same, which must fail, and leave errno alone. */
static bool refused(const char *path)
{
	errno = 77;
	return !dump(path) && errno == 77;
}

static void do_nothing(int number)
{
	(void)number;
}

static bool handle(const char *number)
{
	return signal(atoi(number), do_nothing) != SIG_ERR;
}

static bool signal_self(const char *number)
{
	return raise(atoi(number)) == 0;
}

/* Waits, allocating nothing, for a dump of this sequence and kind. */
static bool await(const char *kind)
{
	const struct timespec pause = {0, 10000000};
	char name[64];

	snprintf(name, sizeof(name), "jeprof.%d.%s.heap", (int)getpid(), kind);
	for (unsigned i = 0; i < 3000; i++) {
		if (access(name, F_OK) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Without another allocation, or free. */
static bool quit(const char *unused)
{
	(void)unused;
	_exit(0);
}

static bool dump_peak(const char *path)
{
	return set_string("prof.dump_peak", path);
}

static bool no_peak(const char *path)
{
	return mallctl("prof.dump_peak", NULL, NULL, &path, sizeof(path)) ==
	       ENOENT;
}

/* No file may grow beyond so many bytes. */
static bool limit_files(const char *bytes)
{
	rlim_t most = strtoul(bytes, NULL, 10);
	struct rlimit limit = {most, most};

	return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

/* No more address space than there is. */
static bool limit_memory(const char *unused)
{
	struct rlimit limit = {1, RLIM_INFINITY};

	(void)unused;
	return setrlimit(RLIMIT_AS, &limit) == 0;
}

static void *allocate(void *arg)
{
	for (unsigned i = 0; i < 1000; i++) {
		void *volatile p = malloc(PIECE);

		free(p);
	}
	return arg;
}

/* In a thread with the smallest stack that there can be. */
static bool small(const char *unused)
{
	pthread_attr_t attributes;
	pthread_t thread;

	(void)unused;
	return pthread_attr_init(&attributes) == 0 &&
	       pthread_attr_setstacksize(&attributes,
					 (size_t)PTHREAD_STACK_MIN) == 0 &&
	       pthread_create(&thread, &attributes, allocate, NULL) == 0 &&
	       pthread_join(thread, NULL) == 0;
}

/* No cancellation point is in here, if malloc is none. */
static void *allocate_cancelled(void *arg)
{
	pthread_cancel(pthread_self());
	return allocate(arg);
}

static void pass(void *opaque, const char *text)
{
	(void)opaque;
	(void)text;
}

/* Nor here, though the one asks for files, and the other for a thread's end. */
static void *recent_cancelled(void *arg)
{
	struct {
		void (*write)(void *opaque, const char *text);
		void *opaque;
	} to = {pass, NULL};

	pthread_cancel(pthread_self());
	mallctl("experimental.prof_recent.alloc_dump", NULL, NULL, &to,
		sizeof(to));
	return arg;
}

static void *stop_cancelled(void *arg)
{
	bool off = false;

	pthread_cancel(pthread_self());
	mallctl("background_thread", NULL, NULL, &off, sizeof(off));
	return arg;
}

static bool runs_to_its_end(void *(*run)(void *))
{
	static char here;
	pthread_t thread;
	void *result = NULL;

	return pthread_create(&thread, NULL, run, &here) == 0 &&
	       pthread_join(thread, &result) == 0 && result == &here;
}

static bool cancelled(const char *unused)
{
	(void)unused;
	return runs_to_its_end(allocate_cancelled);
}

/* And what others wait for meanwhile goes on. */
static bool cancelled_recent(const char *unused)
{
	(void)unused;
	return runs_to_its_end(recent_cancelled);
}

static bool cancelled_stop(const char *unused)
{
	bool on = true;

	(void)unused;
	return mallctl("background_thread", NULL, NULL, &on, sizeof(on)) == 0 &&
	       runs_to_its_end(stop_cancelled) &&
	       mallctl("background_thread", NULL, NULL, &on, sizeof(on)) == 0;
}

static bool reset(const char *unused)
{
	(void)unused;
	return mallctl("prof.reset", NULL, NULL, NULL, 0) == 0;
}

/* So many descriptors are left. */
static bool descriptors(const char *value)
{
	struct rlimit limit = {0, RLIM_INFINITY};
	int next = dup(0);

	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)next + (rlim_t)atoi(value);
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static const struct step {
	const char *name; /* of NAME or NAME:VALUE */
	bool (*take)(const char *value);
} steps[] = {
	{"hold", hold},		  {"drop", drop},
	{"busy", busy},		  {"dump", dump},
	{"refused", refused},	  {"peak", dump_peak},
	{"nopeak", no_peak},	  {"file", limit_files},
	{"cancelled", cancelled}, {"handle", handle},
	{"signal", signal_self},  {"await", await},
	{"quit", quit},		  {"memory", limit_memory},
	{"small", small},	  {"recent", cancelled_recent},
	{"stop", cancelled_stop}, {"descriptors", descriptors},
	{"reset", reset},
};

static bool take(const char *argument)
{
	size_t length = strcspn(argument, ":");
	const char *value = argument + length + (argument[length] == ':');

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strlen(steps[i].name) == length &&
		    memcmp(steps[i].name, argument, length) == 0)
			return steps[i].take(value);
	return false;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (take(argv[i]))
			continue;
		fprintf(stderr, "trigger: %s\n", argv[i]);
		return 1;
	}
	return 0;
}
