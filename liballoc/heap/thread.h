/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What liballoc keeps for each thread. Lives in metadata memory, found by one
 * initial-exec TLS pointer. A thread that has none (before its first
 * allocation, after its end) has the TLS pointer on thread_none, whose cache
 * is empty and closed, so that the fast paths need no check.
 */
#ifndef LIBALLOC_HEAP_THREAD_H
#define LIBALLOC_HEAP_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/cache.h"
#include "liballoc/heap/os.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/unwind/memo.h"

struct arena;
struct arena_cache;
struct lock;

/* Where large objects bring no events, a thread keeps house so often. */
#define LARGE_BYTES_PER_ROUND ((size_t)16 << 20)

/* The words of struct thread_stats before samples. */
#define THREAD_TOLD 6u

struct thread {
	/*
	 * Usable bytes until the next event. An allocation subtracts its
	 * usable size; below zero it takes the slow path, which publishes
	 * the statistics, offers the object to prof_sample() and draws anew.
	 */
	int64_t countdown;
	int64_t countdown_start; /* what was drawn last */
	/* Taken off both, so that an allocation soon looks at the clock. */
	int64_t countdown_aside;
	bool live;		 /* false: thread_none */
	bool placed;		 /* has its row in the ledger, or none */
	unsigned exit_rounds;	 /* destructor calls so far */
	uint64_t allocated;	 /* bytes, up to the last draw */
	uint64_t allocated_told; /* bytes, up to the last slow call */
	uint64_t deallocated;	 /* bytes, up to the last publication */
	uint64_t direct_freed;	 /* bytes freed past this thread's cache */
	uint64_t direct_freed_published; /* of those, in deallocated */
	uint64_t direct_nmalloc;
	uint64_t direct_ndalloc;
	uint64_t peak;	       /* of allocated - deallocated, as looked at */
	uint64_t peak_base;    /* what that is measured from */
	bool peak_wanted;      /* somebody asked for it: looked at closely */
	uint64_t cached_bytes; /* as last told to the arena's ledger row */
	unsigned slow_calls;
	uint64_t published_ns;
	uint64_t looked_ns; /* when its cache was looked at last */
	uint64_t tick_ns;   /* when it planned its next look at the clock */
	uint64_t left_ns;   /* when it left the slow paths, as far as seen */
	uint8_t leaves;	    /* until it looks again */
	uint8_t leaves_between; /* looks, since the clock went on */
	uint32_t squeezes;	/* container.h: what it has followed */
	uint32_t look_bytes;	/* that it planned to allocate before a look */
	uint64_t look_at;	/* what it will have allocated then */
	size_t round_bytes;	/* that events brought since the last round */
	size_t eventless_bytes; /* of large objects, since the last round */
	/* Above 0: in the profiler. Then an allocation goes unsampled. */
	unsigned reentrancy;
	uint64_t uid; /* 0, 1, 2 ... in order of first allocation */
	struct arena *arena;
	struct thread *next, *previous; /* in the list of threads */
	struct prof_thread prof;
	size_t cache_max_bytes; /* largest size its cache may hold */
	uint64_t trimmed_at;	/* of all allocated; opt.tcache_gc_incr_bytes */
	struct arena_cache *arena_cache; /* NULL: none yet */
	/* Of the figures that it has no row for, as last told in row 0. */
	uint64_t told[THREAD_TOLD];
	struct cache cache;
	struct walk_memo walk_memo;
};

extern struct thread thread_none HEAP_HIDDEN;
extern __thread struct thread *thread_current HEAP_HIDDEN;

/*
 * Above 0: this thread is inside the allocator's slow paths, and may hold its
 * locks. What a signal handler asks for then is served by emergency.c.
 */
extern __thread unsigned thread_busy HEAP_HIDDEN;

/* Once, at boot. */
void thread_boot(void);
/* This thread's, made on first use; NULL where it cannot be had. */
struct thread *thread_get(void);
/* This thread's, or NULL; never makes one. */
struct thread *thread_peek(void);
/* Runs visit on each live thread with the thread list locked. */
void thread_each(void (*visit)(struct thread *thread, void *context),
		 void *context);

/*
 * The thread's next allocation takes the slow path, and looks there at what
 * waits to be given back; the sampler's interval is not changed by it.
 */
void thread_look_soon(struct thread *thread);

/* Brings the thread's row in the ledger up to now. */
void thread_publish(struct thread *thread);
/* thread.peak: the peak since the last reset, and the reset. */
uint64_t thread_peak(struct thread *thread);
void thread_peak_reset(struct thread *thread);
/* For a program that reads the word: allocated_told is of now. */
static inline void thread_tell(struct thread *thread)
{
	thread->allocated_told =
		thread->allocated +
		(uint64_t)(thread->countdown_start - thread->countdown);
}
/* Publishes now and then; for the slow paths. */
void thread_tick(struct thread *thread);
/*
 * May a thread that leaves the slow paths look at the clock? Reading that is a
 * tenth of a short stay: while it stands still it is read ever less often.
 */
bool thread_may_look(struct thread *thread);
/*
 * After that: a thread that allocates so little that no round of housekeeping
 * came for a second has an idle cache, too, and gives it back.
 */
void thread_look_if_slow(struct thread *thread);
/* opt.percpu_arena: moves the thread to the arena of the CPU it runs on. */
void thread_follow_cpu(struct thread *thread);
/*
 * The countdown ran out on the allocation of ptr: publishes, offers it to the
 * profiler, draws anew. No lock held, thread_busy 0. Returns ptr, or what the
 * program gets in its stead: see safety/guard.h, for the alignment too.
 */
void *thread_event(struct thread *thread, void *ptr, size_t requested_bytes,
		   size_t usable_bytes, unsigned size_class, size_t alignment);

/*
 * Counts a large object past the countdown, where nobody waits for events but
 * the thread's own housekeeping; false where somebody does, or that is due.
 */
static inline bool thread_count_eventless(struct thread *thread, size_t bytes)
{
	if (opt.prof || opt.stats_interval >= 0 ||
	    thread->eventless_bytes >= LARGE_BYTES_PER_ROUND)
		return false;
	thread->eventless_bytes += bytes;
	thread->allocated += bytes;
	return true;
}

/* For its counts. */
struct lock *thread_list_lock(void);
/*
 * Gives back the large extents that threads have cached: all of them, or those
 * of threads that did not use theirs since the last look. False: none is left.
 * No lock held but LOCK_BACKGROUND.
 */
bool thread_steal_large(bool only_if_idle);
/* A cache of large extents that was not used for so long is emptied. */
#define IDLE_LOOK_NS UINT64_C(500000000)

void thread_prefork(void);
void thread_postfork_parent(void);
void thread_postfork_child(void);

#endif
