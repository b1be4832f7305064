/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How full the slab of a pointer is, for programs that move objects out of
 * sparse ones. Owns nothing, and trusts no pointer.
 */
#include "config.h"

#include <string.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"

/* The slab that the next region comes from. Lock held. */
static const struct extent *next_slab(const struct bin *bin)
{
	unsigned i;

	if (bin->current)
		return bin->current;
	for (i = 0; i < BIN_FULLNESS; i++)
		if (bin->nonfull[i].head)
			return bin->nonfull[i].head;
	return NULL;
}

static void slab_use(struct bin *bin, const struct extent *slab,
		     struct heap_use *use)
{
	const struct size_class *class = &size_classes[bin->size_class];
	const struct class_stats *stats = bin->stats;
	const struct extent *next;

	lock_take(&bin->lock);
	next = next_slab(bin);
	use->current = next ? (const void *)next->base : NULL;
	use->free = slab->free_count;
	use->regions = class->regions;
	use->bytes = slab->bytes;
	use->class_regions = ledger_get(&stats->curslabs) * class->regions;
	use->class_free = use->class_regions - (ledger_get(&stats->nmalloc) -
						ledger_get(&stats->ndalloc));
	lock_release(&bin->lock);
}

void heap_use_of(const void *ptr, struct heap_use *use)
{
	uint64_t word = page_map_get((uintptr_t)ptr);
	struct extent *extent = page_word_extent(word);

	memset(use, 0, sizeof(*use));
	if (!(word & PAGE_LIVE))
		return;
	thread_busy++;
	if (word & PAGE_LARGE) {
		use->regions = 1;
		use->bytes = extent->bytes;
	} else {
		slab_use(arena_bin(extent->arena, extent->size_class), extent,
			 use);
	}
	thread_busy--;
	heap_run_deferred();
}
