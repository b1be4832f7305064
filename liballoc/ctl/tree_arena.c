/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls: arena.<i>.* and arenas.*.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

/* Of arena.<i>; NULL: a pseudo index, or not yet made. */
static struct arena *arena_of(const struct ctl_call *call)
{
	return heap_arena((unsigned)call->mib[1]);
}

static int get_initialized(const struct ctl_call *call, uint64_t *value)
{
	*value = ctl_is_all_arenas(call->mib[1]) || arena_of(call);
	return 0;
}

/* Runs action on the arena, or on all. */
static void each_arena(const struct ctl_call *call,
		       void (*action)(struct arena *arena))
{
	unsigned count = heap_arena_count();
	bool all = ctl_is_all_arenas(call->mib[1]);

	for (unsigned i = 0; i < count; i++) {
		struct arena *arena = heap_arena(i);

		if (arena && (all || call->mib[1] == i))
			action(arena);
	}
}

static int do_decay(const struct ctl_call *call, const uint64_t *value)
{
	(void)value;
	each_arena(call, heap_arena_decay);
	return 0;
}

static int do_purge(const struct ctl_call *call, const uint64_t *value)
{
	(void)value;
	each_arena(call, heap_arena_purge);
	return 0;
}

/* The two kinds of free pages, by row->number. */
static const struct decay_kind {
	ssize_t (*get)(struct arena *arena);
	bool (*set)(struct arena *arena, ssize_t ms);
	ssize_t (*get_default)(void);
	bool (*set_default)(ssize_t ms);
} decay_kinds[] = {
	{heap_arena_dirty_decay_ms, heap_arena_set_dirty_decay_ms,
	 heap_default_dirty_decay_ms, heap_set_default_dirty_decay_ms},
	{heap_arena_muzzy_decay_ms, heap_arena_set_muzzy_decay_ms,
	 heap_default_muzzy_decay_ms, heap_set_default_muzzy_decay_ms},
};

enum { DIRTY, MUZZY };

static int get_decay_ms(const struct ctl_call *call, uint64_t *value)
{
	struct arena *arena = arena_of(call);

	if (!arena)
		return EFAULT;
	*value = (uint64_t)decay_kinds[call->row->number].get(arena);
	return 0;
}

static int set_decay_ms(const struct ctl_call *call, const uint64_t *value)
{
	struct arena *arena = arena_of(call);

	if (!arena)
		return EFAULT;
	return decay_kinds[call->row->number].set(arena, (ssize_t)*value)
		       ? 0
		       : EFAULT;
}

static int get_default_decay_ms(const struct ctl_call *call, uint64_t *value)
{
	*value = (uint64_t)decay_kinds[call->row->number].get_default();
	return 0;
}

static int set_default_decay_ms(const struct ctl_call *call,
				const uint64_t *value)
{
	return decay_kinds[call->row->number].set_default((ssize_t)*value)
		       ? 0
		       : EFAULT;
}

static int get_narenas(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = heap_arena_count();
	return 0;
}

static int get_page(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = ledger_header()->page_bytes;
	return 0;
}

static int get_tcache_max(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = heap_cache_max();
	return 0;
}

static int get_nbins(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = heap_small_class_count();
	return 0;
}

/* The classes that thread caches hold. */
static int get_nhbins(const struct ctl_call *call, uint64_t *value)
{
	size_t most = heap_cache_max();
	unsigned i = 0;

	(void)call;
	while (i < heap_class_count() && heap_class_bytes(i) <= most)
		i++;
	*value = i;
	return 0;
}

static int get_nlextents(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = heap_class_count() - heap_small_class_count();
	return 0;
}

static int get_bin_size(const struct ctl_call *call, uint64_t *value)
{
	*value = heap_class_bytes((unsigned)call->mib[2]);
	return 0;
}

static int get_lextent_size(const struct ctl_call *call, uint64_t *value)
{
	*value = heap_class_bytes(heap_small_class_count() +
				  (unsigned)call->mib[2]);
	return 0;
}

static const struct ledger_class *class_of(const struct ctl_call *call)
{
	const struct ledger_class *classes = ledger_rows(LEDGER_CLASSES);

	return &classes[call->mib[2]];
}

static int get_bin_nregs(const struct ctl_call *call, uint64_t *value)
{
	*value = class_of(call)->regions_per_slab;
	return 0;
}

static int get_bin_slab_size(const struct ctl_call *call, uint64_t *value)
{
	*value = class_of(call)->slab_bytes;
	return 0;
}

/* The pointer is what is written, the arena what is read: not read alone. */
static int exchange_lookup(const struct ctl_call *call, uint64_t *value)
{
	const void *pointer = (const void *)(uintptr_t)*value;
	unsigned index;

	(void)call;
	if (!heap_arena_of(pointer, &index))
		return EINVAL;
	*value = index;
	return 0;
}

enum { FIRST_ROW = __COUNTER__ + 1 };

static void row_at(unsigned index, struct ctl_row *row)
{
	switch (index) {
		CTL_ROW("arena.<i>.initialized", CTL_BOOL,
			.get = get_initialized);
		CTL_ROW("arena.<i>.decay", CTL_VOID, .set = do_decay);
		CTL_ROW("arena.<i>.purge", CTL_VOID, .set = do_purge);
		CTL_ROW("arena.<i>.dirty_decay_ms", CTL_SSIZE,
			.get = get_decay_ms, .set = set_decay_ms,
			.number = DIRTY);
		CTL_ROW("arena.<i>.muzzy_decay_ms", CTL_SSIZE,
			.get = get_decay_ms, .set = set_decay_ms,
			.number = MUZZY);
		CTL_ROW("arenas.narenas", CTL_UNSIGNED, .get = get_narenas);
		CTL_ROW("arenas.dirty_decay_ms", CTL_SSIZE,
			.get = get_default_decay_ms,
			.set = set_default_decay_ms, .number = DIRTY);
		CTL_ROW("arenas.muzzy_decay_ms", CTL_SSIZE,
			.get = get_default_decay_ms,
			.set = set_default_decay_ms, .number = MUZZY);
		CTL_ROW("arenas.quantum", CTL_SIZE, .get = ctl_get_number,
			.number = 16);
		CTL_ROW("arenas.page", CTL_SIZE, .get = get_page);
		CTL_ROW("arenas.tcache_max", CTL_SIZE, .get = get_tcache_max);
		CTL_ROW("arenas.nbins", CTL_UNSIGNED, .get = get_nbins);
		CTL_ROW("arenas.nhbins", CTL_UNSIGNED, .get = get_nhbins);
		CTL_ROW("arenas.bin.<i>.size", CTL_SIZE, .get = get_bin_size);
		CTL_ROW("arenas.bin.<i>.nregs", CTL_UINT32,
			.get = get_bin_nregs);
		CTL_ROW("arenas.bin.<i>.slab_size", CTL_SIZE,
			.get = get_bin_slab_size);
		CTL_ROW("arenas.bin.<i>.nshards", CTL_UINT32,
			.get = ctl_get_number, .number = 1);
		CTL_ROW("arenas.nlextents", CTL_UNSIGNED, .get = get_nlextents);
		CTL_ROW("arenas.lextent.<i>.size", CTL_SIZE,
			.get = get_lextent_size);
		CTL_ROW("arenas.lookup", CTL_UNSIGNED,
			.exchange = exchange_lookup);
	}
}

const struct ctl_table ctl_arena_table = {row_at, __COUNTER__ - FIRST_ROW};
