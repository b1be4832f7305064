/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The background thread: sleeps until something waits to be given back and is
 * due (waiting.h), and gives it back. There is one at most, on a small stack
 * of its own, with all signals blocked; it allocates nothing, has no row in
 * the list of threads, and goes when the last thread that allocates does, so
 * that it keeps no process alive.
 */
#ifndef LIBALLOC_HEAP_BACKGROUND_H
#define LIBALLOC_HEAP_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libc is up, and threads can be made; what opt wants is wanted from now on. */
void background_boot(void);
/* The process is about to exit: none is started any more. */
void background_exit(void);

/* Is one wanted, and is one there? */
bool background_get(void);
bool background_running(void);
/*
 * Starts it, or ends it and waits for its end. False: the system gave no
 * thread, and none is wanted then. No lock held, thread_busy 0.
 */
bool background_set(bool wanted);
/* jemalloc's bound on such threads; more than one is never needed. */
size_t background_max(void);
bool background_set_max(size_t max); /* false: 0, or beyond the option */

/*
 * Starts it where it is wanted and has something to do. For the slow paths of
 * allocation as they leave; no lock held, thread_busy 0.
 */
void background_leave(void);
/* waiting_due_ns became earlier. Any lock may be held. */
void background_wake(void);
/* The last thread that allocates is at its end. No lock held. */
void background_last_thread(void);

/* For its counts. */
struct lock;
struct lock *background_lock(void);

void background_prefork(void);
void background_postfork_parent(void);
void background_postfork_child(void);

#endif
