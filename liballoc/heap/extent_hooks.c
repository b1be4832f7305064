/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The default extent hooks, which are exported through mallctl alone, and the
 * calls of a program's own. Owns no state but the constant table; what a hook
 * answers is checked before it is believed.
 */
#include "config.h"

#include "liballoc/heap/extent_hooks.h"

#include <errno.h>
#include <sys/mman.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/include/liballoc/liballoc.h"

static void *map_at(void *base, size_t bytes)
{
	int kept_errno = errno;
	void *got = mmap(base, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (got != MAP_FAILED && got != base) {
		munmap(got, bytes);
		got = MAP_FAILED;
	}
	errno = kept_errno;
	if (got == MAP_FAILED)
		return NULL;
	os_advise_huge(got, bytes);
	return got;
}

static void *map_aligned(size_t bytes, size_t alignment)
{
	size_t slack = alignment - os_page_bytes, lead;
	char *base;

	if (bytes + slack < bytes)
		return NULL;
	base = os_map(bytes + slack, true);
	if (!base)
		return NULL;
	os_advise_huge(base, bytes + slack);
	if (!slack)
		return base;
	lead = -(uintptr_t)base & (alignment - 1);
	if (lead)
		os_unmap(base, lead);
	if (lead < slack)
		os_unmap(base + lead + bytes, slack - lead);
	return base + lead;
}

static void *default_alloc(extent_hooks_t *hooks, void *new_addr, size_t size,
			   size_t alignment, bool *zero, bool *commit,
			   unsigned arena)
{
	void *base;

	(void)hooks;
	(void)arena;
	if (alignment < os_page_bytes)
		alignment = os_page_bytes;
	base = new_addr ? map_at(new_addr, size) : map_aligned(size, alignment);
	if (base)
		*zero = *commit = true;
	return base;
}

static bool default_dalloc(extent_hooks_t *hooks, void *addr, size_t size,
			   bool committed, unsigned arena)
{
	(void)hooks;
	(void)committed;
	(void)arena;
	if (opt.retain)
		return true;
	os_unmap(addr, size);
	return false;
}

static void default_destroy(extent_hooks_t *hooks, void *addr, size_t size,
			    bool committed, unsigned arena)
{
	(void)hooks;
	(void)committed;
	(void)arena;
	os_unmap(addr, size);
}

/* There is nothing to commit: all is from the start, and stays so. */
static bool default_commit(extent_hooks_t *hooks, void *addr, size_t size,
			   size_t offset, size_t length, unsigned arena)
{
	(void)hooks;
	(void)addr;
	(void)size;
	(void)offset;
	(void)length;
	(void)arena;
	return true;
}

static bool default_purge_lazy(extent_hooks_t *hooks, void *addr, size_t size,
			       size_t offset, size_t length, unsigned arena)
{
	(void)hooks;
	(void)size;
	(void)arena;
	return !os_discard_lazily((char *)addr + offset, length);
}

static bool default_purge_forced(extent_hooks_t *hooks, void *addr, size_t size,
				 size_t offset, size_t length, unsigned arena)
{
	(void)hooks;
	(void)size;
	(void)arena;
	return !os_discard((char *)addr + offset, length);
}

static bool default_split(extent_hooks_t *hooks, void *addr, size_t size,
			  size_t size_a, size_t size_b, bool committed,
			  unsigned arena)
{
	(void)hooks;
	(void)addr;
	(void)size;
	(void)size_a;
	(void)size_b;
	(void)committed;
	(void)arena;
	return false;
}

static bool default_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a,
			  void *addr_b, size_t size_b, bool committed,
			  unsigned arena)
{
	(void)hooks;
	(void)addr_a;
	(void)size_a;
	(void)addr_b;
	(void)size_b;
	(void)committed;
	(void)arena;
	return false;
}

/* A program is given it without const, but has no reason to write to it. */
static extent_hooks_t default_hooks = {
	.alloc = default_alloc,
	.dalloc = default_dalloc,
	.destroy = default_destroy,
	.commit = default_commit,
	.decommit = default_commit,
	.purge_lazy = default_purge_lazy,
	.purge_forced = default_purge_forced,
	.split = default_split,
	.merge = default_merge,
};

struct extent_hooks_s *heap_arena_hooks(const struct arena *arena)
{
	extent_hooks_t *hooks = NULL;

	if (arena)
		hooks = __atomic_load_n(&arena->hooks, __ATOMIC_ACQUIRE);
	return hooks ? hooks : &default_hooks;
}

void heap_arena_set_hooks(struct arena *arena, struct extent_hooks_s *hooks)
{
	if (hooks == &default_hooks)
		hooks = NULL;
	thread_busy++;
	lock_take(&arena->pages.lock);
	__atomic_store_n(&arena->hooks, hooks, __ATOMIC_RELEASE);
	lock_release(&arena->pages.lock);
	thread_busy--;
	heap_run_deferred();
}

