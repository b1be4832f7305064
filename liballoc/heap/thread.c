/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads: their start, their end, their list, and the publishing of their
 * statistics. Owns the TLS words and the pthread key; a thread's end is put
 * off for some rounds of destructors, so that those of the program run on a
 * working cache, and what comes later is served without one.
 */
#include "config.h"

#include "liballoc/heap/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "liballoc/ctl/ctl.h"
#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/arena_cache.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/unwind/table_pages.h"
#include "liballoc/safety/fill.h"
#include "liballoc/safety/guard.h"

/* An event at least once in so many bytes, sampled or not. */
#define MAX_COUNTDOWN ((int64_t)1 << 20)
#define TICKS_PER_LOOK 16u
#define PUBLICATION_NS UINT64_C(2000000)
/*
 * A thread ends after so many rounds of destructors, which may allocate; but
 * one that allocated no more than this after one: it may have been made in the
 * second, and there are four.
 */
#define EXIT_ROUNDS 2u
#define LITTLE_BYTES ((uint64_t)64 << 10)
/* While anything waits, a busy thread looks at the clock so often at first.. */
#define LOOK_BYTES 256
/* .. and in the end. */
#define MAX_LOOK_BYTES (256 << 10)
/* So many stays in the slow paths may end without a look at the clock. */
#define MAX_LEAVES 7u
/* A thread that allocated nothing for so long has an idle cache. */
#define IDLE_NS UINT64_C(1000000000)
/*
 * A round of housekeeping comes with so many bytes of small objects, however
 * many events they bring; an event of a large object weighs as much as these.
 */
#define BYTES_PER_ROUND ((size_t)4 << 20)
#define LARGE_EVENT_BYTES ((size_t)256 << 10)
/* As long as nobody asks, a peak that is so little above is not looked at. */
#define PEAK_SLACK (UINT64_C(4) << 20)

enum thread_phase {
	PHASE_NONE,
	PHASE_MAKING,
	PHASE_LIVE,
	PHASE_ENDED,
};

struct thread thread_none;
__thread struct thread *thread_current = &thread_none;
__thread unsigned thread_busy;
static __thread enum thread_phase phase;

/* Guards the list, the recycled structs and the next uid. */
static struct lock lock = LOCK_INIT(LOCK_THREAD_LIST);
static struct thread *threads, *recycled;
static uint64_t next_uid;
static pthread_key_t key;
static bool have_key;

static void thread_exit(void *pointer);

__attribute__((cold)) void thread_boot(void)
{
	have_key = pthread_key_create(&key, thread_exit) == 0;
}

/*
 * A thread goes on with the lane of the exchange that the last owner of its
 * struct had: it may be its successor.
 */
static struct thread *new_struct(void)
{
	struct thread *thread, *fresh = NULL;
	unsigned lane = 0;

	lock_take(&lock);
	thread = recycled;
	if (thread) {
		recycled = thread->next;
		lane = thread->cache.lane;
	} else {
		fresh = metadata_allocate(sizeof(*fresh));
		if (fresh)
			lane = exchange_join();
	}
	lock_release(&lock);
	if (thread)
		memset(thread, 0, sizeof(*thread));
	else
		thread = fresh;
	if (thread)
		thread->cache.lane = (uint8_t)lane;
	return thread;
}

static void list_thread(struct thread *thread)
{
	lock_take(&lock);
	thread->uid = next_uid++;
	thread->next = threads;
	if (threads)
		threads->previous = thread;
	threads = thread;
	lock_release(&lock);
}

static void unlist_thread(struct thread *thread)
{
	if (thread->previous)
		thread->previous->next = thread->next;
	else
		threads = thread->next;
	if (thread->next)
		thread->next->previous = thread->previous;
}

/* Bytes, up to now. */
static uint64_t allocated_so_far(const struct thread *thread)
{
	return thread->allocated +
	       (uint64_t)(thread->countdown_start - thread->countdown);
}

