/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profiler's hooks: functions of the program's that it calls for stacks,
 * dumps, samples and their frees (mallctl experimental.hooks.prof_*), with
 * jemalloc's types. Each is called with no lock held and the thread's
 * reentrancy up: a hook may allocate and free, and what it allocates is not
 * sampled. errno is kept.
 */
#ifndef LIBALLOC_PROF_HOOKS_H
#define LIBALLOC_PROF_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/os.h"

struct thread;
struct sampled;

enum prof_hook {
	/* void (void **frames, unsigned *depth, unsigned max) */
	PROF_HOOK_BACKTRACE,
	/* void (const char *path): the dump is there */
	PROF_HOOK_DUMP,
	/* void (const void *ptr, size_t requested, void **frames, unsigned
	   depth, size_t usable) */
	PROF_HOOK_SAMPLE,
	/* void (const void *ptr, size_t usable): it is about to be freed */
	PROF_HOOK_SAMPLE_FREE,
	PROF_HOOKS
};

/* As words. PROF_HOOK_BACKTRACE is never 0: it has a default, ours. */
uintptr_t prof_hook_get(enum prof_hook which);
void prof_hook_set(enum prof_hook which, uintptr_t hook);

/* For the profiler: the hooks, as words; 0: none. */
extern uintptr_t prof_hooks[PROF_HOOKS] HEAP_HIDDEN;
static inline bool hooks_have(enum prof_hook which)
{
	return __atomic_load_n(&prof_hooks[which], __ATOMIC_RELAXED) != 0;
}

/* The stack by the program's own, at most max frames; how many. */
unsigned hooks_backtrace(uint64_t *frames, unsigned max);
/* Each does nothing where there is no such hook; thread may be NULL. */
void hooks_dumped(struct thread *thread, const char *path);
void hooks_sampled(struct thread *thread, const struct sampled *what,
		   const uint64_t *frames, unsigned depth);
void hooks_freed(struct thread *thread, const void *ptr, size_t usable_bytes);

#endif
