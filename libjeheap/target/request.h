/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to a process on liballoc: the one word that is ever written to a
 * process, and only where it said, by opt.prof_control, that it wants that.
 */
#ifndef LIBJEHEAP_TARGET_REQUEST_H
#define LIBJEHEAP_TARGET_REQUEST_H

#include "libjeheap/target/target.h"

enum request_outcome {
	REQUEST_DONE,
	REQUEST_REFUSED, /* it takes none, or would not do this one */
	REQUEST_WAITS,	 /* it has not looked within the time */
	REQUEST_FAILED,	 /* it cannot be written to, or read any more */
};

/*
 * Asks the process to do a command (enum ledger_command) with its value, and
 * waits for its answer for so many seconds. diag says what happened where it
 * is not done, with the remedy.
 */
enum request_outcome target_request(struct target *target, unsigned command,
				    unsigned value, double seconds,
				    struct diag *diag);

#endif