static void draw(struct thread *thread)
{
	thread->countdown = thread->countdown_start =
		prof_next_interval(thread);
	thread->countdown_aside = 0;
}

/* Leaves bytes of the countdown, and the rest for later. */
static void set_aside(struct thread *thread, int64_t bytes)
{
	int64_t rest = thread->countdown - bytes;

	if (rest <= 0)
		return;
	thread->countdown -= rest;
	thread->countdown_start -= rest;
	thread->countdown_aside += rest;
}

static void take_up(struct thread *thread)
{
	thread->countdown += thread->countdown_aside;
	thread->countdown_start += thread->countdown_aside;
	thread->countdown_aside = 0;
}

/*
 * When to look again: a thread that allocates seldom does so each time, since
 * it may be idle next; a busy one ever less often, and the events that come
 * earlier leave it at that.
 */
static void plan_look(struct thread *thread)
{
	uint64_t allocated, now;

	if (!waiting_any() || background_running())
		return;
	allocated = allocated_so_far(thread);
	if (allocated < thread->look_at) {
		set_aside(thread, (int64_t)(thread->look_at - allocated));
		return;
	}
	now = os_now_ns();
	if (now != thread->tick_ns)
		thread->look_bytes = thread->leaves = 0;
	else if (!thread->look_bytes)
		thread->look_bytes = LOOK_BYTES;
	else if (thread->look_bytes < MAX_LOOK_BYTES)
		thread->look_bytes *= 2;
	thread->tick_ns = now;
	thread->look_at = allocated + thread->look_bytes;
	set_aside(thread, thread->look_bytes);
}

bool thread_may_look(struct thread *thread)
{
	uint64_t now;

	if (thread->leaves) {
		thread->leaves--;
		return false;
	}
	now = os_now_ns();
	if (now != thread->left_ns)
		thread->leaves_between = 0;
	else if (thread->leaves_between < MAX_LEAVES)
		thread->leaves_between = thread->leaves_between * 2 + 1;
	thread->left_ns = now;
	thread->leaves = thread->leaves_between;
	return true;
}

void thread_look_soon(struct thread *thread)
{
	thread->look_at = 0;
	set_aside(thread, 0);
}

static void start_cache(struct thread *thread)
{
	cache_init(&thread->cache, thread->cache_max_bytes);
	thread->cache.exchanges = !thread->arena->manual;
}

/* It may start anew. */
static void end_cache(struct thread *thread)
{
	cache_fini(&thread->cache, thread->arena);
	if (thread->arena_cache)
		arena_cache_close(thread->arena_cache);
}

static struct thread *new_thread(void)
{
	struct thread *thread = new_struct();

	if (!thread)
		return NULL;
	thread->live = true;
	thread->arena = arena_choose();
	thread->prof.active = prof_thread_active_init_get();
	thread->cache_max_bytes = heap_cache_max();
	if (opt.tcache && !fill_any())
		start_cache(thread);
	list_thread(thread);
	ledger_add_shared(&ledger_process()->threads_created, 1);
	ledger_add_shared(&ledger_process()->threads_live, 1);
	return thread;
}

/* Cold, as is its end, so that what every process runs stays small. */
static __attribute__((cold)) struct thread *make(void)
{
	struct thread *thread;
	int kept_errno = errno;

	phase = PHASE_MAKING;
	thread_busy++;
	thread = new_thread();
	thread_busy--;
	phase = thread ? PHASE_LIVE : PHASE_NONE;
	if (!thread)
		return NULL;
	thread_current = thread;
	/* Both may come back here, and find the thread made. */
	thread->reentrancy++;
	thread->countdown = thread->countdown_start = MAX_COUNTDOWN;
	prof_thread_start(thread);
	__atomic_store_n(&thread->placed, true, __ATOMIC_RELEASE);
	if (have_key)
		pthread_setspecific(key, thread);
	thread->reentrancy--;
	thread->allocated +=
		(uint64_t)(thread->countdown_start - thread->countdown);
	draw(thread);
	errno = kept_errno;
	return thread;
}

