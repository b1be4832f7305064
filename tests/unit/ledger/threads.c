/* SPDX-License-Identifier: BSD-2-Clause */
/* Thread rows: reuse, exhaustion, and the free list under contention. */
#include "config.h"

#include <pthread.h>

#include "liballoc/ledger/ledger.h"
#include "tap/tap.h"

#define THREADS 4
#define ROUNDS 20000

static unsigned claims[1 << 16];
static bool collided;

/* Takes rows and gives them back; no two may hold one row at a time. */
static void *churn(void *uid)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t row = ledger_thread_new((uintptr_t)uid, 1);

		if (row == 0 ||
		    __atomic_fetch_add(&claims[row], 1, __ATOMIC_RELAXED) != 0)
			__atomic_store_n(&collided, true, __ATOMIC_RELAXED);
		if (i % 2)
			ledger_thread_hold(row);
		__atomic_fetch_sub(&claims[row], 1, __ATOMIC_RELAXED);
		ledger_thread_exit(row);
		if (i % 2)
			ledger_thread_release(row);
	}
	return NULL;
}

static void check_churn(void)
{
	pthread_t threads[THREADS];
	uint64_t used;

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, churn, (void *)(i + 100));
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	used = ledger_header()->sections[LEDGER_THREADS].count;
	ok(!collided, "no two threads have one row");
	ok(used <= 16, "%d threads take few rows (%u)", THREADS * ROUNDS,
	   (unsigned)used);
}

static void check_full(void)
{
	uint32_t capacity = ledger_capacity(LEDGER_THREADS);
	uint32_t rows = 0, row;

	while ((row = ledger_thread_new(1000 + rows, 1)) != 0)
		rows++;
	ok(rows > 0 && rows < capacity, "all rows but row 0 are handed out");
	is_uint(ledger_header()->sections[LEDGER_THREADS].count, capacity,
		"and are published");
	ledger_thread_exit(0);
	is_uint(ledger_thread(0)->state, LEDGER_THREAD_LIVE,
		"row 0 never exits");
	ledger_thread_exit(capacity - 1);
	is_uint(ledger_thread_new(7, 1), capacity - 1,
		"a row given back is handed out again");
}

int main(void)
{
	uint32_t a, b;
	uint64_t generation;

	plan(16);
	ledger_boot((size_t)1 << 20);
	is_uint(ledger_thread(0)->uid, LEDGER_OTHER_THREADS,
		"row 0 stands for the others");
	a = ledger_thread_new(0, 41);
	b = ledger_thread_new(1, 42);
	ok(a != 0 && b != 0 && a != b, "threads get rows of their own");
	is_int(ledger_thread(b)->os_tid, 42, "with their tid");
	ledger_thread_set_name(a, "a name of more than fifteen bytes");
	is_string(ledger_thread(a)->name, "a name of more ",
		  "names are cut at 15 characters");
	ledger_thread_hold(a);
	ledger_thread_exit(a);
	is_uint(ledger_thread(a)->state, LEDGER_THREAD_EXITED,
		"a row that a count refers to is kept");
	generation = ledger_thread(a)->generation;
	ledger_set(&ledger_thread_stats(a)->nmalloc, 7);
	ledger_set(&ledger_thread_stats(a)->tcache_bytes, 100);
	ledger_thread_release(a);
	is_uint(ledger_thread(a)->state, LEDGER_THREAD_FREE, "then is free");
	is_uint(ledger_thread_new(2, 43), a, "and handed out again");
	ok(ledger_thread(a)->name[0] == 0 &&
		   ledger_thread(a)->generation == generation + 2,
	   "without a name, another generation, and even again");
	ok(ledger_get(&ledger_thread_stats(a)->nmalloc) == 0 &&
		   ledger_get(&ledger_thread_stats(a)->tcache_bytes) == 0 &&
		   ledger_get(&ledger_thread_stats(a)->past_nmalloc) == 7,
	   "what its first thread did is of the past");
	ledger_set(&ledger_thread_stats(a)->nmalloc, 5);
	ledger_thread_exit(a);
	ledger_thread_new(3, 44);
	is_uint(ledger_get(&ledger_thread_stats(a)->past_nmalloc), 12,
		"and what its second one did, too");
	check_churn();
	check_full();
	return done_testing();
}
