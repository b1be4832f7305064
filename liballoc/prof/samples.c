/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live samples: dense rows of LEDGER_SAMPLES, whose numbers the heap keeps
 * with the objects; the row's address tells whether it is still theirs. Rows
 * are parted into shards, each with its lock and free rows: a thread's samples
 * lie in one, so that threads seldom meet there. Freed rows are used again
 * first, and what a shard has too many of goes to the others by the pool, so
 * the rows in use stay few.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>

#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/prof/peak.h"
#include "liballoc/prof/log.h"
#include "liballoc/prof/recent.h"
#include "liballoc/prof/tables.h"

/* Rows that a shard takes at a time: few, so that few are touched. */
#define CHUNK 16u
/* A shard with so many free rows gives half of them to the pool. */
#define MOST_FREE 64u
/* Rows of garbage that make folding worth while. */
#define FOLD_CREDIT 1024u
/*
 * So many threads may end between two folds. Then a fold waits for as many rows
 * as make it worth its while, a share of those that were left by the last one,
 * or for as many ends.
 */
#define FOLD_EXITS 32
#define FOLD_SHARE 4
#define FOLD_ROWS_PER_EXIT 64

/*
 * What a shard has yet to add to the process's totals, whose words all threads
 * write. It tells every change at first, and then so many at once that those
 * untold are fewer than a 256th of all its changes, and never above
 * MOST_UNTOLD.
 */
#define LG_UNTOLD_SHARE 8
#define MOST_UNTOLD 64u

struct untold {
	uint64_t all;		/* changes ever told */
	uint32_t changes, most; /* now, and how many may be */
	uint32_t taken, freed;
	uint64_t lived; /* bit i: lives[i] is not 0 */
	uint8_t lives[LEDGER_LIFE_BUCKETS];
};
_Static_assert(MOST_UNTOLD < UINT8_MAX && LEDGER_LIFE_BUCKETS <= 64,
	       "as the lives are kept");

struct shard {
	struct lock lock;
	uint32_t free_rows; /* row + 1, chained by links */
	uint32_t free_count;
	uint32_t next_row, last_row;
	struct untold untold;
} __attribute__((aligned(64)));

struct lock tables_dump_lock = LOCK_INIT(LOCK_PROF_DUMP);
static struct shard shards[TABLES_SHARDS];
/* A free row: the next one, + 1. One in use: the shard that it belongs to. */
static uint32_t *links;
static uint64_t rows_used; /* handed to shards */
/* Free rows that any shard may take: the first, + 1. Also read without. */
static struct lock pool_lock = LOCK_INIT(LOCK_PROF_POOL);
static uint32_t pool;
/* How often rows were emptied: read with a shard held, and raised with all. */
static uint32_t age;
static uint32_t fold_credit = FOLD_CREDIT;
static uint32_t exits_since_fold, rows_after_fold;

void tables_each_lock(void (*visit)(struct lock *lock, void *context),
		      void *context)
{
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		visit(&shards[i].lock, context);
	visit(&pool_lock, context);
}

__attribute__((cold)) bool tables_boot(void)
{
	uint32_t rows = ledger_capacity(LEDGER_SAMPLES);
	uint32_t *memory;
	size_t bytes;

	bytes = rows * sizeof(uint32_t) + stacks_index_bytes() +
		counts_index_bytes();
	bytes = (bytes + os_page_bytes - 1) / os_page_bytes * os_page_bytes;
	memory = os_map(bytes, false);
	if (!memory)
		return false;
	/* Touched here and there: huge pages would all be resident. */
	(void)madvise(memory, bytes, MADV_NOHUGEPAGE);
	ledger_add_shared(&ledger_process()->metadata, bytes);
	links = memory;
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		lock_init(&shards[i].lock, LOCK_PROF_TABLES);
	stacks_boot(links + rows);
	counts_boot(links + rows + stacks_index_bytes() / sizeof(uint32_t));
	return true;
}

