/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What allocating, freeing and moving have in common. Owns no state.
 */
#include "config.h"

#include "liballoc/heap/steps.h"

#include <string.h>

#include "liballoc/heap/background.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/export.h"
#include "liballoc/prof/prof.h"
#include "liballoc/safety/guard.h"
#include "liballoc/safety/report.h"

uint64_t heap_live_word(const void *ptr)
{
	uint64_t word = page_map_get((uintptr_t)ptr);
	struct extent *extent = page_word_extent(word);

	if (!(word & PAGE_LIVE) || word & PAGE_TAIL ||
	    (word & PAGE_LARGE ? extent->base != (uintptr_t)ptr
			       : !is_region(extent, ptr)))
		report_error(guard_was_freed(ptr)
				     ? "double free, or use after free, of"
				     : "free or use of a pointer that is no "
				       "allocation:",
			     ptr);
	return word;
}

void heap_clear_dirty(const struct extent *extent, size_t from)
{
	size_t end = extent->dirty_bytes;

	if (end > extent->usable)
		end = extent->usable;
	if (end > from)
		memset((void *)(extent->base + from), 0, end - from);
}

static void look_at_container(void)
{
	thread_busy++;
	container_look(__atomic_load_n(&waiting_grown_bytes, __ATOMIC_RELAXED));
	thread_busy--;
	heap_run_deferred();
}

void heap_leave(struct thread *thread)
{
	bool look = !thread || thread_may_look(thread);

	heap_run_deferred();
	if (look && thread)
		thread_look_if_slow(thread);
	if (page_heap_peak_passed())
		prof_gdump();
	if (look && waiting_any() && !background_running())
		waiting_look();
	if (__atomic_load_n(&waiting_grown_bytes, __ATOMIC_RELAXED) >=
	    __atomic_load_n(&container_look_at, __ATOMIC_RELAXED))
		look_at_container();
	if (__atomic_load_n(&prof_wishes, __ATOMIC_RELAXED))
		prof_serve();
	if (prof_request_waits())
		prof_request_serve();
	ledger_export_look(waiting_moved_bytes(), look);
}
