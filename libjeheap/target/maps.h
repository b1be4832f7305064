/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of /proc/PID/maps, one after the other (proc_pid_maps(5)).
 */
#ifndef LIBJEHEAP_TARGET_MAPS_H
#define LIBJEHEAP_TARGET_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "libjeheap/base/str.h"

struct map_line {
	uint64_t start, limit, offset;
	bool readable, writable, shared;
	struct str path; /* as the kernel writes it; empty: anonymous */
};

/* Takes the next well-formed line off *maps; false at the end. */
bool next_map(struct str *maps, struct map_line *line);

#endif
