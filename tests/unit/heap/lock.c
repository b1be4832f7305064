/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock: excludes under contention, can be tried, and a wrong order of
 * ranks aborts in a developer's build.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "liballoc/heap/lock.h"

#define THREADS 8
#define ROUNDS 100000

static struct lock lock = LOCK_INIT(LOCK_BIN);
static volatile uint64_t counter;

static void *count(void *unused)
{
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		lock_take(&lock);
		counter = counter + 1;
		lock_release(&lock);
	}
	return unused;
}

static void test_exclusion(void)
{
	pthread_t threads[THREADS];
	unsigned i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	is_uint(counter, (uint64_t)THREADS * ROUNDS, "no count was lost");
	is_uint(lock.word, 0, "and the lock is free");
}

static void test_try(void)
{
	ok(lock_try(&lock), "a free lock can be had");
	lock_release(&lock);
	lock_take_for_fork(&lock);
	ok(!lock_try(&lock), "a taken one cannot");
	lock_reset(&lock);
	ok(lock_try(&lock), "after a reset it can");
	lock_release(&lock);
}

static int signal_of(void (*body)(void))
{
	int status = 0;
	pid_t child = fork();

	if (!child) {
		close(STDERR_FILENO);
		body();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void right_order(void)
{
	struct lock later = LOCK_INIT(LOCK_PAGE_HEAP);

	lock_take(&lock);
	lock_take(&later);
	lock_release(&later);
	lock_release(&lock);
}

static void wrong_order(void)
{
	struct lock later = LOCK_INIT(LOCK_PAGE_HEAP);

	lock_take(&later);
	lock_take(&lock);
}

int main(void)
{
	plan(7);
	test_exclusion();
	test_try();
	is_int(signal_of(right_order), 0, "rising ranks are fine");
#if defined(LIBALLOC_DEBUG) || defined(JEHEAP_DEVELOPER)
	is_int(signal_of(wrong_order), SIGABRT, "falling ranks abort");
#else
	(void)wrong_order;
	skip("falling ranks abort", "not a developer's build");
#endif
	return done_testing();
}
