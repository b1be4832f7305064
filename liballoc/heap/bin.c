/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bins. Own the lists of slabs by fullness; full slabs are in none, but in
 * an arena that can be reset, which must find them. Pages come and go through
 * the page heap, whose lock ranks after the bin's.
 */
#include "config.h"

#include "liballoc/heap/bin.h"

#include <string.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/extent_hooks.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_heap.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/slab.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/safety/report.h"

/* A bin that has so many slabs will fill one more, but for the last one. */
#define SLABS_OF_GROWING 8u

void bin_init(struct bin *bin, struct arena *arena, unsigned size_class)
{
	lock_set_rank(&bin->lock, LOCK_BIN);
	thread_busy++;
	lock_take(&bin->lock);
	if (!bin->stats) {
		bin->size_class = size_class;
		bin->arena = arena;
		__atomic_store_n(&bin->stats, &arena->class_stats[size_class],
				 __ATOMIC_RELEASE);
	}
	lock_release(&bin->lock);
	thread_busy--;
}

/* free_count in [1, regions) to a list: the fullest first. */
static unsigned fullness(const struct extent *slab, uint32_t free_count)
{
	const struct size_class *class = &size_classes[slab->size_class];

	return (unsigned)((free_count - 1) *
				  (uint64_t) class->eighth_reciprocal >>
			  28);
}

/* The list for a slab of so many free regions. */
static struct extent_list *list_of(struct bin *bin, const struct extent *slab,
				   uint32_t free_count)
{
	return slab->apart ? &bin->nonfull_apart
			   : &bin->nonfull[fullness(slab, free_count)];
}

static void list_slab(struct bin *bin, struct extent *slab)
{
	extent_list_append(list_of(bin, slab, slab->free_count), slab);
	ledger_add(&bin->stats->nonfull_slabs, 1);
}

static void unlist_slab(struct bin *bin, struct extent *slab,
			uint32_t free_count)
{
	extent_list_remove(list_of(bin, slab, free_count), slab);
	ledger_add(&bin->stats->nonfull_slabs, (uint64_t)-1);
}

/* A slab that was current is full, and makes room for another. */
static void retire(struct bin *bin, struct extent *slab)
{
	if (slab && bin->arena->manual)
		extent_list_append(&bin->full, slab);
}

static bool is_current(const struct bin *bin, const struct extent *slab)
{
	return slab == bin->current || slab == bin->apart;
}

/* A slab that was full is not, from now on. */
static void unlist_full(struct bin *bin, struct extent *slab)
{
	if (!is_current(bin, slab) && bin->arena->manual)
		extent_list_remove(&bin->full, slab);
}

/*
 * Pages of new slabs that are to be brought in once the lock is released: those
 * of one slab, or of several that lie side by side. The caller has regions of
 * theirs, which keeps them from being given back.
 */
struct fresh_pages {
	uintptr_t base;
	size_t bytes;
};

/*
 * Will nearly all of a slab be written before long? Objects of two pages and
 * more are buffers that may never be filled. Where memory is short, a page too
 * much is too much.
 */
static bool will_be_written(const struct bin *bin, const struct extent *run)
{
	return ledger_get(&bin->stats->curslabs) >= SLABS_OF_GROWING &&
	       size_classes[bin->size_class].bytes < 2 * os_page_bytes &&
	       !run->huge && !hooks_are_custom(bin->arena) &&
	       container_is_roomy();
}

/* resident: bytes of the run, from its base, that are so already. */
static void note_fresh(const struct bin *bin, const struct extent *run,
		       size_t resident, struct fresh_pages *fresh)
{
	uintptr_t base = run->base + (resident & -os_page_bytes);
	size_t bytes = run->base + run->bytes - base;

	if (bytes < 2 * os_page_bytes || !will_be_written(bin, run))
		return;
	if (!fresh->bytes)
		fresh->base = base;
	else if (base != fresh->base + fresh->bytes)
		return;
	fresh->bytes += bytes;
}

static void populate(const struct fresh_pages *fresh)
{
	if (fresh->bytes)
		os_populate((void *)fresh->base, fresh->bytes);
}

static struct extent *new_slab(struct bin *bin, bool apart,
			       enum page_heap_choice choice,
			       struct fresh_pages *fresh)
{
	size_t bytes = size_classes[bin->size_class].slab_bytes, resident;
	struct extent *slab =
		page_heap_take(bin->arena, bytes, os_page_bytes, choice);

