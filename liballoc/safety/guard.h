/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guarded objects: a share of the samples (opt.prof_guard) lies in pages of
 * its own between pages that cannot be touched, so that overflows fault; once
 * freed, its own pages cannot be touched either, for as long as a bounded
 * quarantine has room. A handler of SIGSEGV tells of such faults.
 *
 * Each guarded object has a backing, an ordinary object that is allocated and
 * freed with it, by which all statistics count it.
 */
#ifndef LIBALLOC_SAFETY_GUARD_H
#define LIBALLOC_SAFETY_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/ctl/print.h"

/* Larger objects are never guarded. */
#define GUARD_MAX_BYTES ((size_t)64 << 10)
/* As alignment: this one must stay where it is. */
#define GUARD_NEVER SIZE_MAX

/* Once, where opt.prof_guard asks for it: takes address space, the signal. */
void guard_boot(void);

/*
 * Zeroed memory for bytes in place of backing, if this one is to be guarded
 * and there is room; else NULL. No lock held.
 */
void *guard_take(void *backing, size_t bytes, size_t alignment);
/*
 * The program frees ptr: checks what lies round it, closes its pages, returns
 * its backing. quarantine: false where the program never saw it. Aborts where
 * ptr is no guarded object in use.
 */
void *guard_give(void *ptr, bool quarantine);
/* The backing of ptr, where that is guarded and in use; else ptr. */
const void *guard_backing(const void *ptr);

/* Did an object that was guarded, and was freed, begin at ptr? */
bool guard_was_freed(const void *ptr);

/* For reports, no lock taken: tells of the object at address, if guarded. */
bool guard_describe(struct print *out, uintptr_t address);

void guard_prefork(void);
void guard_postfork_parent(void);
void guard_postfork_child(void);

#endif
