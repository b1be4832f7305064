/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controls, as the API's mallctl and malloc_stats_print reach them. The
 * arguments, the types and the errors are jemalloc's; liballoc(3) lists the
 * names. Any thread may call, and nothing here allocates or holds a lock of
 * its own, so fork needs no care. heap_boot() must have run.
 */
#ifndef LIBALLOC_CTL_CTL_H
#define LIBALLOC_CTL_CTL_H

#include <stddef.h>
#include <stdint.h>

#include "liballoc/ctl/options.h"

#define CTL_MAX_DEPTH 7 /* components of the longest name */

/*
 * Reads the control into oldp (of *oldlenp bytes) and sets it from newp (of
 * newlen bytes); either may be NULL. Returns 0 or
 * EINVAL: a wrong length (as much as fits was read; *oldlenp says how much),
 *	or a value that cannot be
 * ENOENT: no such control, or none in this process
 * EPERM: read-only and written, or write-only and read
 * EFAULT: the side effect failed
 * EAGAIN: memory is short
 */
int ctl_byname(const char *name, void *oldp, size_t *oldlenp, void *newp,
	       size_t newlen);
int ctl_bymib(const size_t *mib, size_t miblen, void *oldp, size_t *oldlenp,
	      void *newp, size_t newlen);
/*
 * The numbers that stand for the components of name, at most *miblenp of
 * them, which becomes how many; name may be the beginning of a control's.
 * A component that is an index has it as its number. 0 or ENOENT.
 */
int ctl_nametomib(const char *name, size_t *mib, size_t *miblenp);

/*
 * Prints the statistics through write_cb (malloc_message, or stderr, where it
 * is NULL). opts: jemalloc's letters; NULL: none.
 */
void ctl_stats_print(void (*write_cb)(void *, const char *), void *cbopaque,
		     const char *opts);

/* With opt.stats_interval: as below. */
void ctl_count_interval(uint64_t bytes);

/*
 * A thread allocated so many bytes since it last said so. From slow paths, with
 * no lock held.
 */
static inline void ctl_count_allocated(uint64_t bytes)
{
	if (opt.stats_interval >= 0)
		ctl_count_interval(bytes);
}
/* At exit: opt.stats_print. */
void ctl_exit(void);

#endif