	if (!slab)
		return NULL;
	resident = slab->dirty_bytes;
	if (!slab_init(slab, bin->size_class, apart)) {
		page_heap_give(bin->arena, slab);
		return NULL;
	}
	if (!apart)
		note_fresh(bin, slab, resident, fresh);
	ledger_add(&bin->stats->nslabs, 1);
	ledger_add(&bin->stats->curslabs, 1);
	return slab;
}

/* The first slab of the first of these lists that has any, out of it; or NULL.
 */
static struct extent *reuse_slab(struct bin *bin, struct extent_list *lists,
				 unsigned count)
{
	struct extent *slab;
	unsigned i;

	for (i = 0; i < count; i++) {
		slab = lists[i].head;
		if (!slab)
			continue;
		unlist_slab(bin, slab, slab->free_count);
		ledger_add(&bin->stats->nreslabs, 1);
		return slab;
	}
	return NULL;
}

static struct extent *next_slab(struct bin *bin, enum page_heap_choice choice,
				struct fresh_pages *fresh)
{
	struct extent *slab = reuse_slab(bin, bin->nonfull, BIN_FULLNESS);

	return slab ? slab : new_slab(bin, false, choice, fresh);
}

static struct extent *next_apart(struct bin *bin)
{
	struct extent *slab = reuse_slab(bin, &bin->nonfull_apart, 1);

	return slab ? slab : new_slab(bin, true, PAGES_ANY, NULL);
}

/* Up to want regions; with the lock. */
static unsigned take_regions(struct bin *bin, void **regions, unsigned want,
			     enum page_heap_choice choice,
			     struct fresh_pages *fresh)
{
	unsigned taken = 0;

	while (taken < want) {
		if (!bin->current || !bin->current->free_count) {
			retire(bin, bin->current);
			bin->current = next_slab(bin, choice, fresh);
		}
		if (!bin->current)
			break;
		taken += slab_take(bin->current, regions + taken, want - taken);
	}
	ledger_add(&bin->stats->nmalloc, taken);
	if (taken && want > 1)
		ledger_add(&bin->stats->nfills, 1);
	return taken;
}

static void count_allocated(struct bin *bin, uint64_t regions)
{
	if (regions)
		ledger_add_shared(&bin->arena->stats->small_allocated,
				  regions *
					  size_classes[bin->size_class].bytes);
}

unsigned bin_take(struct bin *bin, void **regions, unsigned want,
		  uint64_t requests, enum page_heap_choice choice)
{
	struct fresh_pages fresh = {0, 0};
	unsigned taken;

	lock_take(&bin->lock);
	taken = take_regions(bin, regions, want, choice, &fresh);
	ledger_add(&bin->stats->nrequests, requests);
	lock_release(&bin->lock);
	count_allocated(bin, taken);
	populate(&fresh);
	return taken;
}

/* Puts a slab that had `was` free regions and got more where it belongs. */
static void reposition(struct bin *bin, struct extent *slab, uint32_t was,
		       struct extent **empty)
{
	uint32_t now = slab->free_count;

	if (!was)
		unlist_full(bin, slab);
	/* Kept when it empties too: samples come one by one. */
	if (slab == bin->apart)
		return;
	if (now == size_classes[bin->size_class].regions) {
		if (slab == bin->current)
			bin->current = NULL;
		else if (was)
			unlist_slab(bin, slab, was);
		slab->next = *empty;
		*empty = slab;
		ledger_add(&bin->stats->curslabs, (uint64_t)-1);
		return;
	}
	if (slab == bin->current)
		return;
	if (was && list_of(bin, slab, was) == list_of(bin, slab, now))
		return;
	if (was)
		unlist_slab(bin, slab, was);
	list_slab(bin, slab);
}

static void release_slabs(struct bin *bin, struct extent *empty)
{
	while (empty) {
		struct extent *next = empty->next;

		slab_fini(empty);
		page_heap_give(bin->arena, empty);
		empty = next;
	}
}

/* The slab of this bin that region lies in; NULL: another bin's. */
static struct extent *own_slab(const struct bin *bin, void *region)
{
	uint64_t word = page_map_get((uintptr_t)region);
	struct extent *slab = page_word_extent(word);

	if (!(word & PAGE_LIVE) || word & PAGE_LARGE)
		report_error("double free, or free of no allocation:", region);
	if (slab->arena != bin->arena || slab->size_class != bin->size_class)
		return NULL;
	return slab;
}

/* bin_give() with the lock; slabs that are empty now go to *empty. */
static unsigned give_regions(struct bin *bin, void **regions, unsigned count,
			     struct extent **empty)
{
	unsigned i = 0, others = 0;

