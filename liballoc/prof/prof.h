/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profiler as the heap sees it. The heap counts usable bytes down in
 * struct thread's countdown. Before an allocation that takes it below zero the
 * heap may ask prof_picks(), so as to place what will be sampled among other
 * samples; after it, the allocation is offered to prof_sample(). What that
 * gives is kept by the heap with the object, and handed to prof_free() before
 * its memory can be reused. Nothing here takes a lock that malloc or free
 * could want, and nothing here allocates from the heap.
 */
#ifndef LIBALLOC_PROF_PROF_H
#define LIBALLOC_PROF_PROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/os.h"
#include "liballoc/prof/near_clock.h"
#include "liballoc/prof/tables.h"
#include "liballoc/prof/unwind/memory.h"

/* Is the object that ends the interval to be sampled? */
enum prof_pick {
	PICK_OPEN, /* it was not decided yet */
	PICK_NO,
	PICK_YES,
};

/* The profiler's part of struct thread; zeroed when the thread starts. */
struct prof_thread {
	uint64_t random[4];    /* state of the generator; all 0: unseeded */
	uint32_t ledger_row;   /* in LEDGER_THREADS; 0: none was left */
	uint8_t lg_sample;     /* the rate that the interval was drawn at */
	bool cut;	       /* the interval was cut at PROF_INTERVAL_MAX */
	bool active;	       /* thread.prof.active */
	uint8_t pick;	       /* enum prof_pick */
	bool took_large;       /* the last sample: 2^lg_sample bytes or more */
	uint32_t untold_bytes; /* live.h */
	struct own_stack stack;
	struct near_clock clock;
	struct tables_place place; /* of the last samples */
};

/*
 * No interval is longer, so that statistics are published and new rates come
 * into force soon; bytes. What is cut off is drawn when it is due.
 */
#define PROF_INTERVAL_MAX ((int64_t)1 << 20)

struct thread;

/* Once, after conf_boot() and ledger_boot(), before the first allocation. */
void prof_boot(void);
/*
 * Take and give back the thread's row of the ledger (profiling or not), after
 * thread->uid is set. Thread start does not draw an interval: the heap calls
 * prof_next_interval() next. After exit the heap publishes nothing more.
 */
void prof_thread_start(struct thread *thread);
void prof_thread_exit(struct thread *thread);

/*
 * The bytes that pass from here before the next event, in [0,
 * PROF_INTERVAL_MAX]: geometric with mean about 1 << lg_sample, so that each
 * allocated byte is equally likely to be sampled. Goes on where sampling is
 * inactive. Called when the thread starts and after each event.
 */
int64_t prof_next_interval(struct thread *thread);

/*
 * Brings the profiler's totals in the ledger up to now: all, or those that the
 * thread's samples are counted in first. No lock held.
 */
void prof_publish(void);
void prof_publish_own(struct thread *thread);

/*
 * Will the thread's next object be sampled, of so many bytes, with whose
 * last rest_bytes (1 or more) the interval is over? Once for an allocation that
 * is then made and offered, or passed over.
 */
bool prof_picks(struct thread *thread, size_t usable_bytes,
		uint64_t rest_bytes);
/* There was no memory for the object that prof_picks() was asked about. */
void prof_pass_over(struct thread *thread);

/*
 * An allocation that took thread->countdown below zero, where it still is: ptr
 * of usable_bytes, asked for as requested_bytes. Takes a sample if the object
 * has one and sampling is active, and gives what the heap keeps for
 * prof_free(), or does not (0). size_class is the row in LEDGER_CLASSES.
 * Called with no lock held. errno is kept.
 */
uint32_t prof_sample(struct thread *thread, void *ptr, size_t requested_bytes,
		     size_t usable_bytes, unsigned size_class);

/*
 * The object at ptr is about to be freed (or moved): one whose sample that is,
 * or that is watched (0). Any thread; thread may be NULL. errno is kept.
 */
void prof_free(struct thread *thread, void *ptr, uint32_t sample);

/*
 * For reports of errors, with no lock taken: the stack and the requested size
 * of the sample at address; how many frames there are, 0 where it is none.
 */
unsigned prof_peek(uint32_t sample, uint64_t address, uint64_t *requested_bytes,
		   uint64_t *frames, unsigned max);

/*
 * A new maximum of mapped bytes was reached: prof_serve() makes the dump, if
 * prof_gdump is on.
 */
void prof_gdump(void);
/* Memory has become tight (prof_dump_tight). The same; locks may be held. */
void prof_tight(void);

/* Dumps that are wanted: a bit for each kind. Relaxed atomic. */
extern uint32_t prof_wishes HEAP_HIDDEN;
/*
 * Writes them, unless another thread is at it, or this one in the profiler.
 * No lock held, thread_busy 0. errno is kept.
 */
void prof_serve(void);

/* The request from outside, and the one that was seen last. */
extern const uint64_t *prof_request HEAP_HIDDEN;
extern uint64_t prof_request_seen HEAP_HIDDEN;

/* Is there a new one? For the slow paths. */
static inline bool prof_request_waits(void)
{
	return __atomic_load_n(prof_request, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&prof_request_seen, __ATOMIC_RELAXED);
}

/*
 * Does it, unless another thread is at it, or this one in the profiler. No
 * lock held, thread_busy 0. errno is kept.
 */
void prof_request_serve(void);

/* At exit: the dumps of prof_final and prof_peak_final, prof_leak's report. */
void prof_exit(void);

/* mallctl's side. Each returns 0 or an errno. */
int prof_dump(const char *path); /* NULL: the next name by prof_prefix */
/* The same of the last peak; ENOENT: there was none. */
int prof_dump_peak(const char *path);
int prof_prefix_set(const char *prefix); /* copied; EFAULT: too long */
int prof_reset(size_t lg_sample); /* forgets all samples, sets the rate */
bool prof_active_get(void);
void prof_active_set(bool active);
size_t prof_lg_sample_get(void);
int prof_thread_name_set(struct thread *thread, const char *name);
const char *prof_thread_name_get(struct thread *thread);
/* With opt.prof_sys_thread_name: takes the system's name of this thread. */
void prof_thread_name_follow(struct thread *thread);
bool prof_gdump_get(void);
void prof_gdump_set(bool on);
bool prof_thread_active_init_get(void);
void prof_thread_active_init_set(bool on);

/*
 * Fork: the locks in rank order, and what the child starts afresh, the
 * ledger included. thread: the one that forks, or NULL.
 */
void prof_prefork(void);
void prof_postfork_parent(void);
void prof_postfork_child(struct thread *thread);

#endif
