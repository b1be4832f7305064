/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls: thread.*, of the calling thread.
 */
#include "config.h"

#include <errno.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/prof/prof.h"

/* Each getter and setter needs one; there is none where memory is short. */
static int this_thread(struct thread **thread)
{
	*thread = thread_get();
	return *thread ? 0 : EAGAIN;
}

static int get_arena(const struct ctl_call *call, uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	if (!error)
		*value = heap_thread_arena(thread);
	return error;
}

static int set_arena(const struct ctl_call *call, const uint64_t *value)
{
	struct thread *thread;
	struct arena *arena;
	int error = this_thread(&thread);

	(void)call;
	if (error)
		return error;
	if (*value >= heap_arena_count())
		return EFAULT;
	if (*value == heap_thread_arena(thread))
		return 0;
	if (*value < heap_cpu_arenas())
		return EPERM;
	arena = heap_arena_get((unsigned)*value);
	if (!arena)
		return EAGAIN;
	heap_thread_set_arena(thread, arena);
	return 0;
}

/*
 * Brings the thread's counters up to now. What the countdown has counted goes
 * over into allocated, so that a pointer to that is right at this moment too.
 */
static void publish_counters(struct thread *thread)
{
	thread->allocated +=
		(uint64_t)(thread->countdown_start - thread->countdown);
	thread->countdown_start = thread->countdown;
	heap_publish();
}

/* number: 0 allocated, 1 deallocated. */
static uint64_t *counter(struct thread *thread, const struct ctl_call *call)
{
	return call->row->number ? &thread->deallocated : &thread->allocated;
}

static int get_counter(const struct ctl_call *call, uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	if (error)
		return error;
	publish_counters(thread);
	*value = *counter(thread, call);
	return 0;
}

static int get_counter_pointer(const struct ctl_call *call, uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	if (error)
		return error;
	publish_counters(thread);
	*value = ctl_from_pointer(counter(thread, call));
	return 0;
}

static int get_tcache_enabled(const struct ctl_call *call, uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	if (!error)
		*value = heap_thread_cache_enabled(thread);
	return error;
}

static int set_tcache_enabled(const struct ctl_call *call,
			      const uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	if (!error)
		heap_thread_enable_cache(thread, *value);
	return error;
}

static int do_tcache_flush(const struct ctl_call *call, const uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	(void)value;
	if (error)
		return error;
	if (!heap_thread_cache_enabled(thread))
		return EFAULT;
	heap_thread_flush(thread);
	return 0;
}

static int do_idle(const struct ctl_call *call, const uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	(void)value;
	if (error)
		return error;
	heap_thread_flush(thread);
	if (thread->arena)
		heap_arena_decay(thread->arena);
	return 0;
}

static int get_peak(const struct ctl_call *call, uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	if (!error)
		*value = thread_peak(thread);
	return error;
}

static int do_peak_reset(const struct ctl_call *call, const uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	(void)value;
	if (!error)
		thread_peak_reset(thread);
	return error;
}

static int get_prof_name(const struct ctl_call *call, uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	if (!error)
		*value = ctl_from_pointer(prof_thread_name_get(thread));
	return error;
}

static int set_prof_name(const struct ctl_call *call, const uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	if (error)
		return error;
	return prof_thread_name_set(thread, (const char *)(uintptr_t)*value);
}

static int get_prof_active(const struct ctl_call *call, uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	if (!error)
		*value = opt.prof && thread->prof.active;
	return error;
}

static int set_prof_active(const struct ctl_call *call, const uint64_t *value)
{
	struct thread *thread;
	int error = this_thread(&thread);

	(void)call;
	if (!error)
		thread->prof.active = *value;
	return error;
}

static const struct ctl_row rows[] = {
	{"thread.arena", CTL_UNSIGNED, .get = get_arena, .set = set_arena},
	{"thread.allocated", CTL_UINT64, .get = get_counter, .number = 0},
	{"thread.allocatedp", CTL_POINTER, .get = get_counter_pointer,
	 .number = 0},
	{"thread.deallocated", CTL_UINT64, .get = get_counter, .number = 1},
	{"thread.deallocatedp", CTL_POINTER, .get = get_counter_pointer,
	 .number = 1},
	{"thread.tcache.enabled", CTL_BOOL, .get = get_tcache_enabled,
	 .set = set_tcache_enabled},
	{"thread.tcache.flush", CTL_VOID, .set = do_tcache_flush},
	{"thread.peak.read", CTL_UINT64, .get = get_peak},
	{"thread.peak.reset", CTL_VOID, .set = do_peak_reset},
	{"thread.idle", CTL_VOID, .set = do_idle},
	{"thread.prof.name", CTL_STRING, CTL_EITHER | CTL_NEEDS_PROF,
	 .get = get_prof_name, .set = set_prof_name},
	{"thread.prof.active", CTL_BOOL, CTL_SET_PROF, .get = get_prof_active,
	 .set = set_prof_active},
};

const struct ctl_table ctl_thread_table = {rows,
					   sizeof(rows) / sizeof(rows[0])};