static void tell_totals(struct untold *untold)
{
	struct process_stats *process = ledger_process();

	if (!untold->changes)
		return;
	ledger_add_shared(&process->prof_samples, untold->taken);
	ledger_add_shared(&process->prof_samples_live,
			  (uint64_t)untold->taken - untold->freed);
	for (; untold->lived; untold->lived &= untold->lived - 1) {
		unsigned i = (unsigned)__builtin_ctzll(untold->lived);

		ledger_add_shared(&process->sample_lifetime_ns[i],
				  untold->lives[i]);
		untold->lives[i] = 0;
	}
	untold->all += untold->changes;
	untold->most = untold->all < MOST_UNTOLD << LG_UNTOLD_SHARE
			       ? (uint32_t)(untold->all >> LG_UNTOLD_SHARE)
			       : MOST_UNTOLD;
	untold->changes = untold->taken = untold->freed = 0;
}

static void note_change(struct untold *untold)
{
	if (++untold->changes > untold->most)
		tell_totals(untold);
}

static void note_taken(struct untold *untold)
{
	untold->taken++;
	note_change(untold);
}

static void note_freed(struct untold *untold, uint64_t lifetime_ns)
{
	unsigned bucket = ledger_bucket_of(lifetime_ns, LEDGER_LIFE_BUCKETS);

	untold->freed++;
	untold->lives[bucket]++;
	untold->lived |= UINT64_C(1) << bucket;
	note_change(untold);
}

static struct ledger_sample *sample_row(uint32_t row)
{
	return (struct ledger_sample *)ledger_rows(LEDGER_SAMPLES) + row;
}

static struct ledger_count *count_row(uint32_t row)
{
	return (struct ledger_count *)ledger_rows(LEDGER_COUNTS) + row;
}