	while (i < count) {
		struct extent *slab = own_slab(bin, regions[i]);
		uint32_t was;

		if (!slab) {
			regions[others++] = regions[i++];
			continue;
		}
		was = slab->free_count;
		i += slab_give(slab, regions + i, count - i);
		reposition(bin, slab, was, empty);
	}
	ledger_add(&bin->stats->ndalloc, count - others);
	if (count > 1)
		ledger_add(&bin->stats->nflushes, 1);
	return others;
}

unsigned bin_give(struct bin *bin, void **regions, unsigned count,
		  uint64_t requests)
{
	struct extent *empty = NULL;
	unsigned others;

	lock_take(&bin->lock);
	others = give_regions(bin, regions, count, &empty);
	ledger_add(&bin->stats->nrequests, requests);
	lock_release(&bin->lock);
	count_allocated(bin, (uint64_t)others - count);
	release_slabs(bin, empty);
	return others;
}

static void count_kept(struct bin *bin, uint64_t regions)
{
	if (regions)
		ledger_add_shared(&bin->arena->stats->tcache_bytes,
				  regions *
					  size_classes[bin->size_class].bytes);
}

/*
 * A thread may give back what it keeps while another one resets or destroys the
 * arena; so all that follows from what these find is done before they release
 * the lock, which the other takes in its course.
 */

/* What is kept, if it is the bin's still; else it is no more. */
static bool validate(const struct bin *bin, struct bin_kept *kept)
{
	uint32_t generation = arena_generation(bin->arena);

	if (kept->generation == generation)
		return true;
	*kept = (struct bin_kept){.generation = generation};
	return false;
}

static void tell(struct bin *bin, struct bin_kept *kept)
{
	uint64_t more = (uint64_t)kept->count - kept->told;

	ledger_add(&bin->stats->nrequests, kept->requests);
	bin->kept += (uint32_t)more;
	count_kept(bin, more);
	kept->requests = 0;
	kept->told = kept->count;
}

void bin_fill_kept(struct bin *bin, struct bin_kept *kept, unsigned want)
{
	struct fresh_pages fresh = {0, 0};

	lock_take(&bin->lock);
	validate(bin, kept);
	kept->count = (uint8_t)take_regions(bin, kept->regions, want, PAGES_ANY,
					    &fresh);
	count_allocated(bin, kept->count);
	tell(bin, kept);
	lock_release(&bin->lock);
	populate(&fresh);
}

static void give_oldest(struct bin *bin, struct bin_kept *kept, unsigned gone)
{
	struct extent *empty = NULL;

	give_regions(bin, kept->regions, gone, &empty);
	count_allocated(bin, -(uint64_t)gone);
	release_slabs(bin, empty);
	kept->count = (uint8_t)(kept->count - gone);
	memmove(kept->regions, kept->regions + gone,
		kept->count * sizeof(kept->regions[0]));
}

void bin_give_kept(struct bin *bin, struct bin_kept *kept, unsigned gone)
{
	lock_take(&bin->lock);
	if (validate(bin, kept) && gone)
		give_oldest(bin, kept, gone);
	tell(bin, kept);
	lock_release(&bin->lock);
}

void bin_tell_kept(struct bin *bin, struct bin_kept *kept)
{
	lock_take(&bin->lock);
	validate(bin, kept);
	tell(bin, kept);
	lock_release(&bin->lock);
}

/* The slab that the next region comes from, if no new one is needed. */
static struct extent *slab_at_hand(struct bin *bin)
{
	struct extent *next;

	if (bin->current && bin->current->free_count)
		return bin->current;
	next = reuse_slab(bin, bin->nonfull, BIN_FULLNESS);
	if (next) {
		retire(bin, bin->current);
		bin->current = next;
	}
	return next;
}

void *bin_take_one(struct bin *bin)
{
	struct extent *slab;
	void *region = NULL;

	lock_take(&bin->lock);
	slab = slab_at_hand(bin);
	if (slab) {
		region = slab_take_one(slab);
		ledger_add(&bin->stats->nmalloc, 1);
		ledger_add(&bin->stats->nrequests, 1);
	}
	lock_release(&bin->lock);
	count_allocated(bin, region != NULL);
	return region;
}

unsigned bin_take_apart(struct bin *bin, void **regions, unsigned want,
			uint64_t requests)
{
	unsigned taken = 0;

	lock_take(&bin->lock);
	if (want && (!bin->apart || !bin->apart->free_count)) {
		retire(bin, bin->apart);
		bin->apart = next_apart(bin);
	}
	if (want && bin->apart)
		taken = slab_take(bin->apart, regions, want);
	ledger_add(&bin->stats->nmalloc, taken);
	ledger_add(&bin->stats->nrequests, requests + (taken != 0));
	if (taken && want > 1)
		ledger_add(&bin->stats->nfills, 1);
	lock_release(&bin->lock);
	count_allocated(bin, taken);
	return taken;
}

