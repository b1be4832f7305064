/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program with options of its own, built with liballoc inside. Prints the
 * number of arenas, the sampling rate and the decay time that are in force.
 */
#include <stdio.h>
#include <sys/types.h>

#include "liballoc/liballoc.h"

const char *malloc_conf = "narenas:3,lg_prof_sample:20";

int main(void)
{
	unsigned narenas = 0;
	size_t length = sizeof(narenas), lg_sample = 0;
	ssize_t decay_ms = 0;

	mallctl("opt.narenas", &narenas, &length, NULL, 0);
	length = sizeof(lg_sample);
	mallctl("opt.lg_prof_sample", &lg_sample, &length, NULL, 0);
	length = sizeof(decay_ms);
	mallctl("opt.dirty_decay_ms", &decay_ms, &length, NULL, 0);
	printf("%u %zu %zd\n", narenas, lg_sample, decay_ms);
	return 0;
}
