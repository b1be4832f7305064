/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control groups that the process runs in, version 1 and 2: how many CPUs
 * they allow, how much memory, and how much of it is used. Near the limit the
 * heap gives back all it can, before the kernel kills. Files are read with raw
 * system calls into static buffers, by one thread at a time; nothing here
 * allocates, and a file that makes no sense counts as one that sets no limit.
 *
 * Formats: the kernel's Documentation/admin-guide/cgroup-v2.rst and
 * cgroup-v1/memory.rst, accounting/psi.rst; proc(5) and cgroups(7).
 */
#ifndef LIBALLOC_HEAP_CONTAINER_H
#define LIBALLOC_HEAP_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What part of their usual size, of 256, caches and reserves should have: less
 * in a small container and near its limit. Relaxed atomic.
 */
extern uint32_t container_scale;
#define CONTAINER_FULL_SCALE 256u
/* Is there memory enough that a page too much does not matter? */
static inline bool container_is_roomy(void)
{
	return __atomic_load_n(&container_scale, __ATOMIC_RELAXED) ==
	       CONTAINER_FULL_SCALE;
}
/* Grows whenever all threads should empty their caches. Relaxed atomic. */
extern uint32_t container_squeezes;

/*
 * Of so many CPUs, those that the quotas allow, rounded up; of two, quotas are
 * not looked at. At boot.
 */
unsigned container_cpu_count(unsigned cpus);

/* How far the heap has grown when a look is due. Relaxed atomic. */
extern uint64_t container_look_at;

/* Is the memory nearly used up? */
bool container_is_tight(void);
/*
 * The heap has grown, or gives back: looks at the usage where enough has
 * happened since the last look, and at the limits after a second or more.
 * Gives back everything where memory is tight. No lock held but
 * LOCK_BACKGROUND, thread_busy > 0.
 */
void container_look(size_t grown_bytes);

void container_prefork(void);
void container_postfork_parent(void);
void container_postfork_child(void);

#endif
