/* SPDX-License-Identifier: BSD-2-Clause */
/* `jestat set PID NAME[=VALUE]`: asks a process to change something. */
#ifndef JESTAT_SET_H
#define JESTAT_SET_H

#include <stdbool.h>

#include "libjeheap/base/diag.h"

/*
 * text: "prof.active=true" and so on. Says on stdout that it is done. False
 * where it is not: *refused tells the process's "no" from trouble.
 */
bool set_in_process(int pid, const char *text, double wait_seconds,
		    bool *refused, struct diag *diag);

#endif