struct thread *thread_get(void)
{
	if (thread_current->live)
		return thread_current;
	if (phase != PHASE_NONE || thread_busy)
		return NULL;
	return make();
}

struct thread *thread_peek(void)
{
	return thread_current->live ? thread_current : NULL;
}

void thread_each(void (*visit)(struct thread *thread, void *context),
		 void *context)
{
	struct thread *thread;

	thread_busy++;
	lock_take(&lock);
	for (thread = threads; thread; thread = thread->next)
		visit(thread, context);
	lock_release(&lock);
	thread_busy--;
}

/* Everything that the thread has in the ledger but its row ends here. */
static __attribute__((cold)) void end(struct thread *thread)
{
	bool last;

	thread_busy++;
	/* First, so that no other thread publishes it any more. */
	lock_take(&lock);
	unlist_thread(thread);
	lock_release(&lock);
	cache_fini(&thread->cache, thread->arena);
	apart_free(&thread->cache);
	if (thread->arena_cache)
		arena_cache_free(thread->arena_cache);
	thread->arena_cache = NULL;
	thread_publish(thread);
	exchange_tell();
	arena_leave(thread->arena);
	prof_thread_exit(thread);
	ledger_add_shared(&ledger_process()->threads_exited, 1);
	ledger_add_shared(&ledger_process()->threads_live, (uint64_t)-1);
	if (ledger_get(&ledger_process()->threads_live) < 2)
		exchange_flush(); /* nobody is left to exchange with */
	lock_take(&lock);
	thread->next = recycled;
	recycled = thread;
	last = !threads;
	lock_release(&lock);
	thread_busy--;
	if (last)
		background_last_thread();
}

static void thread_exit(void *pointer)
{
	struct thread *thread = pointer;

	if (thread != thread_current)
		return;
	thread->exit_rounds++;
	if (thread->exit_rounds == 1 ||
	    (thread->exit_rounds <= EXIT_ROUNDS &&
	     allocated_so_far(thread) > LITTLE_BYTES)) {
		pthread_setspecific(key, thread);
		return;
	}
	thread->reentrancy++;
	thread_current = &thread_none;
	phase = PHASE_ENDED;
	end(thread);
	heap_run_deferred();
}

/* Any thread may ask. */
static size_t kept_of_arenas(const struct thread *thread)
{
	const struct arena_cache *cache =
		__atomic_load_n(&thread->arena_cache, __ATOMIC_ACQUIRE);

	return cache ? arena_cache_bytes(cache) : 0;
}

_Static_assert(offsetof(struct thread_stats, samples) ==
		       THREAD_TOLD * sizeof(uint64_t),
	       "what is told comes first");

/*
 * Of the row that threads share which found none, each tells what it adds. It
 * may be told by two threads at once.
 */
static __attribute__((cold)) void tell_shared(struct thread *thread,
					      const struct thread_stats *now)
{
	const uint64_t *value = (const uint64_t *)(const void *)now;
	uint64_t *word = (uint64_t *)(void *)ledger_thread_stats(0), told;

	for (unsigned i = 0; i < THREAD_TOLD; i++) {
		told = __atomic_exchange_n(&thread->told[i], value[i],
					   __ATOMIC_RELAXED);
		ledger_add_shared(&word[i], value[i] - told);
	}
}

static void tell(struct thread *thread, const struct thread_stats *now)
{
	struct thread_stats *row;
	uint32_t number;

	/* It is listed before it has looked for a row. */
	if (!__atomic_load_n(&thread->placed, __ATOMIC_ACQUIRE))
		return;
	number = thread->prof.ledger_row;
	row = ledger_thread_stats(number);
	if (!number) {
		tell_shared(thread, now);
		return;
	}
	ledger_set(&row->allocated, now->allocated);
	ledger_set(&row->deallocated, now->deallocated);
	ledger_set(&row->nmalloc, now->nmalloc);
	ledger_set(&row->ndalloc, now->ndalloc);
	ledger_set(&row->arena, thread->arena->index);
	ledger_set(&row->tcache_bytes, now->tcache_bytes);
}

