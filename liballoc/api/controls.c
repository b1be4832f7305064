/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jemalloc's mallctl family and malloc_stats_print, under their exported
 * names. Owns no state; ctl/ does the work.
 */
#include "config.h"

#include "liballoc/api/api.h"
#include "liballoc/ctl/ctl.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"

API int mallctl(const char *name, void *oldp, size_t *oldlenp, void *newp,
		size_t newlen)
{
	heap_boot();
	return ctl_byname(name, oldp, oldlenp, newp, newlen);
}

API int mallctlnametomib(const char *name, size_t *mibp, size_t *miblenp)
{
	heap_boot();
	return ctl_nametomib(name, mibp, miblenp);
}

API int mallctlbymib(const size_t *mib, size_t miblen, void *oldp,
		     size_t *oldlenp, void *newp, size_t newlen)
{
	heap_boot();
	return ctl_bymib(mib, miblen, oldp, oldlenp, newp, newlen);
}

API void malloc_stats_print(void (*write_cb)(void *, const char *),
			    void *cbopaque, const char *opts)
{
	heap_boot();
	ctl_stats_print(write_cb, cbopaque, opts);
}