static void refill(struct shard *shard)
{
	uint64_t first = __atomic_load_n(&rows_used, __ATOMIC_RELAXED), last;

	do {
		last = first + CHUNK;
		if (last > ledger_capacity(LEDGER_SAMPLES))
			last = ledger_capacity(LEDGER_SAMPLES);
		if (first >= last || !ledger_make_room(LEDGER_SAMPLES, last))
			return;
	} while (!__atomic_compare_exchange_n(&rows_used, &first, last, true,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	shard->next_row = (uint32_t)first;
	shard->last_row = (uint32_t)last;
	ledger_publish(LEDGER_SAMPLES, last);
}

static uint32_t link_of(uint32_t row)
{
	return __atomic_load_n(&links[row], __ATOMIC_RELAXED);
}

static void set_link(uint32_t row, uint32_t link)
{
	__atomic_store_n(&links[row], link, __ATOMIC_RELAXED);
}

struct chain {
	uint32_t first, last; /* rows + 1 */
	uint32_t count;
};

/* The first so many rows of a chain that has any, or all there are. */
static struct chain cut(uint32_t *head, uint32_t most)
{
	struct chain chain = {*head, *head, 1};

	for (; chain.count < most && link_of(chain.last - 1); chain.count++)
		chain.last = link_of(chain.last - 1);
	*head = link_of(chain.last - 1);
	set_link(chain.last - 1, 0);
	return chain;
}

/* So many of the shard's free rows, or all there are, to the pool. */
static void pool_rows(struct shard *shard, uint32_t most)
{
	struct chain chain;

	if (!shard->free_rows)
		return;
	chain = cut(&shard->free_rows, most);
	shard->free_count -= chain.count;
	lock_take(&pool_lock);
	set_link(chain.last - 1, pool);
	__atomic_store_n(&pool, chain.first, __ATOMIC_RELAXED);
	lock_release(&pool_lock);
}

static void take_pooled(struct shard *shard)
{
	struct chain chain;
	uint32_t rest;

	if (!__atomic_load_n(&pool, __ATOMIC_RELAXED))
		return;
	lock_take(&pool_lock);
	rest = pool;
	if (rest) {
		chain = cut(&rest, MOST_FREE / 2);
		__atomic_store_n(&pool, rest, __ATOMIC_RELAXED);
		shard->free_rows = chain.first;
		shard->free_count = chain.count;
	}
	lock_release(&pool_lock);
}

static uint32_t take_free_row(struct shard *shard)
{
	uint32_t row = shard->free_rows - 1;

	shard->free_rows = link_of(row);
	shard->free_count--;
	return row;
}

static uint32_t take_fresh_row(struct shard *shard)
{
	if (shard->next_row == shard->last_row)
		refill(shard);
	return shard->next_row == shard->last_row ? TABLES_NONE
						  : shard->next_row++;
}

static uint32_t take_row(struct shard *shard)
{
	uint32_t row;

	if (!shard->free_rows && shard->next_row == shard->last_row)
		take_pooled(shard);
	row = shard->free_rows ? take_free_row(shard) : take_fresh_row(shard);
	if (row != TABLES_NONE)
		set_link(row, (uint32_t)(shard - shards));
	return row;
}

static void give_row(struct shard *shard, uint32_t row)
{
	set_link(row, shard->free_rows);
	shard->free_rows = row + 1;
	if (++shard->free_count > MOST_FREE)
		pool_rows(shard, MOST_FREE / 2);
}

static void tell(const struct ledger_sample *sample, struct sampled *was)
{
	const struct ledger_count *count = count_row(sample->count);

	*was = (struct sampled){
		.address = sample->address,
		.requested_bytes = sample->requested_bytes,
		.usable_bytes = sample->usable_bytes,
		.birth_ns = sample->birth_ns,
		.thread = count->thread,
		.size_class = count->size_class,
		.lg_sample = count->lg_sample,
	};
}

static void tell_history(const struct ledger_sample *sample,
			 const struct freed_by *by, uint64_t now_ns)
{
	const struct ledger_count *count = count_row(sample->count);
	struct logged free = {
		.usable_bytes = sample->usable_bytes,
		.allocated_ns = sample->birth_ns,
		.freed_ns = now_ns,
		.allocated_by = count->thread,
		.freed_by = by->thread,
		.allocated_at = count->stack,
		.freed_at = TABLES_NONE,
	};

	if (by->frames)
		free.freed_at = stacks_intern(by->frames, by->depth);
	if (recent_is_on())
		recent_freed(sample->address, free.freed_at, by->thread,
			     now_ns);
	if (log_is_on())
		log_add(&free);
}

static void remove_held(struct shard *shard, uint32_t row,
			const struct freed_by *by, struct sampled *was)
{
	struct ledger_sample *sample = sample_row(row);
	/* Two threads' clocks may differ by a little: near_clock.h. */
	uint64_t now_ns =
		by->now_ns > sample->birth_ns ? by->now_ns : sample->birth_ns;
	uint64_t lifetime_ns = now_ns - sample->birth_ns;

	if (was)
		tell(sample, was);
	if (recent_is_on() || log_is_on())
		tell_history(sample, by, now_ns);
	counts_freed(sample->count, sample->usable_bytes, lifetime_ns,
		     by->thread);
	ledger_set(&sample->address, 1);
	give_row(shard, row);
	note_freed(&shard->untold, lifetime_ns);
}

static void take_shard(struct shard *shard)
{
	thread_busy++;
	lock_take(&shard->lock);
}

static void release_shard(struct shard *shard)
{
	lock_release(&shard->lock);
	thread_busy--;
}

static void write_row(struct ledger_sample *row, const struct sampled *what,
		      uint32_t count)
{
	struct ledger_sample sample = {
		.address = what->address,
		.usable_bytes = what->usable_bytes,
		.requested_bytes = what->requested_bytes,
		.birth_ns = what->birth_ns,
		.count = count,
	};

	row->usable_bytes = sample.usable_bytes;
	row->requested_bytes = sample.requested_bytes;
	row->birth_ns = sample.birth_ns;
	row->count = count;
	row->check = ledger_sample_check(&sample);
	__atomic_store_n(&row->address, sample.address, __ATOMIC_RELEASE);
}

/* Inlined, so that the first is asked for once. */
static inline __attribute__((always_inline)) void
count_in(bool own, struct ledger_count *count, const struct sampled *what)
{
	counts_add(own, &count->allocated_count, 1);
	counts_add(own, &count->allocated_bytes, what->usable_bytes);
	counts_add(own, &count->requested_bytes, what->requested_bytes);
	counts_add_square(own, count, &count->allocated_squares,
			  what->usable_bytes);
}

/* Its number, or 0. */
static uint32_t add_held(struct shard *shard, const struct sampled *what,
			 uint32_t count_index)
{
	struct ledger_count *count = count_row(count_index);
	uint32_t row = take_row(shard);

	if (row == TABLES_NONE)
		return 0;
	counts_before_change(count);
	if (__builtin_expect(count->thread != 0, 1))
		count_in(true, count, what);
	else
		count_in(false, count, what);
	write_row(sample_row(row), what, count_index);
	note_taken(&shard->untold);
	return row + 1;
}

static uint32_t add_at(struct shard *shard, const struct sampled *what,
		       struct tables_place *place)
{
	uint32_t stack = place->stack - 1, count, sample;
	uint32_t *near =
		&place->counts[(what->size_class + 7 * stack) % TABLES_NEAR];
	_Static_assert(TABLES_NONE == UINT32_MAX, "0 - 1 is no row");

	count = *near - 1;
	if (count == TABLES_NONE ||
	    !counts_is_of(count_row(count), stack, what))
		count = counts_get(stack, what);
	if (count == TABLES_NONE)
		return 0;
	sample = add_held(shard, what, count);
	if (!sample)
		return 0;
	*near = count + 1;
	if (recent_is_on())
		recent_add(what, stack);
	return sample;
}

static struct shard *shard_for(const struct sampled *what)
{
	return &shards[what->thread % TABLES_SHARDS];
}

uint32_t tables_add(const struct sampled *what, const uint64_t *frames,
		    unsigned depth, struct tables_place *place)
{
	struct shard *shard = shard_for(what);
	uint32_t sample = 0;

	take_shard(shard);
	if (place->age != age)
		*place = (struct tables_place){.age = age};
	place->stack = stacks_intern(frames, depth) + 1;
	if (place->stack)
		sample = add_at(shard, what, place);
	release_shard(shard);
	if (!sample)
		place->stack = 0;
	return sample;
}

uint32_t tables_add_again(const struct sampled *what,
			  struct tables_place *place)
{
	struct shard *shard = shard_for(what);
	uint32_t sample = 0;

	take_shard(shard);
	if (place->stack != 0 && place->age == age)
		sample = add_at(shard, what, place);
	release_shard(shard);
	return sample;
}

/* Is the row, of this shard that is held, the address's? */
static bool is_of(const struct shard *shard, uint32_t row, uint64_t address)
{
	return ledger_get(&sample_row(row)->address) == address &&
	       link_of(row) == (uint32_t)(shard - shards);
}

bool tables_remove_by(uint32_t sample, uint64_t address,
		      const struct freed_by *by, struct sampled *was)
{
	uint32_t row = sample - 1;
	struct shard *shard;
	bool is_known;

	if (row >= ledger_capacity(LEDGER_SAMPLES))
		return false;
	/* All were forgotten since, where this is no more the row's shard. */
	shard = &shards[link_of(row) % TABLES_SHARDS];
	take_shard(shard);
	is_known = is_of(shard, row, address);
	if (is_known)
		remove_held(shard, row, by, was);
	release_shard(shard);
	if (is_known)
		tables_note_garbage();
	return is_known;
}

/* Rows may change meanwhile: each index is checked. */
unsigned tables_peek(uint32_t sample_number, uint64_t address,
		     uint64_t *requested_bytes, uint64_t *frames, unsigned max)
{
	const struct ledger_sample *sample = sample_row(sample_number - 1);
	uint32_t count;

	if (sample_number - 1 >= ledger_capacity(LEDGER_SAMPLES) ||
	    ledger_get(&sample->address) != address)
		return 0;
	*requested_bytes = ledger_get(&sample->requested_bytes);
	count = ledger_get32(&sample->count);
	if (count >= ledger_capacity(LEDGER_COUNTS))
		return 0;
	return stacks_peek(ledger_get32(&count_row(count)->stack), frames, max);
}

static void take_all(void)
{
	thread_busy++;
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		lock_take_for_fork(&shards[i].lock);
}

static void release_all(void)
{
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		lock_release_for_fork(&shards[i].lock);
	thread_busy--;
}

void tables_note_garbage(void)
{
	if (__atomic_load_n(&fold_credit, __ATOMIC_RELAXED) < FOLD_CREDIT)
		__atomic_fetch_add(&fold_credit, 1, __ATOMIC_RELAXED);
}

static void fold(bool any)
{
	uint32_t rows;

	if (!lock_try(&tables_dump_lock))
		return;
	__atomic_store_n(&fold_credit, 0, __ATOMIC_RELAXED);
	take_all();
	ledger_replace_begin();
	age++;
	rows = counts_fold(any);
	/* Whoever found the table full may be in need of others' rows. */
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		pool_rows(&shards[i], UINT32_MAX);
	ledger_replace_end();
	release_all();
	__atomic_store_n(&rows_after_fold, rows, __ATOMIC_RELAXED);
	__atomic_store_n(&exits_since_fold, 0, __ATOMIC_RELAXED);
	lock_release(&tables_dump_lock);
}

void tables_fold(bool any)
{
	if (__atomic_load_n(&fold_credit, __ATOMIC_RELAXED) >= FOLD_CREDIT)
		fold(any);
}

void tables_note_exit(void)
{
	uint32_t exits =
		__atomic_add_fetch(&exits_since_fold, 1, __ATOMIC_RELAXED);
	uint64_t left = __atomic_load_n(&rows_after_fold, __ATOMIC_RELAXED);

	tables_note_garbage();
	if (exits >= FOLD_EXITS &&
	    (counts_rows() >= left + left / FOLD_SHARE ||
	     exits >= FOLD_EXITS + left / FOLD_ROWS_PER_EXIT))
		fold(false);
}

void tables_tell_totals_of(uint32_t thread)
{
	struct shard *shard = &shards[thread % TABLES_SHARDS];

	take_shard(shard);
	tell_totals(&shard->untold);
	release_shard(shard);
}

void tables_tell_totals(void)
{
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		tables_tell_totals_of(i);
}

static void reset_samples(void)
{
	uint64_t rows = ledger_published(LEDGER_SAMPLES);

	memset(sample_row(0), 0, rows * sizeof(struct ledger_sample));
	for (unsigned i = 0; i < TABLES_SHARDS; i++) {
		struct shard *shard = &shards[i];

		shard->free_rows = shard->free_count = 0;
		shard->next_row = shard->last_row = 0;
		tell_totals(&shard->untold);
	}
	__atomic_store_n(&pool, 0, __ATOMIC_RELAXED);
	rows_used = 0;
	ledger_clear(LEDGER_SAMPLES);
	ledger_set(&ledger_process()->prof_samples_live, 0);
	peak_reset();
}

/* Counters go on; what was lost by now is not missed in what comes. */
static void reset_losses(void)
{
	struct process_stats *process = ledger_process();

	ledger_set(&process->reset_dropped_samples,
		   ledger_get(&process->prof_dropped_samples));
	ledger_set(&process->reset_dropped_bytes,
		   ledger_get(&process->prof_dropped_bytes));
	ledger_set(&process->reset_truncated_stacks,
		   ledger_get(&process->prof_truncated_stacks));
}

void tables_reset(void)
{
	take_all();
	ledger_replace_begin();
	age++;
	reset_losses();
	reset_samples();
	counts_reset();
	stacks_reset();
	recent_reset();
	log_reset();
	ledger_replace_end();
	release_all();
}

void tables_prefork(void)
{
	lock_take_for_fork(&tables_dump_lock);
	take_all();
	lock_take_for_fork(&stacks_lock);
	lock_take_for_fork(&counts_lock);
	lock_take_for_fork(&pool_lock);
	recent_prefork();
	log_prefork();
}

void tables_postfork_parent(void)
{
	log_postfork_parent();
	recent_postfork_parent();
	lock_release_for_fork(&pool_lock);
	lock_release_for_fork(&counts_lock);
	lock_release_for_fork(&stacks_lock);
	release_all();
	lock_release_for_fork(&tables_dump_lock);
}

void tables_postfork_child(void)
{
	log_postfork_child();
	recent_postfork_child();
	lock_reset(&pool_lock);
	lock_reset(&counts_lock);
	lock_reset(&stacks_lock);
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		lock_reset(&shards[i].lock);
	lock_reset(&tables_dump_lock);
	thread_busy--;
}
