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
/* Its number in its own pid namespace; pid where that is not known. */
int target_inner_pid(int pid);
/* Sets the diag to why its memory may not be read, and what would help. */
bool fail_permission(const struct target *target, struct diag *diag);
/*
 * Bytes allocated by the ledger at ledger_address, or by the snapshot where
 * that is open: to choose between several.
 */
double target_weigh_ledger(struct target *target);
/*
 * Opens the snapshot that the process exports, if it has one of its own, as
 * target->snapshot_fd.
 */
bool target_find_snapshot(struct target *target);
/* May this user read the process's memory? */
bool target_probe(struct target *target, struct diag *diag);

#endif
