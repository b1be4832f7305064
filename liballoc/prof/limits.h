/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which dumps the size of the heap and the want of memory ask for:
 * prof_dump_above and prof_dump_tight. Only says so; triggers.c makes them.
 */
#ifndef LIBALLOC_PROF_LIMITS_H
#define LIBALLOC_PROF_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/ctl/options.h"

/* Is there anything to be looked at? */
static inline bool limits_any(void)
{
	return opt.prof_dump_above.bytes || opt.prof_dump_above.percent;
}
/*
 * So many bytes are live: has the heap, or what is used of the control group's
 * limit, passed where the next dump is due? Any thread; true for one of them.
 */
bool limits_look(uint64_t live);
/* Memory has become tight: is there to be a dump? */
bool limits_tight(void);
void limits_postfork_child(void);

#endif
