/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls of arenas one by one: making them, arena.<i>.reset and destroy,
 * hooks, names, limits.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"

/* Of arena.<i>; NULL: a pseudo index, or not yet made. */
static struct arena *arena_of(const struct ctl_call *call)
{
	return heap_arena((unsigned)call->mib[1]);
}

static int do_reset(const struct ctl_call *call, const uint64_t *value)
{
	struct arena *arena = arena_of(call);

	(void)value;
	return arena && heap_arena_reset(arena) ? 0 : EFAULT;
}

static int do_destroy(const struct ctl_call *call, const uint64_t *value)
{
	struct arena *arena = arena_of(call);

	(void)value;
	return arena && heap_arena_destroy(arena) ? 0 : EFAULT;
}

static int get_hooks(const struct ctl_call *call, uint64_t *value)
{
	size_t index = call->mib[1];

	if (index >= heap_arena_count())
		return EFAULT;
	if (!arena_of(call) && !heap_arena_is_automatic((unsigned)index))
		return EFAULT;
	*value = ctl_from_pointer(heap_arena_hooks(arena_of(call)));
	return 0;
}

static int set_hooks(const struct ctl_call *call, const uint64_t *value)
{
	struct arena *arena = heap_arena_get((unsigned)call->mib[1]);

	if (!arena || !*value)
		return EFAULT;
	heap_arena_set_hooks(arena, (extent_hooks_t *)(uintptr_t)*value);
	return 0;
}

/* By row->number: the two limits of an arena, in bytes. */
enum { OVERSIZE, GROWTH };

static int get_limit(const struct ctl_call *call, uint64_t *value)
{
	struct arena *arena = arena_of(call);

	if (call->row->number == GROWTH && !opt.retain)
		return ENOENT;
	if (!arena)
		return EFAULT;
	*value = call->row->number == GROWTH ? heap_arena_growth_limit(arena)
					     : heap_arena_oversize(arena);
	return 0;
}

static int set_limit(const struct ctl_call *call, const uint64_t *value)
{
	struct arena *arena = arena_of(call);

	if (call->row->number == GROWTH && !opt.retain)
		return ENOENT;
	if (!arena)
		return EFAULT;
	if (call->row->number == GROWTH)
		return heap_arena_set_growth_limit(arena, *value) ? 0 : EFAULT;
	heap_arena_set_oversize(arena, *value);
	return 0;
}

static int get_dss(const struct ctl_call *call, uint64_t *value)
{
	if (!ctl_is_all_arenas(call->mib[1]) && !arena_of(call))
		return EFAULT;
	*value = ctl_from_pointer("disabled");
	return 0;
}

/* There is none, as where jemalloc was built for a system without sbrk. */
static int set_dss(const struct ctl_call *call, const uint64_t *value)
{
	const char *dss = (const char *)(uintptr_t)*value;

	if (!dss)
		return 0;
	if (strcmp(dss, "disabled") == 0)
		return ctl_is_all_arenas(call->mib[1]) || arena_of(call)
			       ? 0
			       : EFAULT;
	return strcmp(dss, "primary") && strcmp(dss, "secondary") ? EINVAL
								  : EFAULT;
}

/* What is read is copied to where the pointer at oldp points. */
static int access_name(const struct ctl_call *call, const struct ctl_request *r)
{
	char old_name[HEAP_ARENA_NAME_BYTES], *to;
	struct arena *arena = arena_of(call);
	const char *name = NULL;
	int error;

	if (call->mib[1] >= heap_arena_count())
		return EINVAL;
	if (!arena)
		return EFAULT;
	if (r->oldp && r->oldlenp && *r->oldlenp != sizeof(to))
		return EINVAL;
	error = ctl_take_value(r, &name, sizeof(name));
	if (error)
		return error;
	if (r->oldp && r->oldlenp) {
		heap_arena_name(arena, old_name);
		memcpy(&to, r->oldp, sizeof(to));
		memcpy(to, old_name, strlen(old_name) + 1);
	}
	if (name)
		heap_arena_set_name(arena, name);
	return 0;
}

static int make(const struct ctl_request *r, extent_hooks_t *hooks)
{
	unsigned index = heap_arena_create(hooks);

	if (index == UINT_MAX)
		return EAGAIN;
	return ctl_give_value(r, &index, sizeof(index));
}

static int create(const struct ctl_call *call, const struct ctl_request *r)
{
	extent_hooks_t *hooks = NULL;
	int error = ctl_must_read(r, sizeof(unsigned));

	(void)call;
	if (!error)
		error = ctl_take_value(r, &hooks, sizeof(hooks));
	return error ? error : make(r, hooks);
}

static int create_ext(const struct ctl_call *call, const struct ctl_request *r)
{
	arena_config_t config = {.extent_hooks = NULL};
	int error = ctl_must_read(r, sizeof(unsigned));

	(void)call;
	if (!error)
		error = ctl_take_value(r, &config, sizeof(config));
	return error ? error : make(r, config.extent_hooks);
}

enum { FIRST_ROW = __COUNTER__ + 1 };

static void row_at(unsigned index, struct ctl_row *row)
{
	switch (index) {
		CTL_ROW("arena.<i>.reset", CTL_VOID, .set = do_reset);
		CTL_ROW("arena.<i>.destroy", CTL_VOID, .set = do_destroy);
		CTL_ROW("arena.<i>.dss", CTL_STRING, CTL_GIVE_LAST,
			.get = get_dss, .set = set_dss);
		CTL_ROW("arena.<i>.oversize_threshold", CTL_SIZE,
			.get = get_limit, .set = set_limit, .number = OVERSIZE);
		CTL_ROW("arena.<i>.extent_hooks", CTL_POINTER, .get = get_hooks,
			.set = set_hooks, .c_type = "extent_hooks_t *");
		CTL_ROW("arena.<i>.retain_grow_limit", CTL_SIZE, CTL_GIVE_LAST,
			.get = get_limit, .set = set_limit, .number = GROWTH);
		CTL_ROW("arena.<i>.name", CTL_POINTER, .io = access_name,
			.c_type = "char *");
		CTL_ROW("arenas.create", CTL_UNSIGNED, .io = create);
		CTL_ROW("experimental.arenas_create_ext", CTL_UNSIGNED,
			.io = create_ext);
	}
}

const struct ctl_table ctl_made_arena_table = {row_at, __COUNTER__ - FIRST_ROW};
