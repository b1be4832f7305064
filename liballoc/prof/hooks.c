/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the hooks as words and calls them. What a hook does is the program's
 * affair; that it is called outside of all locks is ours.
 */
#include "config.h"

#include "liballoc/prof/hooks.h"

#include <errno.h>
#include <string.h>

#include "liballoc/heap/thread.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/tables.h"

_Static_assert(sizeof(void *) == sizeof(uint64_t), "frames are pointers");

typedef void backtrace_hook(void **frames, unsigned *depth, unsigned max);
typedef void dump_hook(const char *path);
typedef void sample_hook(const void *ptr, size_t requested_bytes, void **frames,
			 unsigned depth, size_t usable_bytes);
typedef void sample_free_hook(const void *ptr, size_t usable_bytes);

/* What a program finds as the hook for stacks, and may call from its own. */
static void default_backtrace(void **frames, unsigned *depth, unsigned max)
{
	uint64_t all[BACKTRACE_MAX];

	*depth = backtrace_hooked(all, max);
	memcpy(frames, all, *depth * sizeof(all[0]));
}

uintptr_t prof_hooks[PROF_HOOKS];

static uintptr_t get(enum prof_hook which)
{
	return __atomic_load_n(&prof_hooks[which], __ATOMIC_ACQUIRE);
}

uintptr_t prof_hook_get(enum prof_hook which)
{
	uintptr_t hook = get(which);

	return which == PROF_HOOK_BACKTRACE && !hook
		       ? (uintptr_t)default_backtrace
		       : hook;
}

void prof_hook_set(enum prof_hook which, uintptr_t hook)
{
	if (which == PROF_HOOK_BACKTRACE &&
	    hook == (uintptr_t)default_backtrace)
		hook = 0;
	__atomic_store_n(&prof_hooks[which], hook, __ATOMIC_RELEASE);
}

/* A hook that claims more frames than there was room for is not believed. */
unsigned hooks_backtrace(uint64_t *frames, unsigned max)
{
	backtrace_hook *hook =
		(backtrace_hook *)prof_hook_get(PROF_HOOK_BACKTRACE);
	unsigned depth = 0;
	int kept_errno = errno;

	hook((void **)frames, &depth, max);
	errno = kept_errno;
	return depth < max ? depth : max;
}

static void enter(struct thread *thread)
{
	if (thread)
		thread->reentrancy++;
}

static void leave(struct thread *thread)
{
	if (thread)
		thread->reentrancy--;
}

void hooks_dumped(struct thread *thread, const char *path)
{
	dump_hook *hook = (dump_hook *)get(PROF_HOOK_DUMP);
	int kept_errno = errno;

	if (!hook)
		return;
	enter(thread);
	hook(path);
	leave(thread);
	errno = kept_errno;
}

void hooks_sampled(struct thread *thread, const struct sampled *what,
		   const uint64_t *frames, unsigned depth)
{
	sample_hook *hook = (sample_hook *)get(PROF_HOOK_SAMPLE);
	uint64_t copy[BACKTRACE_MAX];
	int kept_errno = errno;

	if (!hook)
		return;
	memcpy(copy, frames, depth * sizeof(copy[0]));
	enter(thread);
	hook((const void *)(uintptr_t)what->address, what->requested_bytes,
	     (void **)copy, depth, what->usable_bytes);
	leave(thread);
	errno = kept_errno;
}

void hooks_freed(struct thread *thread, const void *ptr, size_t usable_bytes)
{
	sample_free_hook *hook = (sample_free_hook *)get(PROF_HOOK_SAMPLE_FREE);
	int kept_errno = errno;

	if (!hook)
		return;
	enter(thread);
	hook(ptr, usable_bytes);
	leave(thread);
	errno = kept_errno;
}
