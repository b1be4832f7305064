/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock and the bound of what waits. Owns the earliest due time of all
 * arenas and the automatic bound, which learns: what went because of the bound
 * and was wanted again soon after raises it for a while.
 */
#include "config.h"

#include "liballoc/heap/waiting.h"

#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/extent_hooks.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"

/* The automatic bound: a share of what is in use, but a floor. */
#define LIMIT_FLOOR ((uint64_t)8 << 20)
#define LIMIT_SHARE 8u
/* The bound where memory is tight. */
#define TIGHT_LIMIT ((size_t)1 << 20)
/* With what waits no more is kept than ever was in use, and this share. */
#define PEAK_SHARE 4u
/* What an object leaves behind that grew is wanted less. */
#define GROWN_SHARE 16u
/* The same where what goes is not lost, but moved to the object. */
#define MOVED_SHARE 64u
/* A bound that is passed is restored with this share of it to spare. */
#define SPARE_SHARE 4u
#define MOST_SPARE ((size_t)1 << 20)
/* Without regret, or a new peak, for so long, what was learned is halved. */
#define CREDIT_NS UINT64_C(5000000000)

uint64_t waiting_dirty_bytes;
uint64_t waiting_in_hand_bytes;
uint64_t waiting_due_ns = WAITING_NEVER;

/* Bytes that went because of the bound, and how many of them were missed. */
static uint64_t evicted_bytes, credit_bytes, credit_since_ns;
/* The most that was in use, and when that was seen; 0: not yet. */
static uint64_t peak_bytes, peak_since_ns;
uint64_t waiting_grown_bytes;

