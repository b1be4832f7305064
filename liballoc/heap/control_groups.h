/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of control groups. All functions use the same static buffers: the
 * caller (container.c) sees to it that one thread at a time is in here. errno
 * is kept; nothing is allocated.
 */
#ifndef LIBALLOC_HEAP_CONTROL_GROUPS_H
#define LIBALLOC_HEAP_CONTROL_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#define GROUP_NO_LIMIT UINT64_MAX

struct group_memory {
	uint64_t limit; /* the fullest group's; GROUP_NO_LIMIT: none */
	uint64_t usage; /* bytes in it that the kernel cannot just drop */
	uint64_t
		pressure; /* some tasks wait, hundredths of a percent of 10 s */
};

/* CPUs that the quotas of all groups above allow, rounded up; 0: no quota. */
unsigned groups_cpu_count(void);
/* CPUs of the machine by the tree of opt.cgroup_root; 0: it does not say. */
unsigned groups_machine_cpus(void);
/*
 * Of all groups from the process's own up to the root, the one with the least
 * room. limits_too: reads the limits and the pressure again, and where the
 * groups are, now and then.
 */
void groups_read_memory(struct group_memory *memory, bool limits_too);

#endif
