/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls: thread.*, of the calling thread.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

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

/* So that what a pointer was taken to is right at this moment too. */
static void publish_counters(struct thread *thread)
{
	heap_publish();
	thread_tell(thread);
}

/* number: 0 allocated, 1 deallocated. */
static uint64_t *counter(struct thread *thread, const struct ctl_call *call)
{
	return call->row->number ? &thread->deallocated
				 : &thread->allocated_told;
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

/* Reads what it was, sets what is to be. */
static int cache_max(const struct ctl_call *call, const struct ctl_request *r)
{
	struct thread *thread;
	size_t old, fresh;
	int error = this_thread(&thread);

	(void)call;
	if (error)
		return error;
	old = fresh = heap_thread_cache_max(thread);
	error = ctl_give_value(r, &old, sizeof(old));
	if (!error)
		error = ctl_take_value(r, &fresh, sizeof(fresh));
	if (fresh > OPTION_TCACHE_MAX_BYTES)
		fresh = OPTION_TCACHE_MAX_BYTES;
	if (!error && fresh != old)
		heap_thread_set_cache_max(thread, fresh);
	return error;
}

/* Given a size, reads how many objects of its class the cache may hold. */
static int read_bound(const struct ctl_call *call, const struct ctl_request *r)
{
	struct thread *thread;
	size_t bytes, bound;
	int error = this_thread(&thread);

	(void)call;
	if (!error && !r->newp)
		error = EINVAL;
	if (!error)
		error = ctl_take_value(r, &bytes, sizeof(bytes));
	if (!error && bytes > OPTION_TCACHE_MAX_BYTES)
		error = EINVAL;
	if (error)
		return error;
	bound = heap_thread_cache_bound(thread, bytes);
	return ctl_give_value(r, &bound, sizeof(bound));
}

#define MAX_BOUNDS_BYTES 1000

/* Takes a decimal number and the character that must follow it, if any. */
static bool take_number(const char **text, char then, size_t *number)
{
	const char *digit = *text;

	*number = 0;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (__builtin_mul_overflow(*number, (size_t)10, number) ||
		    __builtin_add_overflow(*number, (size_t)(*digit - '0'),
					   number))
			return false;
	if (digit == *text || (then && *digit != then))
		return false;
	*text = digit + (then != '\0');
	return true;
}

struct bound {
	size_t first_bytes;
	size_t last_bytes;
	size_t most;
};

/* "FIRST-LAST:MOST", and '|' before the next. */
static bool take_bound(const char **text, struct bound *bound)
{
	if (!take_number(text, '-', &bound->first_bytes) ||
	    !take_number(text, ':', &bound->last_bytes) ||
	    !take_number(text, '\0', &bound->most))
		return false;
	if (bound->last_bytes > OPTION_TCACHE_MAX_BYTES)
		bound->last_bytes = OPTION_TCACHE_MAX_BYTES;
	if (bound->most > OPTION_TCACHE_MAX_SLOTS)
		bound->most = OPTION_TCACHE_MAX_SLOTS;
	if (**text == '|' && (*text)[1])
		++*text;
	else if (**text)
		return false;
	return true;
}

/* All or nothing: thread is NULL where the text is only looked at. */
static bool take_bounds(const char *text, struct thread *thread)
{
	struct bound bound;

	while (*text) {
		if (!take_bound(&text, &bound))
			return false;
		if (thread && bound.first_bytes <= bound.last_bytes)
			heap_thread_set_cache_bound(thread, bound.first_bytes,
						    bound.last_bytes,
						    (unsigned)bound.most);
	}
	return true;
}

static int set_bounds(const struct ctl_call *call, const uint64_t *value)
{
	struct thread *thread;
	const char *text;
	int error = this_thread(&thread);

	(void)call;
	if (error || !value)
		return error;
	if (!heap_thread_cache_enabled(thread))
		return ENOENT;
	text = (const char *)(uintptr_t)*value;
	if (!text || strnlen(text, MAX_BOUNDS_BYTES) == MAX_BOUNDS_BYTES ||
	    !take_bounds(text, NULL))
		return EINVAL;
	take_bounds(text, thread);
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

enum { FIRST_ROW = __COUNTER__ + 1 };

static void row_at(unsigned index, struct ctl_row *row)
{
	switch (index) {
		CTL_ROW("thread.arena", CTL_UNSIGNED, .get = get_arena,
			.set = set_arena);
		CTL_ROW("thread.allocated", CTL_UINT64, .get = get_counter,
			.number = 0);
		CTL_ROW("thread.allocatedp", CTL_POINTER,
			.get = get_counter_pointer, .number = 0);
		CTL_ROW("thread.deallocated", CTL_UINT64, .get = get_counter,
			.number = 1);
		CTL_ROW("thread.deallocatedp", CTL_POINTER,
			.get = get_counter_pointer, .number = 1);
		CTL_ROW("thread.tcache.enabled", CTL_BOOL, CTL_GIVE_LAST,
			.get = get_tcache_enabled, .set = set_tcache_enabled);
		CTL_ROW("thread.tcache.flush", CTL_VOID,
			.set = do_tcache_flush);
		CTL_ROW("thread.tcache.max", CTL_SIZE, .io = cache_max);
		CTL_ROW("thread.tcache.ncached_max.read_sizeclass", CTL_SIZE,
			.io = read_bound);
		CTL_ROW("thread.tcache.ncached_max.write", CTL_STRING,
			.set = set_bounds);
		CTL_ROW("thread.peak.read", CTL_UINT64, .get = get_peak);
		CTL_ROW("thread.peak.reset", CTL_VOID, .set = do_peak_reset);
		CTL_ROW("thread.idle", CTL_VOID, .set = do_idle);
		CTL_ROW("thread.prof.name", CTL_STRING,
			CTL_EITHER | CTL_NEEDS_PROF, .get = get_prof_name,
			.set = set_prof_name);
		CTL_ROW("thread.prof.active", CTL_BOOL,
			CTL_SET_PROF | CTL_GIVE_LAST, .get = get_prof_active,
			.set = set_prof_active);
	}
}

const struct ctl_table ctl_thread_table = {row_at, __COUNTER__ - FIRST_ROW};
