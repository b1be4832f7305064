/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of /proc/PID, for the files of this folder.
 */
#ifndef LIBJEHEAP_TARGET_PROC_H
#define LIBJEHEAP_TARGET_PROC_H

#include <stdbool.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/str.h"
#include "libjeheap/target/target.h"

/* The whole of /proc/PID/FILE; false and errno where it fails. */
bool proc_read(struct arena *arena, int pid, const char *file,
	       struct str *content);
/*
 * Is it stopped, by a signal or a tracer (proc_pid_stat(5))? False where it is
 * gone.
 */
bool target_is_stopped(const struct target *target);
/* May this user read the process's memory? */
bool target_probe(struct target *target, struct diag *diag);

#endif
