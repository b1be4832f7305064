/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of small objects on their way from threads that free to threads that
 * allocate, or to the same one later; a stack of pointers a class and lane,
 * for all arenas. A thread keeps to one lane while that has what it wants: so
 * threads seldom meet, and what comes back to one is still in its processor's
 * cache. An object that passes through here costs a copied pointer instead of
 * two visits to its slab; for the slab it stays in use. Any thread; takes
 * locks of its own, within thread_busy.
 */
#ifndef LIBALLOC_HEAP_EXCHANGE_H
#define LIBALLOC_HEAP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXCHANGE_LANES 4u

/* A lane for a thread, the next one each time; with the threads' lock held. */
unsigned exchange_join(void);

/* Leaves all of objects[0, count) in the lane; or none: there is no room. */
bool exchange_put(unsigned lane, unsigned size_class, void *const *objects,
		  unsigned count);
/*
 * Up to want objects, those left last, of the lane or of another one where it
 * has none; returns how many.
 */
unsigned exchange_take(unsigned lane, unsigned size_class, void **objects,
		       unsigned want);

/* Bytes that lie here, nearly: threads come and go meanwhile. */
size_t exchange_bytes(void);
/* Tells the ledger of them: they count as cached, in the first arena's row. */
void exchange_tell(void);
/* The same, unless it was done lately; now_ns: of os_now_ns(). */
void exchange_tell_when_due(uint64_t now_ns);
/* Looks at the next few classes, and gives back what nobody came for. */
void exchange_trim(void);
/*
 * The same of all, unless it was done within a second: for processes that do
 * little. now_ns: of os_now_ns().
 */
void exchange_trim_when_due(uint64_t now_ns);
/*
 * Before the process grows: gives back all, if it is much beside what the
 * process has; false: it is not.
 */
bool exchange_shrink(void);
/* Gives back what lies here now; what others leave meanwhile may stay. */
void exchange_flush(void);

/* The locks, which rank before the arenas'. */
void exchange_prefork(void);
void exchange_postfork_parent(void);
void exchange_postfork_child(void);

#endif