bool bin_give_one(struct bin *bin, struct extent *slab, void *region)
{
	struct extent *empty = NULL;
	bool given;

	lock_take(&bin->lock);
	given = slab_give_one(slab, region);
	if (given) {
		reposition(bin, slab, slab->free_count - 1u, &empty);
		ledger_add(&bin->stats->ndalloc, 1);
	}
	lock_release(&bin->lock);
	count_allocated(bin, -(uint64_t)given);
	release_slabs(bin, empty);
	return given;
}

bool bin_add_sample(struct bin *bin, struct extent *slab, const void *region,
		    uint32_t sample)
{
	bool done;

	lock_take(&bin->lock);
	done = slab_add_sample(slab, region, sample);
	lock_release(&bin->lock);
	return done;
}

uint32_t bin_take_sample(struct bin *bin, struct extent *slab,
			 const void *region)
{
	uint32_t sample;

	lock_take(&bin->lock);
	sample = slab_take_sample(slab, region);
	lock_release(&bin->lock);
	return sample;
}

uint32_t bin_peek_sample(struct bin *bin, const struct extent *slab,
			 const void *region)
{
	uint32_t sample;

	if (!lock_try(&bin->lock))
		return 0;
	sample = slab_get_sample(slab, region);
	lock_release(&bin->lock);
	return sample;
}

void bin_watch(struct bin *bin, struct extent *slab, const void *region,
	       bool watched)
{
	lock_take(&bin->lock);
	slab_watch(slab, region, watched);
	lock_release(&bin->lock);
}

void bin_release_apart(struct bin *bin)
{
	struct extent *empty = NULL, *slab;

	lock_take(&bin->lock);
	slab = bin->apart;
	if (slab && slab->free_count == size_classes[bin->size_class].regions) {
		bin->apart = NULL;
		slab->next = NULL;
		empty = slab;
		ledger_add(&bin->stats->curslabs, (uint64_t)-1);
	}
	lock_release(&bin->lock);
	release_slabs(bin, empty);
}

/* Moves a list's slabs to the chain; returns its new head. */
static struct extent *chain(struct extent_list *list, struct extent *head)
{
	struct extent *slab;

	while ((slab = list->head)) {
		extent_list_remove(list, slab);
		slab->next = head;
		head = slab;
	}
	return head;
}

/* The same for one that is current, or NULL. */
static struct extent *chain_current(struct extent **current,
				    struct extent *head)
{
	struct extent *slab = *current;

	if (!slab)
		return head;
	slab->next = head;
	*current = NULL;
	return slab;
}

static struct extent *drain(struct bin *bin)
{
	struct extent *slabs = chain(&bin->full, NULL);
	unsigned i;

	for (i = 0; i < BIN_FULLNESS; i++)
		slabs = chain(&bin->nonfull[i], slabs);
	slabs = chain(&bin->nonfull_apart, slabs);
	slabs = chain_current(&bin->current, slabs);
	slabs = chain_current(&bin->apart, slabs);
	ledger_set(&bin->stats->nonfull_slabs, 0);
	return slabs;
}

struct extent *bin_drain(struct bin *bin)
{
	const struct size_class *class = &size_classes[bin->size_class];
	struct extent *slabs, *slab;
	uint64_t used = 0, count = 0, kept;

	lock_take(&bin->lock);
	slabs = drain(bin);
	kept = bin->kept;
	bin->kept = 0;
	for (slab = slabs; slab; slab = slab->next, count++)
		used += class->regions - slab->free_count;
	ledger_add(&bin->stats->ndalloc, used);
	ledger_add(&bin->stats->curslabs, -count);
	lock_release(&bin->lock);
	count_allocated(bin, -used);
	count_kept(bin, -kept);
	return slabs;
}

void bin_discard(struct bin *bin, struct extent *slab)
{
	slab->next = NULL;
	release_slabs(bin, slab);
}

/* An eighth above the average still counts: else half of them never move. */
bool bin_is_sparse(struct bin *bin, const struct extent *slab)
{
	uint64_t used, all;
	bool sparse;

	lock_take(&bin->lock);
	used = size_classes[bin->size_class].regions - slab->free_count;
	all = bin->stats->nmalloc - bin->stats->ndalloc;
	sparse = !slab->apart && slab != bin->current && slab->free_count &&
		 used * bin->stats->curslabs <= all + all / 8;
	lock_release(&bin->lock);
	return sparse;
}