void thread_publish(struct thread *thread)
{
	uint64_t nmalloc = thread->direct_nmalloc;
	uint64_t ndalloc = thread->direct_ndalloc;
	uint64_t direct_freed = thread->direct_freed;
	uint64_t freed = direct_freed, held = 0, told;
	unsigned i;

	for (i = 0; i < CACHED_CLASSES; i++) {
		const struct cache_bin *bin = cache_bin(&thread->cache, i);
		const struct cache_bin_account *account =
			&thread->cache.accounts[i];
		uint64_t frees = cache_count(bin) + cache_served(bin) +
				 account->flushed - account->filled;

		/* Read by another thread in the middle of a fill. */
		if ((int64_t)frees < 0)
			frees = 0;
		nmalloc += cache_served(bin);
		ndalloc += frees;
		freed += frees * bin->bytes;
		held += cache_count(bin) * (uint64_t)bin->bytes;
	}
	held += large_cache_bytes(&thread->cache.large) +
		apart_bytes(__atomic_load_n(&thread->cache.apart,
					    __ATOMIC_ACQUIRE));
	thread->deallocated = freed;
	thread->direct_freed_published = direct_freed;
	tell(thread, &(struct thread_stats){
			     .allocated = allocated_so_far(thread),
			     .deallocated = freed,
			     .nmalloc = nmalloc,
			     .ndalloc = ndalloc,
			     .tcache_bytes = held + kept_of_arenas(thread)});
	/* Another thread may be publishing this one too: each a difference. */
	told = __atomic_exchange_n(&thread->cached_bytes, held,
				   __ATOMIC_RELAXED);
	ledger_add_shared(&thread->arena->stats->tcache_bytes, held - told);
}

/* Allocated and not freed by this thread, as of what was just published. */
static uint64_t balance(const struct thread *thread)
{
	return allocated_so_far(thread) - thread->deallocated;
}

/* What others allocated and it freed is below 0. */
static bool above_peak(const struct thread *thread, uint64_t balance)
{
	int64_t above = (int64_t)(balance - thread->peak_base);

	return above > 0 && (uint64_t)above > thread->peak;
}

/* Of its own thread alone. */
static void publish_own(struct thread *thread)
{
	thread_publish(thread);
	if (above_peak(thread, balance(thread)))
		thread->peak = balance(thread) - thread->peak_base;
}

/*
 * Is this the thread's peak? At least where it is: what went to its cache
 * since the last publication is not told from what it still has.
 */
static bool may_be_peak(const struct thread *thread)
{
	uint64_t slack = thread->peak_wanted ? 0 : PEAK_SLACK;

	return above_peak(thread, balance(thread) - slack -
					  (thread->direct_freed -
					   thread->direct_freed_published));
}

uint64_t thread_peak(struct thread *thread)
{
	thread->peak_wanted = true;
	publish_own(thread);
	return thread->peak;
}

void thread_peak_reset(struct thread *thread)
{
	thread->peak_wanted = true;
	thread_publish(thread);
	thread->peak_base = balance(thread);
	thread->peak = 0;
}

/* As often as anybody looks; the clock is a coarse one. */
static void publish_when_due(struct thread *thread)
{
	uint64_t now = os_now_ns();

	if (now - thread->published_ns < PUBLICATION_NS)
		return;
	thread->published_ns = now;
	publish_own(thread);
	exchange_tell_when_due(now);
	prof_publish_own(thread);
}

void thread_tick(struct thread *thread)
{
	if (++thread->slow_calls % TICKS_PER_LOOK == 0)
		publish_when_due(thread);
}

/* With opt.tcache_gc_incr_bytes: has so much been allocated since the last? */
static bool trim_is_due(struct thread *thread)
{
	uint64_t allocated = allocated_so_far(thread);

	if (allocated - thread->trimmed_at < opt.tcache_gc_incr_bytes)
		return false;
	thread->trimmed_at = allocated;
	return true;
}

