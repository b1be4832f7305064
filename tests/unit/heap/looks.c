/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks: a child does not keep the files of other threads' looks, but goes on
 * with one that the forking thread itself had begun; and none begins once they
 * have ended.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "liballoc/heap/looks.h"
#include "tap/tap.h"

static const char path[] = "/proc/self/maps";
static sem_t opened, seen;
static int theirs = -1;
static void *volatile booted;

static bool is_open(int fd)
{
	return fd >= 0 && fcntl(fd, F_GETFD) >= 0;
}

static void *look(void *unused)
{
	theirs = look_open(path);
	sem_post(&opened);
	sem_wait(&seen);
	look_close(theirs);
	return unused;
}

/* What the child says: 0: it has it, 1: not. */
static int child_lacks(int fd)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(!is_open(fd));
	if (child > 0)
		waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_fork(void)
{
	int ours = look_open(path);
	pthread_t thread;

	sem_init(&opened, 0, 0);
	sem_init(&seen, 0, 0);
	pthread_create(&thread, NULL, look, NULL);
	sem_wait(&opened);
	ok(is_open(theirs) && is_open(ours), "two threads look");
	ok(child_lacks(theirs) == 1, "a child lacks another thread's file");
	ok(child_lacks(ours) == 0, "and has the forking one's own");
	sem_post(&seen);
	pthread_join(thread, NULL);
	ok(!is_open(theirs) && is_open(ours), "each closes its own");
	look_close(ours);
	ok(!is_open(ours), "the other too");
}

static void check_end(void)
{
	int fd;

	ok(look_may(), "there are looks at first");
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	ok(look_may(), "and after another prctl");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	errno = 0;
	fd = look_open(path);
	ok(!look_may() && fd < 0 && errno == EPERM,
	   "none where privileges were given up");
}

int main(void)
{
	plan(8);
	booted = malloc(1);
	check_fork();
	check_end();
	return done_testing();
}
