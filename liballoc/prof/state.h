/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the profiler's files share: the switches that can change at run time.
 * All are read and written with relaxed atomics.
 */
#ifndef LIBALLOC_PROF_STATE_H
#define LIBALLOC_PROF_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/os.h"

struct thread;

struct prof_state {
	bool ready; /* opt.prof, and there was memory for the tables */
	bool active;
	bool thread_active_init;
	bool gdump;
	uint32_t lg_sample;
};

extern struct prof_state prof_state HEAP_HIDDEN;

/* Sets the rate here and in the ledger. */
void prof_state_set_rate(unsigned lg_sample);

static inline bool prof_state_active(void)
{
	return __atomic_load_n(&prof_state.active, __ATOMIC_RELAXED);
}

static inline uint32_t prof_state_rate(void)
{
	return __atomic_load_n(&prof_state.lg_sample, __ATOMIC_RELAXED);
}

/*
 * Counts bytes that the thread allocated towards lg_prof_interval, and looks
 * for peaks; dumps when due.
 */
void triggers_count(struct thread *thread, uint64_t bytes);
void triggers_boot(void);
/* After ledger_boot(): heeds requests from now on, with opt.prof_control. */
void requests_boot(void);
/* As prof_request_serve(), but at the outermost event of a thread. */
void requests_serve(void);
void triggers_postfork_child(void);

#endif
