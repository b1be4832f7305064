/* SPDX-License-Identifier: BSD-2-Clause */
/* When and where profiles are dumped. */
#include "config.h"

#include <errno.h>

#include "liballoc/prof/prof.h"
#include "liballoc/prof/state.h"

void triggers_boot(void)
{
}

void triggers_count(uint64_t bytes)
{
	(void)bytes;
}

void triggers_postfork_child(void)
{
}

void prof_gdump(void)
{
}

void prof_exit(void)
{
}

int prof_dump(const char *path)
{
	(void)path;
	return ENOSYS;
}

int prof_prefix_set(const char *prefix)
{
	(void)prefix;
	return ENOSYS;
}
