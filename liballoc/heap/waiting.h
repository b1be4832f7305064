/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits in all arenas to be given back: how many dirty bytes, how many
 * of them may wait at most, and when the next step of any decay is due. The
 * slow paths look here whenever they leave, so that a process gives back in
 * time although nobody watches its clock; heap/background.h is who watches
 * it where the program asked for that.
 */
#ifndef LIBALLOC_HEAP_WAITING_H
#define LIBALLOC_HEAP_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "liballoc/heap/alone.h"

struct arena;
struct extent;

#define WAITING_NEVER UINT64_MAX

/* Dirty bytes of all arenas, and when the first is due. Relaxed atomics. */
extern uint64_t waiting_dirty_bytes;
extern uint64_t waiting_due_ns;

/*
 * The arena's dirty and muzzy bytes have changed; its page heap's lock is
 * held. delta: by how many dirty ones.
 */
static inline void waiting_count(int64_t delta)
{
	alone_or_atomic_add(&waiting_dirty_bytes, (uint64_t)delta);
}

/* Bytes that are being given back, neither dirty nor clean. Relaxed atomic. */
extern uint64_t waiting_in_hand_bytes;

static inline void waiting_count_in_hand(int64_t delta)
{
	__atomic_fetch_add(&waiting_in_hand_bytes, (uint64_t)delta,
			   __ATOMIC_RELAXED);
}

/* Bytes of clean pages that were taken, since boot or fork. Relaxed atomic. */
extern uint64_t waiting_grown_bytes;
/* Changes, up or down, with all pages that come into use or leave it. */
static inline uint64_t waiting_moved_bytes(void)
{
	return __atomic_load_n(&waiting_grown_bytes, __ATOMIC_RELAXED) +
	       __atomic_load_n(&waiting_dirty_bytes, __ATOMIC_RELAXED);
}
/*
 * Clean pages were taken, so the process grows. Were they given back only
 * because of the limit?
 */
void waiting_took_clean(size_t bytes);

/* Pages of the arena became dirty or muzzy. No lock held, thread_busy > 0. */
void waiting_after_give(struct arena *arena);
/* Clean pages were taken, which may lower the bound. As above. */
void waiting_after_take(struct arena *arena);
/*
 * The same by an object that grew: what it leaves will hardly serve another.
 * What goes for it goes to the object's own clean pages, at its end, as far as
 * these reach; it is the caller's alone; NULL: to none.
 */
void waiting_after_growth(struct arena *arena, struct extent *grown);
/* The arena's next step is due at due_ns; its page heap's lock may be held. */
void waiting_set_due(struct arena *arena, uint64_t due_ns);

static inline bool waiting_any(void)
{
	return __atomic_load_n(&waiting_due_ns, __ATOMIC_RELAXED) !=
	       WAITING_NEVER;
}

/*
 * Gives back what is due in all arenas and brings waiting_due_ns up to date.
 * No lock held, thread_busy > 0.
 */
void waiting_decay(void);
/* The same, where anything is due by the clock; thread_busy is 0. */
void waiting_look(void);
/* Gives back all that is free, of all arenas. No lock held. */
void waiting_purge_all(void);

/* The bound on dirty bytes in force now; SIZE_MAX: none. */
size_t waiting_limit(void);

void waiting_postfork_child(void);

#endif