static void plan_trim(struct thread *thread)
{
	if (opt.tcache_gc_incr_bytes)
		set_aside(thread, (int64_t)opt.tcache_gc_incr_bytes);
}

static void flush_caches(struct thread *thread)
{
	cache_flush(&thread->cache, thread->arena);
	if (thread->arena_cache)
		arena_cache_flush(thread->arena_cache);
}

static void trim_caches(struct thread *thread)
{
	cache_trim(&thread->cache, thread->arena);
	if (thread->arena_cache)
		arena_cache_trim(thread->arena_cache);
}

/* Where trims come oftener than events do. */
static void trim_between(struct thread *thread)
{
	if (!opt.tcache_gc_incr_bytes || !trim_is_due(thread))
		return;
	thread_busy++;
	trim_caches(thread);
	thread_busy--;
}

/* Was the thread idle since it was here last? Then its cache is too big. */
static void look_at_cache(struct thread *thread)
{
	uint64_t now = os_now_ns();
	uint32_t squeezes =
		__atomic_load_n(&container_squeezes, __ATOMIC_RELAXED);

	if ((thread->looked_ns && now - thread->looked_ns > IDLE_NS) ||
	    squeezes != thread->squeezes)
		flush_caches(thread);
	else if (trim_is_due(thread))
		trim_caches(thread);
	thread->looked_ns = now;
	thread->squeezes = squeezes;
}

void thread_look_if_slow(struct thread *thread)
{
	if (!thread->looked_ns)
		thread->looked_ns = thread->left_ns;
	if (thread->left_ns - thread->looked_ns <= IDLE_NS)
		return;
	thread_busy++;
	look_at_cache(thread);
	exchange_trim_when_due(thread->left_ns);
	thread_busy--;
	heap_run_deferred();
}

struct steal {
	bool only_if_idle, any_left;
	struct extent *list;
};

static void steal_large(struct thread *thread, void *context)
{
	struct steal *steal = context;
	struct extent *before = steal->list;

	steal->any_left |= large_cache_steal(&thread->cache.large,
					     steal->only_if_idle, &steal->list);
	/* It may not come here for long, and holds less now. */
	if (steal->list != before)
		thread_publish(thread);
}

bool thread_steal_large(bool only_if_idle)
{
	struct steal steal = {.only_if_idle = only_if_idle};

	thread_each(steal_large, &steal);
	thread_busy++;
	large_cache_release(steal.list);
	thread_busy--;
	return steal.any_left;
}

/* One thread looks after all, now and then. */
static void steal_from_idle(void)
{
	static uint64_t next_ns;

	if (os_is_turn(&next_ns, os_now_ns(), IDLE_LOOK_NS))
		thread_steal_large(true);
}

static bool is_round(struct thread *thread, size_t usable_bytes)
{
	thread->round_bytes +=
		usable_bytes > SMALL_MAX_BYTES
			? LARGE_EVENT_BYTES
			: (size_t)(thread->countdown_start - thread->countdown);
	if (thread->round_bytes < BYTES_PER_ROUND &&
	    thread->eventless_bytes < LARGE_BYTES_PER_ROUND)
		return false;
	thread->round_bytes = 0;
	thread->eventless_bytes = 0;
	return true;
}

static void keep_house(struct thread *thread, size_t usable_bytes)
{
	bool round = is_round(thread, usable_bytes);

	/* Small objects make no peak that counts before a round is over. */
	if (!round && !thread->peak_wanted && !thread->eventless_bytes &&
	    usable_bytes <= SMALL_MAX_BYTES)
		return;
	thread_busy++;
	if (may_be_peak(thread))
		publish_own(thread);
	else if (round)
		publish_when_due(thread);
	if (round) {
		look_at_cache(thread);
		exchange_trim();
	}
	thread_busy--;
	if (round)
		steal_from_idle();
}

