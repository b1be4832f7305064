/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the API share: how a function is exported, and how a lack
 * of memory is reported.
 */
#ifndef LIBALLOC_API_API_H
#define LIBALLOC_API_API_H

#include <stdbool.h>
#include <stddef.h>

#define API __attribute__((visibility("default")))

/* Whether the sized forms of free look at the size. */
#ifdef LIBALLOC_DEBUG
# define API_CHECKS_SIZES true
#else
# define API_CHECKS_SIZES false
#endif

/* Sets ENOMEM, or with opt.xmalloc aborts with a message; returns NULL. */
void *api_out_of_memory(void) __attribute__((cold));

static inline void *api_result(void *ptr)
{
	return __builtin_expect(ptr != NULL, 1) ? ptr : api_out_of_memory();
}

#endif
