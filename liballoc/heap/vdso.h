/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock in the image that the kernel maps into each process. libc calls the
 * same, from a page that nothing else of a small process needs, and which comes
 * with the 64 KiB around it.
 */
#ifndef LIBALLOC_HEAP_VDSO_H
#define LIBALLOC_HEAP_VDSO_H

#include <stdbool.h>
#include <time.h>

/* Looks for it, once; false: the kernel has none. Takes no lock. */
bool vdso_boot(void);
/*
 * As clock_gettime(), which it is where the kernel has none; *now stays as
 * it is where there is no such clock. Keeps errno.
 */
void vdso_clock(clockid_t id, struct timespec *now);

#endif