/* Offers ptr to the profiler; what the program gets is ptr, or guarded. */
static void *offer_sample(struct thread *thread, void *ptr,
			  size_t requested_bytes, size_t usable_bytes,
			  unsigned size_class, size_t alignment)
{
	void *guarded = guard_take(ptr, requested_bytes, alignment);
	void *what = guarded ? guarded : ptr;
	uint32_t sample = prof_sample(thread, what, requested_bytes,
				      usable_bytes, size_class);

	/* Where memory is short it counts as freed at once. */
	if (sample && !heap_set_sample(what, sample)) {
		prof_free(thread, what, sample);
		sample = 0;
	}
	if (!guarded || sample)
		return what;
	guard_give(guarded, false);
	return ptr;
}

void *thread_event(struct thread *thread, void *ptr, size_t requested_bytes,
		   size_t usable_bytes, unsigned size_class, size_t alignment)
{
	bool offer = !thread->reentrancy;
	uint64_t bytes;

	take_up(thread);
	if (thread->countdown >= 0) {
		trim_between(thread);
		/* Whoever leaves the slow paths looks at the clock. */
		plan_look(thread);
		plan_trim(thread);
		return ptr;
	}
	keep_house(thread, usable_bytes);
	/* A thread whose own cache serves it all comes by here alone. */
	if (offer && opt.percpu_arena)
		thread_follow_cpu(thread);
	thread->reentrancy++;
	if (offer)
		ptr = offer_sample(thread, ptr, requested_bytes, usable_bytes,
				   size_class, alignment);
	bytes = (uint64_t)(thread->countdown_start - thread->countdown);
	thread->allocated += bytes;
	draw(thread);
	if (offer)
		ctl_count_allocated(bytes);
	table_pages_look();
	plan_look(thread);
	plan_trim(thread);
	thread->reentrancy--;
	return ptr;
}

/* To another arena with all that the cache holds. */
static void move(struct thread *thread, struct arena *arena)
{
	struct arena *from = thread->arena;
	uint64_t held;

	lock_take(&lock); /* nobody publishes it for the wrong arena */
	thread_publish(thread);
	held = thread->cached_bytes;
	ledger_add_shared(&from->stats->tcache_bytes, -held);
	ledger_add_shared(&arena->stats->tcache_bytes, held);
	thread->arena = arena;
	if (arena->manual)
		thread->cache.exchanges = false; /* from now on: what is held */
	lock_release(&lock);
	arena_leave(from);
	arena_join(arena);
}

/*
 * A thread alone on its arena stays there, on whatever CPU it runs: only
 * where another one was last to come here is there something to avoid.
 */
void thread_follow_cpu(struct thread *thread)
{
	struct arena *arena = thread->arena;

	if (__atomic_load_n(&arena->last, __ATOMIC_RELAXED) == thread ||
	    !arena_is_of_cpu(arena))
		return;
	arena = arena_of_cpu();
	if (!arena)
		return;
	__atomic_store_n(&arena->last, thread, __ATOMIC_RELAXED);
	if (arena == thread->arena)
		return;
	thread_busy++;
	move(thread, arena);
	thread_busy--;
	heap_run_deferred();
}

unsigned heap_thread_arena(struct thread *thread)
{
	return thread->arena->index;
}

void heap_thread_set_arena(struct thread *thread, struct arena *arena)
{
	if (arena == thread->arena)
		return;
	thread_busy++;
	flush_caches(thread);
	lock_take(&lock); /* nobody publishes it for the wrong arena */
	thread_publish(thread);
	arena_leave(thread->arena);
	thread->arena = arena;
	/* The cache is empty: from now on it holds what is arena's. */
	thread->cache.exchanges = !arena->manual;
	lock_release(&lock);
	arena_join(arena);
	thread_busy--;
	heap_run_deferred();
}

void heap_thread_flush(struct thread *thread)
{
	thread_busy++;
	flush_caches(thread);
	exchange_flush();
	thread_publish(thread);
	thread_busy--;
	heap_run_deferred();
}

bool heap_thread_cache_enabled(struct thread *thread)
{
	return thread->cache.class_count != 0;
}