/* NULL: the default ones, whose answers are known. */
static extent_hooks_t *own_hooks(const struct arena *arena)
{
	return __atomic_load_n(&arena->hooks, __ATOMIC_ACQUIRE);
}

static bool is_committed(const struct extent *run)
{
	return !(run->hooked & EXTENT_UNCOMMITTED);
}

void *hooks_map(struct arena *arena, size_t bytes, size_t alignment,
		bool commit, uint8_t *hooked)
{
	extent_hooks_t *hooks = heap_arena_hooks(arena);
	bool zero = false;
	void *base;

	if (!hooks->alloc)
		return NULL;
	base = hooks->alloc(hooks, NULL, bytes, alignment, &zero, &commit,
			    arena->index);
	if (!base)
		return NULL;
	if ((uintptr_t)base & (alignment - 1))
		os_die("an extent hook returned misaligned memory:", base);
	*hooked = 0;
	if (!zero)
		*hooked |= EXTENT_SOILED;
	if (!commit)
		*hooked |= EXTENT_UNCOMMITTED;
	return base;
}

bool hooks_unmap(struct arena *arena, void *base, size_t bytes, bool committed)
{
	extent_hooks_t *hooks = heap_arena_hooks(arena);

	return hooks->dalloc &&
	       !hooks->dalloc(hooks, base, bytes, committed, arena->index);
}

bool hooks_can_split(const struct arena *arena)
{
	return heap_arena_hooks(arena)->split != NULL;
}

bool hooks_split(struct arena *arena, const struct extent *run, size_t bytes)
{
	extent_hooks_t *hooks = own_hooks(arena);

	if (!hooks)
		return true;
	return hooks->split &&
	       !hooks->split(hooks, (void *)run->base, run->bytes, bytes,
			     run->bytes - bytes, is_committed(run),
			     arena->index);
}

bool hooks_merge(struct arena *arena, const struct extent *first,
		 const struct extent *second)
{
	extent_hooks_t *hooks = own_hooks(arena);

	if (first->hooked != second->hooked)
		return false;
	if (!hooks)
		return true;
	return hooks->merge &&
	       !hooks->merge(hooks, (void *)first->base, first->bytes,
			     (void *)second->base, second->bytes,
			     is_committed(first), arena->index);
}

bool hooks_commit(struct arena *arena, struct extent *run)
{
	extent_hooks_t *hooks = own_hooks(arena);

	if (is_committed(run))
		return true;
	if (!hooks || !hooks->commit ||
	    hooks->commit(hooks, (void *)run->base, run->bytes, 0, run->bytes,
			  arena->index))
		return false;
	run->hooked &= (uint8_t)~EXTENT_UNCOMMITTED;
	return true;
}

/* The pages are not wanted, but their addresses are kept. */
static uint8_t drop(struct arena *arena, const struct extent *run,
		    enum extent_state state)
{
	extent_hooks_t *hooks = heap_arena_hooks(arena);
	void *base = (void *)run->base;

	if (hooks->decommit && !hooks->decommit(hooks, base, run->bytes, 0,
						run->bytes, arena->index))
		return EXTENT_UNCOMMITTED;
	if (hooks->purge_forced &&
	    !hooks->purge_forced(hooks, base, run->bytes, 0, run->bytes,
				 arena->index))
		return 0;
	if (state == EXTENT_DIRTY && hooks->purge_lazy)
		hooks->purge_lazy(hooks, base, run->bytes, 0, run->bytes,
				  arena->index);
	return EXTENT_SOILED;
}

enum extent_state hooks_discard(struct arena *arena, struct extent *run,
				enum extent_state state, bool lazily)
{
	extent_hooks_t *hooks = heap_arena_hooks(arena);
	void *base = (void *)run->base;

	if (lazily && state == EXTENT_DIRTY && hooks->purge_lazy &&
	    !hooks->purge_lazy(hooks, base, run->bytes, 0, run->bytes,
			       arena->index))
		return EXTENT_MUZZY;
	if (hooks_unmap(arena, base, run->bytes, true))
		return EXTENT_FREE_STATES;
	run->hooked = drop(arena, run, state);
	return EXTENT_CLEAN;
}

void hooks_destroy(struct arena *arena, const struct extent *run)
{
	extent_hooks_t *hooks = own_hooks(arena);

	if (!hooks)
		os_unmap((void *)run->base, run->bytes);
	else if (hooks->destroy)
		hooks->destroy(hooks, (void *)run->base, run->bytes,
			       is_committed(run), arena->index);
}
