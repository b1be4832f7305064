/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of LEDGER_THREADS: handed out, named, and reused once their thread
 * has ended and no count refers to them. Lock-free, so that thread start and
 * end, fork and signals need not be ordered. Row 0 is never handed out.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "liballoc/ledger/region.h"

/*
 * Free rows: the first one in the low half, a tag in the high half that
 * changes with each pop, so that a row popped and pushed back meanwhile does
 * not pass for the one that was seen.
 */
static uint64_t free_list;
static uint64_t rows_used; /* row 0 included */

/*
 * A side's `holds` has this bit while the thread lives: the row is free when
 * the whole word comes to zero.
 */
#define HELD_BY_THREAD (1u << 31)

static void push_free(uint32_t row)
{
	struct thread_side *sides = ledger_thread_sides();
	uint64_t head = ledger_get(&free_list);
	uint64_t next;

	do {
		__atomic_store_n(&sides[row].next, (uint32_t)head,
				 __ATOMIC_RELAXED);
		next = (head & ~(uint64_t)UINT32_MAX) | row;
	} while (!__atomic_compare_exchange_n(&free_list, &head, next, true,
					      __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

static uint32_t pop_free(void)
{
	struct thread_side *sides = ledger_thread_sides();
	uint64_t head = __atomic_load_n(&free_list, __ATOMIC_ACQUIRE);
	uint64_t next;
	uint32_t row;

	do {
		row = (uint32_t)head;
		if (row == 0)
			return 0;
		next = ((head >> 32) + 1) << 32 |
		       __atomic_load_n(&sides[row].next, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&free_list, &head, next, true,
					      __ATOMIC_ACQUIRE,
					      __ATOMIC_ACQUIRE));
	return row;
}

static uint32_t take_new(void)
{
	uint64_t row = ledger_get(&rows_used);

	do {
		if (row >= ledger_capacity(LEDGER_THREADS) ||
		    !ledger_make_thread_room((uint32_t)row))
			return 0;
	} while (!__atomic_compare_exchange_n(&rows_used, &row, row + 1, true,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return (uint32_t)row;
}

static void set_state(struct ledger_thread *thread, uint32_t state)
{
	__atomic_store_n(&thread->state, state, __ATOMIC_RELEASE);
}

/* Words that others may be reading. */
static void clear_words(void *at, size_t bytes)
{
	uint64_t *words = at;

	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		ledger_set(&words[i], 0);
}

/* All but what is past. */
static void clear_counts(struct thread_stats *stats)
{
	clear_words(stats, offsetof(struct thread_stats, past_allocated));
}

/*
 * What a row's thread has counted becomes past, and its next thread begins at
 * zero: the sum of both only grows. The row's generation is odd meanwhile.
 */
static void pass_on(struct thread_stats *stats)
{
	ledger_add(&stats->past_allocated, ledger_get(&stats->allocated));
	ledger_add(&stats->past_deallocated, ledger_get(&stats->deallocated));
	ledger_add(&stats->past_nmalloc, ledger_get(&stats->nmalloc));
	ledger_add(&stats->past_ndalloc, ledger_get(&stats->ndalloc));
	clear_counts(stats);
}

_Static_assert(offsetof(struct ledger_thread, name) % sizeof(uint64_t) == 0 &&
		       sizeof(((struct ledger_thread *)0)->name) ==
			       LEDGER_THREAD_NAME_BYTES,
	       "a name is read and written as words");

static uint64_t *name_words(uint32_t row)
{
	return (uint64_t *)(void *)ledger_thread(row)->name;
}

__attribute__((cold)) uint32_t ledger_thread_new(uint64_t uid, int os_tid)
{
	uint32_t row = pop_free();
	struct ledger_thread *thread;

	if (row == 0)
		row = take_new();
	if (row == 0)
		return 0;
	thread = ledger_thread(row);
	ledger_add(&thread->generation, 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	ledger_set(&thread->uid, uid);
	__atomic_store_n(&thread->os_tid, os_tid, __ATOMIC_RELAXED);
	clear_words(thread->name, sizeof(thread->name));
	pass_on(ledger_thread_stats(row));
	__atomic_thread_fence(__ATOMIC_RELEASE);
	ledger_add(&thread->generation, 1);
	__atomic_store_n(&ledger_thread_sides()[row].holds, HELD_BY_THREAD,
			 __ATOMIC_RELAXED);
	set_state(thread, LEDGER_THREAD_LIVE);
	ledger_publish(LEDGER_THREADS, (uint64_t)row + 1);
	return row;
}

bool ledger_thread_copy(uint32_t row, uint64_t words[LEDGER_THREAD_WORDS])
{
	struct ledger_thread *thread = ledger_thread(row);
	const uint64_t *from = (const uint64_t *)(const void *)thread;
	uint64_t generation =
		__atomic_load_n(&thread->generation, __ATOMIC_ACQUIRE);

	for (size_t i = 0; i < LEDGER_THREAD_WORDS; i++)
		words[i] = ledger_get(&from[i]);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return generation % 2 == 0 &&
	       ledger_get(&thread->generation) == generation;
}

static void drop(uint32_t row, uint32_t part)
{
	uint32_t *holds = &ledger_thread_sides()[row].holds;

	if (__atomic_sub_fetch(holds, part, __ATOMIC_ACQ_REL) != 0)
		return;
	set_state(ledger_thread(row), LEDGER_THREAD_FREE);
	push_free(row);
}

void ledger_thread_exit(uint32_t row)
{
	if (row == 0)
		return;
	set_state(ledger_thread(row), LEDGER_THREAD_EXITED);
	drop(row, HELD_BY_THREAD);
}

void ledger_thread_hold(uint32_t row)
{
	if (row != 0)
		__atomic_fetch_add(&ledger_thread_sides()[row].holds, 1,
				   __ATOMIC_RELAXED);
}

void ledger_thread_release(uint32_t row)
{
	if (row != 0)
		drop(row, 1);
}

void ledger_thread_set_name(uint32_t row, const char *name)
{
	char text[LEDGER_THREAD_NAME_BYTES] = "";
	uint64_t words[sizeof(text) / sizeof(uint64_t)];

	if (row == 0)
		return;
	/* The last byte stays NUL, so that a reader never runs over. */
	strncpy(text, name, sizeof(text) - 1);
	memcpy(words, text, sizeof(words));
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ledger_set(&name_words(row)[i], words[i]);
}

void ledger_thread_copy_name(uint32_t row, char name[LEDGER_THREAD_NAME_BYTES])
{
	uint64_t words[LEDGER_THREAD_NAME_BYTES / sizeof(uint64_t)];

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = ledger_get(&name_words(row)[i]);
	memcpy(name, words, sizeof(words));
	name[LEDGER_THREAD_NAME_BYTES - 1] = '\0';
}

void ledger_threads_boot(void)
{
	struct ledger_thread *others = ledger_thread(0);

	others->uid = LEDGER_OTHER_THREADS;
	others->state = LEDGER_THREAD_LIVE;
	strncpy(others->name, "other threads", sizeof(others->name) - 1);
	rows_used = 1;
	free_list = 0;
	ledger_publish(LEDGER_THREADS, 1);
}

/*
 * A row whose thread is no more, wherever it was caught: on the list, being
 * taken, which may have left its generation odd, in use, or being given back.
 * Nothing is written that stays as it is: the page may be shared yet.
 */
static void leave(uint32_t row)
{
	struct ledger_thread *thread = ledger_thread(row);
	uint32_t *holds = &ledger_thread_sides()[row].holds, state;

	/* What it had counted has been passed on, nearly: not once more. */
	if (thread->generation % 2) {
		clear_counts(ledger_thread_stats(row));
		ledger_add(&thread->generation, 1);
	}
	if (*holds & HELD_BY_THREAD)
		*holds -= HELD_BY_THREAD;
	state = *holds ? LEDGER_THREAD_EXITED : LEDGER_THREAD_FREE;
	if (thread->state != state)
		set_state(thread, state);
	if (state == LEDGER_THREAD_FREE)
		push_free(row);
}

static void leave_live(uint32_t used)
{
	for (uint32_t row = 1; row < used; row++)
		if (ledger_thread(row)->state == LEDGER_THREAD_LIVE)
			ledger_thread_exit(row);
}

/*
 * Nobody else runs: the list is made anew, of all rows that are free, the
 * lowest first. But a thread without a row may be taking one itself, where a
 * signal's handler forks: then those that are neither live nor on the list
 * stay as they are.
 */
void ledger_threads_postfork_child(uint32_t own_row, int os_tid)
{
	uint32_t used = (uint32_t)ledger_get(&rows_used);

	if (own_row == 0) {
		leave_live(used);
		return;
	}
	ledger_thread(own_row)->os_tid = os_tid;
	free_list &= ~(uint64_t)UINT32_MAX;
	for (uint32_t row = used; row-- > 1;)
		if (row != own_row)
			leave(row);
}