static uint64_t get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void set(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

void waiting_took_clean(size_t bytes)
{
	uint64_t evicted = get(&evicted_bytes);

	alone_or_atomic_add(&waiting_grown_bytes, bytes);
	if (!evicted)
		return;
	/* Races lose a little of an estimate. */
	if (bytes > evicted)
		bytes = evicted;
	set(&evicted_bytes, evicted - bytes);
	set(&credit_bytes, get(&credit_bytes) + bytes);
	set(&credit_since_ns, os_now_ns());
}

static uint64_t credit(void)
{
	uint64_t bytes = get(&credit_bytes), now;

	if (!bytes)
		return 0;
	now = os_now_ns();
	if (now - get(&credit_since_ns) < CREDIT_NS)
		return bytes;
	set(&credit_since_ns, now);
	set(&evicted_bytes, 0);
	set(&credit_bytes, bytes / 2);
	return bytes / 2;
}

static uint64_t used_bytes(void)
{
	uint64_t mapped = ledger_get(&ledger_process()->mapped);
	uint64_t free = get(&waiting_dirty_bytes) + get(&waiting_in_hand_bytes);

	return mapped > free ? mapped - free : 0;
}

/* The most that was in use lately: used now, or more. */
static uint64_t peak(uint64_t used)
{
	uint64_t most = get(&peak_bytes);

	if (used <= most)
		return most;
	set(&peak_bytes, used);
	set(&peak_since_ns, 0);
	return used;
}

/* Half of what a peak was above what is in use now is forgotten in time. */
static void forget_peak(uint64_t now_ns)
{
	uint64_t used = used_bytes(), most = peak(used);
	uint64_t since_ns = get(&peak_since_ns);

	if (since_ns && now_ns - since_ns < CREDIT_NS)
		return;
	if (since_ns)
		set(&peak_bytes, used + (most - used) / 2);
	set(&peak_since_ns, now_ns);
}

static size_t automatic_limit(unsigned peak_share)
{
	uint64_t used = used_bytes(), most = peak(used), spare;
	uint64_t limit = used / LIMIT_SHARE;
	uint32_t scale = __atomic_load_n(&container_scale, __ATOMIC_RELAXED);

	limit = (limit > LIMIT_FLOOR ? limit : LIMIT_FLOOR) + credit();
	spare = most / peak_share;
	most += (spare > TIGHT_LIMIT ? spare : TIGHT_LIMIT) - used;
	limit = limit < most ? limit : most;
	return limit / CONTAINER_FULL_SCALE * scale;
}

static size_t limit_with(unsigned peak_share)
{
	if (container_is_tight())
		return TIGHT_LIMIT;
	if (opt.dirty_limit < 0)
		return SIZE_MAX;
	return opt.dirty_limit ? (size_t)opt.dirty_limit
			       : automatic_limit(peak_share);
}

size_t waiting_limit(void)
{
	return limit_with(PEAK_SHARE);
}

/* NULL: there is none, or none any more. */
static uint64_t arena_due(const struct arena *arena)
{
	if (!arena)
		return WAITING_NEVER;
	return __atomic_load_n(&arena->pages.due_ns, __ATOMIC_SEQ_CST);
}

static uint64_t earliest_due(void)
{
	unsigned count = heap_arena_count(), i;
	uint64_t earliest = WAITING_NEVER;

	for (i = 0; i < count; i++) {
		uint64_t due = arena_due(heap_arena(i));

		if (due < earliest)
			earliest = due;
	}
	return earliest;
}

/* True where it was later before. */
static bool lower_due(uint64_t due_ns)
{
	uint64_t old = __atomic_load_n(&waiting_due_ns, __ATOMIC_SEQ_CST);

	while (due_ns < old)
		if (__atomic_compare_exchange_n(&waiting_due_ns, &old, due_ns,
						false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
	return false;
}

/*
 * Who lowers an arena's due time between our look and our store finds the old
 * value here and does nothing; the second look sees what he has set.
 */
static void renew_due(void)
{
	__atomic_store_n(&waiting_due_ns, earliest_due(), __ATOMIC_SEQ_CST);
	lower_due(earliest_due());
}

void waiting_set_due(struct arena *arena, uint64_t due_ns)
{
	__atomic_store_n(&arena->pages.due_ns, due_ns, __ATOMIC_SEQ_CST);
	if (lower_due(due_ns))
		background_wake();
}

static size_t dirty_end(const struct extent *grown)
{
	return grown ? grown->dirty_bytes : 0;
}

/* The oldest go, of this arena first, until the bound holds again. */
static void enforce(struct arena *arena, size_t limit, struct extent *grown)
{
	unsigned count = heap_arena_count(), i;
	size_t spare = limit / SPARE_SHARE;
	size_t target = limit - (spare < MOST_SPARE ? spare : MOST_SPARE);
	uint64_t before = get(&waiting_dirty_bytes), after;
	size_t moved = dirty_end(grown);

	if (before <= limit)
		return; /* somebody else did it */
	page_heap_purge_dirty(arena, before - target, grown);
	for (i = 0; i < count; i++) {
		uint64_t dirty = get(&waiting_dirty_bytes);
		struct arena *other = heap_arena(i);

		if (dirty <= limit)
			break;
		if (other)
			page_heap_purge_dirty(other, dirty - target, grown);
	}
	/* What was moved is not missed. */
	moved = dirty_end(grown) - moved;
	after = get(&waiting_dirty_bytes) + moved;
	if (before > after)
		set(&evicted_bytes, get(&evicted_bytes) + before - after);
}

static void keep_bound(struct arena *arena, unsigned peak_share,
		       struct extent *grown)
{
	size_t limit;

	/* Where most is in use little waits, and that is when it is seen. */
	peak(used_bytes());
	if (get(&waiting_dirty_bytes) <= TIGHT_LIMIT && opt.dirty_limit <= 0)
		return;
	limit = limit_with(peak_share);
	if (get(&waiting_dirty_bytes) > limit)
		enforce(arena, limit, grown);
}

void waiting_after_take(struct arena *arena)
{
	keep_bound(arena, PEAK_SHARE, NULL);
}

/*
 * May pages be moved to its end? Not among those of hooks, nor where huge pages
 * were asked for, nor where memory is short: it may never be written.
 */
static bool takes_pages(const struct extent *grown)
{
	return !hooks_are_custom(grown->arena) && !grown->huge &&
	       opt.thp != THP_ALWAYS && !container_is_tight() &&
	       container_is_roomy();
}

void waiting_after_growth(struct arena *arena, struct extent *grown)
{
	if (grown && takes_pages(grown))
		keep_bound(arena, MOVED_SHARE, grown);
	else
		keep_bound(arena, GROWN_SHARE, NULL);
}

void waiting_after_give(struct arena *arena)
{
	if (!arena->pages.decay[EXTENT_DIRTY].ms) {
		page_heap_decay(arena, false);
		return;
	}
	if (__atomic_load_n(&arena->pages.due_ns, __ATOMIC_RELAXED) ==
	    WAITING_NEVER)
		page_heap_start_decay(arena);
	keep_bound(arena, PEAK_SHARE, NULL);
}

void waiting_decay(void)
{
	unsigned count = heap_arena_count(), i;
	uint64_t now = os_now_ns();

	container_look(get(&waiting_grown_bytes));
	forget_peak(now);
	for (i = 0; i < count; i++) {
		struct arena *arena = heap_arena(i);

		if (arena && arena_due(arena) <= now)
			page_heap_decay(arena, false);
	}
	renew_due();
}

void waiting_look(void)
{
	uint64_t due = __atomic_load_n(&waiting_due_ns, __ATOMIC_RELAXED);

	if (due == WAITING_NEVER || os_now_ns() < due)
		return;
	/* One is enough, and he sets the time anew. */
	if (!__atomic_compare_exchange_n(&waiting_due_ns, &due, WAITING_NEVER,
					 false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return;
	thread_busy++;
	exchange_trim();
	waiting_decay();
	thread_busy--;
	heap_run_deferred();
}

void waiting_purge_all(void)
{
	unsigned count = heap_arena_count(), i;

	for (i = 0; i < count; i++) {
		struct arena *arena = heap_arena(i);

		if (arena)
			page_heap_decay(arena, true);
	}
	renew_due();
}

/* Who was about to set the time anew may be gone. */
void waiting_postfork_child(void)
{
	set(&waiting_grown_bytes, 0);
	set(&waiting_in_hand_bytes, 0);
	renew_due();
}
