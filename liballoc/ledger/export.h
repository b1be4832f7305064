/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A copy of the ledger's figures in a sealed memfd, for readers who may look
 * at the process's descriptors but not into its memory: same user, under Yama
 * (LEDGER_EXPORT_NAME in layout.h). Made at boot and in the child of a fork,
 * brought up to date by threads that leave the slow paths. Nothing depends on
 * it: where it cannot be made, or the program closes its descriptor, there is
 * none. The descriptor is never used again, since its number may be another
 * file's by then; the copy is written through a mapping.
 */
#ifndef LIBALLOC_LEDGER_EXPORT_H
#define LIBALLOC_LEDGER_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/ledger/layout.h"

/* The copy, or NULL. Written by export.c alone. */
extern struct ledger_header *ledger_export_window
	__attribute__((visibility("hidden")));

/* Once, when the size classes are in the ledger. Keeps errno. */
void ledger_export_boot(void);
/* Brings the copy up to date now, unless another thread is at it. */
void ledger_export_now(void);
/*
 * The same where it is due: after 10 ms, or sooner where the heap has changed
 * much, so that what a burst leaves behind is seen although no thread comes by
 * any more. moved_bytes: any sum that changes with the heap, up or down. Copies
 * take a hundredth of one CPU's time at most. look: false where the clock was
 * read a short while ago, and only a change counts.
 */
void ledger_export_when_due(uint64_t moved_bytes, bool look);
/*
 * Around fork: a copy of its own for the child, under the same number where
 * that is ours still. It takes some 50 us, so the children of a process that
 * forks more than ten times a second for long go without.
 */
void ledger_export_prefork(void);
void ledger_export_postfork_child(void);

/* For threads that leave a slow path, with no lock held. */
static inline void ledger_export_look(uint64_t moved_bytes, bool look)
{
	if (ledger_export_window)
		ledger_export_when_due(moved_bytes, look);
}

#endif
