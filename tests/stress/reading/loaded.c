/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaded and unloaded over and over: allocates as it comes and as it goes. */
#include <stdlib.h>

static void *kept;

__attribute__((constructor)) static void come(void)
{
	kept = malloc(100000);
}

__attribute__((destructor)) static void go(void)
{
	free(kept);
}
