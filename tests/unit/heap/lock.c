/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock: excludes under contention, can be tried, and a wrong order of
 * ranks aborts in a developer's build.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "liballoc/heap/lock.h"
#include "liballoc/ledger/ledger.h"

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
	struct lock_stats sum = {0};
	pthread_t threads[THREADS];
	unsigned i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	is_uint(counter, (uint64_t)THREADS * ROUNDS, "no count was lost");
	is_uint(lock.word, 0, "and the lock is free");
	is_uint(lock.waiters, 0, "with nobody asleep");
	lock_add_stats(&lock, &sum);
	is_uint(sum.ops, (uint64_t)THREADS * ROUNDS, "each taking is counted");
	ok(sum.owner_switches >= THREADS && sum.owner_switches <= sum.ops,
	   "each change of threads");
	ok(sum.waits + sum.spin_acquisitions <= sum.ops &&
		   sum.max_wait_ns <= sum.wait_ns && sum.max_waiters < THREADS,
	   "and waits are in proportion");
	lock_clear_stats(&lock);
	sum = (struct lock_stats){0};
	lock_add_stats(&lock, &sum);
	is_uint(sum.ops, 0, "until the counts are cleared");
}

static void *wait_once(void *unused)
{
	lock_take(&lock);
	lock_release(&lock);
	return unused;
}

/* The lock is held until the other thread sleeps for it, and a while longer. */
static void test_waiting(void)
{
	struct timespec pause = {0, 20000000};
	struct lock_stats sum = {0};
	pthread_t thread;

	lock_take(&lock);
	pthread_create(&thread, NULL, wait_once, NULL);
	while (!__atomic_load_n(&lock.waiters, __ATOMIC_RELAXED))
		nanosleep(&pause, NULL);
	nanosleep(&pause, NULL);
	lock_release(&lock);
	pthread_join(thread, NULL);
	lock_add_stats(&lock, &sum);
	is_uint(sum.waits, 1, "a sleep is counted");
	is_uint(sum.max_waiters, 1, "by one thread");
	ok(sum.wait_ns >= 20000000 && sum.max_wait_ns == sum.wait_ns,
	   "and its time is taken");
}

/* As where the one that releases it looks too early, and wakes nobody. */
static void test_missed(void)
{
	struct timespec pause = {0, 20000000};
	pthread_t thread;

	lock_take(&lock);
	pthread_create(&thread, NULL, wait_once, NULL);
	while (!__atomic_load_n(&lock.asleep, __ATOMIC_RELAXED))
		sched_yield();
	nanosleep(&pause, NULL);
	__atomic_store_n(&lock.asleep, 0, __ATOMIC_RELAXED);
	lock_release(&lock);
	pthread_join(thread, NULL);
	ok(lock_try(&lock), "a thread that nobody wakes wakes by itself");
	lock_release(&lock);
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
	plan(16);
	/* Waits are counted there too. */
	ledger_boot((size_t)1 << 20);
	test_exclusion();
	test_waiting();
	test_missed();
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
