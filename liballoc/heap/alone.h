/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this thread the only one? Then a word needs no locked instruction, which
 * takes some times as long as a plain one. libc knows, where it says so: it
 * tells before a second thread can run, and whoever makes that one orders it
 * after all that came before. A signal handler is no other thread, so what a
 * handler may change too is changed by one instruction, or under thread_busy.
 */
#ifndef LIBALLOC_HEAP_ALONE_H
#define LIBALLOC_HEAP_ALONE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef HAVE_SYS_SINGLE_THREADED_H
# include <sys/single_threaded.h>
#endif

/* False: there may be others. */
static inline bool alone(void)
{
#ifdef HAVE_SYS_SINGLE_THREADED_H
	return __libc_single_threaded;
#else
	return false;
#endif
}

/* Adds to a word that others may add to at the same time. */
static inline void alone_or_atomic_add(uint64_t *word, uint64_t delta)
{
#ifdef __x86_64__
	if (alone()) {
		__asm__("addq %1, %0" : "+m"(*word) : "er"(delta) : "cc");
		return;
	}
#endif
	__atomic_fetch_add(word, delta, __ATOMIC_RELAXED);
}

#endif
