/* SPDX-License-Identifier: BSD-2-Clause */
/* Thread rows in children that are forked while threads come and go. */
#include "config.h"

#include <pthread.h>
#include <sys/wait.h>

#include "liballoc/ledger/ledger.h"
#include "tap/tap.h"

#define THREADS 4
#define FORKS 100

static bool ended;

static void *churn_on(void *uid)
{
	while (!__atomic_load_n(&ended, __ATOMIC_RELAXED))
		ledger_thread_exit(ledger_thread_new((uintptr_t)uid, 1));
	return NULL;
}

/* In a child: are all rows that were ever taken to be had again, but own? */
static bool all_come_back(uint32_t own)
{
	uint32_t used, row;

	ledger_postfork_child(own, 1);
	used = (uint32_t)ledger_header()->sections[LEDGER_THREADS].count;
	for (uint32_t i = 1; i + 1 < used; i++) {
		row = ledger_thread_new(1000 + i, 1);
		if (row == 0 || row == own || row >= used)
			return false;
	}
	return true;
}

/* As a fork leaves it that comes in the middle of passing a row on. */
static void check_torn(uint32_t own)
{
	uint32_t row = ledger_thread_new(98, 1);
	struct thread_stats *stats = ledger_thread_stats(row);
	int status = -1;
	pid_t pid;

	ledger_add(&ledger_thread(row)->generation, 1);
	ledger_set(&stats->nmalloc, 7);
	ledger_set(&stats->past_nmalloc, 7);
	pid = fork();
	if (pid == 0) {
		ledger_postfork_child(own, 1);
		_exit(ledger_get(&stats->nmalloc) +
			      ledger_get(&stats->past_nmalloc) !=
		      7);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "nothing is passed on twice");
	ledger_add(&ledger_thread(row)->generation, 1);
	ledger_thread_exit(row);
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned lost = 0;
	uint32_t own;

	plan(2);
	ledger_boot((size_t)1 << 20);
	own = ledger_thread_new(99, 1);
	check_torn(own);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, churn_on, (void *)(i + 100));
	for (unsigned i = 0; i < FORKS; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0)
			_exit(!all_come_back(own));
		waitpid(pid, &status, 0);
		lost += status != 0;
	}
	__atomic_store_n(&ended, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok(lost == 0,
	   "children that are forked meanwhile lose no row "
	   "(%u of %d did)",
	   lost, FORKS);
	return done_testing();
}