void heap_thread_enable_cache(struct thread *thread, bool on)
{
	if (on == heap_thread_cache_enabled(thread))
		return;
	thread_busy++;
	/* The fast paths clear nothing. */
	if (on && !fill_any())
		start_cache(thread);
	else if (!on)
		end_cache(thread);
	thread_publish(thread);
	thread_busy--;
	heap_run_deferred();
}

size_t heap_cache_max(void)
{
	size_t most = opt.tcache_max;

	return most ? size_classes[size_class_of(most)].bytes : 0;
}

size_t heap_thread_cache_max(const struct thread *thread)
{
	return thread->cache_max_bytes;
}

void heap_thread_set_cache_max(struct thread *thread, size_t bytes)
{
	unsigned size_class = size_class_of(bytes ? bytes : 1);

	thread->cache_max_bytes = size_classes[size_class].bytes;
	if (!heap_thread_cache_enabled(thread))
		return;
	thread_busy++;
	end_cache(thread);
	start_cache(thread);
	thread_publish(thread);
	thread_busy--;
	heap_run_deferred();
}

/* Large extents have slots that all their classes share. */
unsigned heap_thread_cache_bound(struct thread *thread, size_t bytes)
{
	unsigned size_class = size_class_of(bytes ? bytes : 1);

	if (size_class < CACHED_CLASSES)
		return cache_bound(&thread->cache, size_class);
	return bytes <= thread->cache.large.max_bytes ? LARGE_CACHE_SLOTS : 0;
}

void heap_thread_set_cache_bound(struct thread *thread, size_t first_bytes,
				 size_t last_bytes, unsigned most)
{
	unsigned i = size_class_of(first_bytes ? first_bytes : 1);
	unsigned last = size_class_of(last_bytes ? last_bytes : 1);

	thread_busy++;
	for (; i <= last && i < CACHED_CLASSES; i++)
		cache_set_bound(&thread->cache, i, most);
	thread_publish(thread);
	thread_busy--;
	heap_run_deferred();
}

static void publish_row(struct thread *thread, void *context)
{
	(void)context;
	thread_publish(thread);
}

void heap_publish(void)
{
	struct thread *thread = thread_get();

	if (thread) {
		thread_busy++;
		cache_publish(&thread->cache, thread->arena);
		if (thread->arena_cache)
			arena_cache_publish(thread->arena_cache);
		thread_busy--;
	}
	thread_each(publish_row, NULL);
	exchange_tell();
	prof_publish();
	heap_run_deferred();
}

struct lock *thread_list_lock(void)
{
	return &lock;
}

void thread_prefork(void)
{
	lock_take_for_fork(&lock);
}

void thread_postfork_parent(void)
{
	lock_release_for_fork(&lock);
}

/* Of caches only this thread's is left; what others added may be torn. */
static void recount_cached(const struct thread *mine)
{
	unsigned count = heap_arena_count(), i;

	for (i = 0; i < count; i++) {
		struct arena *arena = heap_arena(i);

		if (arena)
			ledger_set(&arena->stats->tcache_bytes,
				   mine && mine->arena == arena
					   ? mine->cached_bytes
					   : 0);
	}
	exchange_tell();
	if (mine && mine->arena_cache)
		arena_cache_recount(mine->arena_cache);
}

/*
 * The other threads are gone; the profiler tells the ledger. What their caches
 * held stays allocated: a copy of a cache that was in use is not to be trusted.
 */
void thread_postfork_child(void)
{
	struct thread *mine = thread_peek(), *thread = threads, *next;

	lock_reset(&lock);
	for (; thread; thread = next) {
		next = thread->next;
		if (thread == mine)
			continue;
		arena_leave(thread->arena);
		ledger_add_shared(&ledger_process()->threads_exited, 1);
		ledger_add_shared(&ledger_process()->threads_live,
				  (uint64_t)-1);
		thread->next = recycled;
		recycled = thread;
	}
	threads = mine;
	recount_cached(mine);
	if (mine)
		mine->next = mine->previous = NULL;
}
