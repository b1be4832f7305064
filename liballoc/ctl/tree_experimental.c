/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls: the profiler's hooks, and experimental.utilization.* and
 * experimental.batch_alloc, which take and fill structs of the program's. Their
 * layouts are jemalloc's, as its documentation of these controls describes
 * them.
 */
#include "config.h"

#include <errno.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/prof/hooks.h"
#include "liballoc/prof/recent.h"

/* Of one pointer: the slab that the next such object would come from, too. */
struct verbose_use {
	const void *current;
	size_t free;
	size_t regions;
	size_t bytes;
	size_t class_free;
	size_t class_regions;
};

/* Of each of many pointers. */
struct brief_use {
	size_t free;
	size_t regions;
	size_t bytes;
};

static int query(const struct ctl_call *call, const struct ctl_request *r)
{
	struct heap_use use;
	struct verbose_use result;
	const void *pointer;
	int error;

	(void)call;
	if (!r->oldp || !r->oldlenp || *r->oldlenp != sizeof(result) ||
	    !r->newp)
		return EINVAL;
	error = ctl_take_value(r, &pointer, sizeof(pointer));
	if (error)
		return error;
	heap_use_of(pointer, &use);
	result = (struct verbose_use){
		.current = use.current,
		.free = use.free,
		.regions = use.regions,
		.bytes = use.bytes,
		.class_free = use.class_free,
		.class_regions = use.class_regions,
	};
	return ctl_give_value(r, &result, sizeof(result));
}

static int batch_query(const struct ctl_call *call, const struct ctl_request *r)
{
	size_t count = r->newlen / sizeof(void *);
	const void *const *pointers = r->newp;
	struct brief_use *results = r->oldp;
	struct heap_use use;

	(void)call;
	if (!results || !r->oldlenp || !pointers || !count ||
	    r->newlen % sizeof(void *) ||
	    *r->oldlenp != count * sizeof(*results))
		return EINVAL;
	for (size_t i = 0; i < count; i++) {
		heap_use_of(pointers[i], &use);
		results[i] =
			(struct brief_use){use.free, use.regions, use.bytes};
	}
	return 0;
}

struct batch {
	void **pointers;
	size_t count;
	size_t size;
	int flags;
};

/* Reads how many there are, which may be fewer than were asked for. */
static int batch_alloc(const struct ctl_call *call, const struct ctl_request *r)
{
	struct batch batch;
	size_t made = 0;
	int error = ctl_must_read(r, sizeof(made));

	(void)call;
	if (!error && !r->newp)
		error = EINVAL;
	if (!error)
		error = ctl_take_value(r, &batch, sizeof(batch));
	if (error)
		return error;
	while (made < batch.count &&
	       (batch.pointers[made] = mallocx(batch.size, batch.flags)))
		made++;
	return ctl_give_value(r, &made, sizeof(made));
}

/* number: which hook. What is read is what was there before. */
static int prof_hook(const struct ctl_call *call, const struct ctl_request *r)
{
	enum prof_hook which = (enum prof_hook)call->row->number;
	uintptr_t hook = prof_hook_get(which);
	int error;

	if (!r->oldp && !r->newp)
		return EINVAL;
	error = ctl_give_value(r, &hook, sizeof(hook));
	if (error || !r->newp)
		return error;
	if (!opt.prof)
		return ENOENT;
	error = ctl_take_value(r, &hook, sizeof(hook));
	if (error)
		return error;
	if (!hook && which == PROF_HOOK_BACKTRACE)
		return EINVAL;
	prof_hook_set(which, hook);
	return 0;
}

static int recent_alloc_max(const struct ctl_call *call,
			    const struct ctl_request *r)
{
	ssize_t max = 0, old = recent_max();
	int error;

	(void)call;
	if (!opt.prof)
		return ENOENT;
	error = ctl_take_value(r, &max, sizeof(max));
	if (!error && r->newp && max < -1)
		error = EINVAL;
	if (error)
		return error;
	if (r->newp)
		old = recent_set_max(max);
	return ctl_give_value(r, &old, sizeof(old));
}

/* As jemalloc's: what is to be called, and with what. */
struct recent_target {
	void (*write)(void *opaque, const char *text);
	void *opaque;
};

static int recent_alloc_dump(const struct ctl_call *call,
			     const struct ctl_request *r)
{
	struct recent_target target;
	int error;

	(void)call;
	if (!opt.prof)
		return ENOENT;
	if (r->oldp || r->oldlenp)
		return EPERM;
	if (!r->newp)
		return EINVAL;
	error = ctl_take_value(r, &target, sizeof(target));
	if (!error && !recent_dump(target.write, target.opaque))
		error = EAGAIN;
	return error;
}

#define HOOK_ROW(hook, which)                                                  \
 CTL_ROW("experimental.hooks." hook, CTL_POINTER, .io = prof_hook,             \
	 .number = (which), .c_type = hook "_hook_t")

enum { FIRST_ROW = __COUNTER__ + 1 };

static void row_at(unsigned index, struct ctl_row *row)
{
	switch (index) {
		HOOK_ROW("prof_backtrace", PROF_HOOK_BACKTRACE);
		HOOK_ROW("prof_dump", PROF_HOOK_DUMP);
		HOOK_ROW("prof_sample", PROF_HOOK_SAMPLE);
		HOOK_ROW("prof_sample_free", PROF_HOOK_SAMPLE_FREE);
		CTL_ROW("experimental.prof_recent.alloc_max", CTL_SSIZE,
			.io = recent_alloc_max);
		CTL_ROW("experimental.prof_recent.alloc_dump", CTL_VOID,
			CTL_WRITE_ONLY, .io = recent_alloc_dump,
			.c_type = "write_cb packet");
		CTL_ROW("experimental.utilization.query", CTL_VOID,
			.io = query);
		CTL_ROW("experimental.utilization.batch_query", CTL_VOID,
			.io = batch_query);
		CTL_ROW("experimental.batch_alloc", CTL_SIZE,
			.io = batch_alloc);
	}
}

const struct ctl_table ctl_experimental_table = {row_at,
						 __COUNTER__ - FIRST_ROW};
