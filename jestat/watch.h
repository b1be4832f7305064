/* SPDX-License-Identifier: BSD-2-Clause */
/* `jestat PID`: reads one process again and again until it ends. */
#ifndef JESTAT_WATCH_H
#define JESTAT_WATCH_H

#include "jestat/print.h"
#include "libjeheap/base/diag.h"

struct schedule {
	double interval_seconds; /* 0: once */
	uint64_t count;		 /* readings; 0: until the process ends */
};

/*
 * False where the first reading, or writing, fails. The end of the process
 * is not a failure: it is told on stderr.
 */
bool watch_process(int pid, const struct schedule *schedule,
		   const struct print_options *options, struct diag *diag);

#endif
