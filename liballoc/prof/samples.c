/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live samples: dense rows of LEDGER_SAMPLES, found by address through
 * shards, each with its lock, bucket heads and free rows. Freed rows are used
 * again first, so the rows in use stay few and no tombstone slows anything.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>

#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/prof/peak.h"
#include "liballoc/prof/row_index.h"
#include "liballoc/prof/log.h"
#include "liballoc/prof/recent.h"
#include "liballoc/prof/tables.h"

/* Rows that a shard takes at a time: few, so that few are touched. */
#define CHUNK 16u
/* Rows of garbage that make folding worth while. */
#define FOLD_CREDIT 1024u
/*
 * So many threads may end between two folds, and one more for some rows that
 * each fold looks at.
 */
#define FOLD_EXITS 32
#define FOLD_ROWS_PER_EXIT 64

struct shard {
	struct lock lock;
	struct row_index index;
	uint32_t indexed_rows;
	uint32_t free_rows; /* row + 1, chained by links */
	uint32_t next_row, last_row;
} __attribute__((aligned(64)));

struct lock tables_dump_lock = LOCK_INIT(LOCK_PROF_DUMP);
static struct shard shards[TABLES_SHARDS];
static uint32_t *links;
static uint64_t rows_used; /* handed to shards */
/* How often rows were emptied: read with a shard held, and raised with all. */
static uint32_t age;
static uint32_t fold_credit = FOLD_CREDIT;
static int64_t exits_until_fold = FOLD_EXITS;

void tables_each_lock(void (*visit)(struct lock *lock, void *context),
		      void *context)
{
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		visit(&shards[i].lock, context);
}

bool tables_boot(void)
{
	uint32_t rows = ledger_capacity(LEDGER_SAMPLES);
	uint32_t buckets = row_index_buckets(rows / TABLES_SHARDS);
	size_t own, bytes;
	uint32_t *memory;

	own = ((size_t)buckets * TABLES_SHARDS + rows) * sizeof(uint32_t);
	bytes = own + stacks_index_bytes() + counts_index_bytes();
	bytes = (bytes + os_page_bytes - 1) / os_page_bytes * os_page_bytes;
	memory = os_map(bytes, false);
	if (!memory)
		return false;
	/* Touched here and there: huge pages would all be resident. */
	(void)madvise(memory, bytes, MADV_NOHUGEPAGE);
	ledger_add_shared(&ledger_process()->metadata, bytes);
	links = memory + (size_t)buckets * TABLES_SHARDS;
	for (unsigned i = 0; i < TABLES_SHARDS; i++) {
		lock_init(&shards[i].lock, LOCK_PROF_TABLES);
		row_index_init(&shards[i].index, memory + i, links, buckets,
			       TABLES_SHARDS);
	}
	stacks_boot(links + rows);
	counts_boot(links + rows + stacks_index_bytes() / sizeof(uint32_t));
	return true;
}

static struct ledger_sample *sample_row(uint32_t row)
{
	return (struct ledger_sample *)ledger_rows(LEDGER_SAMPLES) + row;
}

static struct ledger_count *count_row(uint32_t row)
{
	return (struct ledger_count *)ledger_rows(LEDGER_COUNTS) + row;
}

static struct shard *shard_of(uint64_t hash)
{
	return &shards[hash >> 60];
}

static uint64_t hash_of(uint32_t row)
{
	return tables_mix(sample_row(row)->address);
}

/* The link that leads to the address's row, or to 0. */
static uint32_t *find_link(struct shard *shard, uint64_t address)
{
	uint32_t *link = row_index_head(&shard->index, tables_mix(address));

	while (*link != 0 && sample_row(*link - 1)->address != address)
		link = &links[*link - 1];
	return link;
}

static void refill(struct shard *shard)
{
	uint64_t first =
		__atomic_fetch_add(&rows_used, CHUNK, __ATOMIC_RELAXED);
	uint64_t rows = ledger_capacity(LEDGER_SAMPLES), last = first + CHUNK;

	if (first >= rows) {
		__atomic_fetch_sub(&rows_used, CHUNK, __ATOMIC_RELAXED);
		return;
	}
	last = last < rows ? last : rows;
	shard->next_row = (uint32_t)first;
	shard->last_row = (uint32_t)last;
	ledger_publish(LEDGER_SAMPLES, last);
}

static uint32_t take_row(struct shard *shard)
{
	uint32_t row = shard->free_rows;

	if (row != 0) {
		shard->free_rows = links[row - 1];
		return row - 1;
	}
	if (shard->next_row == shard->last_row)
		refill(shard);
	return shard->next_row < shard->last_row ? shard->next_row++
						 : TABLES_NONE;
}

static void give_row(struct shard *shard, uint32_t row)
{
	links[row] = shard->free_rows;
	shard->free_rows = row + 1;
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

static bool remove_held(struct shard *shard, uint64_t address,
			const struct freed_by *by, struct sampled *was)
{
	uint32_t *link = find_link(shard, address);
	uint32_t row = *link - 1;
	struct ledger_sample *sample;
	uint64_t now_ns, lifetime_ns;

	if (*link == 0)
		return false;
	sample = sample_row(row);
	if (was)
		tell(sample, was);
	now_ns = os_clock_ns();
	lifetime_ns = now_ns - sample->birth_ns;
	if (recent_is_on() || log_is_on())
		tell_history(sample, by, now_ns);
	counts_freed(sample->count, sample->usable_bytes, lifetime_ns,
		     by->thread);
	ledger_add_bucket(ledger_process()->sample_lifetime_ns,
			  LEDGER_LIFE_BUCKETS, lifetime_ns);
	ledger_set(&sample->address, 1);
	*link = links[row];
	shard->indexed_rows--;
	give_row(shard, row);
	ledger_add_shared(&ledger_process()->prof_samples_live, (uint64_t)-1);
	return true;
}

static struct shard *take_shard(uint64_t address)
{
	struct shard *shard = shard_of(tables_mix(address));

	thread_busy++;
	lock_take(&shard->lock);
	return shard;
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

static bool add_held(struct shard *shard, const struct sampled *what,
		     uint32_t count_index)
{
	struct ledger_count *count = count_row(count_index);
	uint32_t row = take_row(shard);

	if (row == TABLES_NONE)
		return false;
	counts_before_change(count);
	ledger_add_shared(&count->allocated_count, 1);
	ledger_add_shared(&count->allocated_bytes, what->usable_bytes);
	ledger_add_shared(&count->requested_bytes, what->requested_bytes);
	counts_add_square(&count->allocated_squares, what->size_class,
			  what->usable_bytes);
	write_row(sample_row(row), what, count_index);
	row_index_grow(&shard->index, ++shard->indexed_rows, hash_of);
	row_index_insert(&shard->index, hash_of(row), row);
	ledger_add_shared(&ledger_process()->prof_samples, 1);
	ledger_add_shared(&ledger_process()->prof_samples_live, 1);
	return true;
}

static bool add_at(struct shard *shard, const struct sampled *what,
		   struct tables_place *place)
{
	static const struct freed_by nobody;
	uint32_t *near = &place->counts[what->size_class % 8];
	uint32_t stack = place->stack - 1, count;
	_Static_assert(TABLES_NONE == UINT32_MAX, "0 - 1 is no row");

	/* A sample that is still here was freed unseen. */
	remove_held(shard, what->address, &nobody, NULL);
	count = counts_get(stack, what, *near - 1);
	if (count == TABLES_NONE || !add_held(shard, what, count))
		return false;
	*near = count + 1;
	if (recent_is_on())
		recent_add(what, stack);
	return true;
}

bool tables_add(const struct sampled *what, const uint64_t *frames,
		unsigned depth, struct tables_place *place)
{
	struct shard *shard = take_shard(what->address);
	struct tables_place at = {
		.stack = stacks_intern(frames, depth) + 1,
		.age = age,
	};
	bool added = at.stack != 0 && add_at(shard, what, &at);

	release_shard(shard);
	if (place)
		*place = added ? at : (struct tables_place){0};
	return added;
}

bool tables_add_again(const struct sampled *what, struct tables_place *place)
{
	struct shard *shard = take_shard(what->address);
	bool added = place->stack != 0 && place->age == age &&
		     add_at(shard, what, place);

	release_shard(shard);
	return added;
}

bool tables_remove(uint64_t address, uint32_t thread, struct sampled *was)
{
	const struct freed_by by = {.thread = thread};

	return tables_remove_by(address, &by, was);
}

bool tables_remove_by(uint64_t address, const struct freed_by *by,
		      struct sampled *was)
{
	struct shard *shard = take_shard(address);
	bool removed = remove_held(shard, address, by, was);

	release_shard(shard);
	if (removed)
		tables_note_garbage();
	return removed;
}

bool tables_has(uint64_t address)
{
	struct shard *shard = take_shard(address);
	bool found = *find_link(shard, address) != 0;

	release_shard(shard);
	return found;
}

/* Rows may change meanwhile: each index is checked, each walk is bounded. */
unsigned tables_peek(uint64_t address, uint64_t *requested_bytes,
		     uint64_t *frames, unsigned max)
{
	uint64_t hash = tables_mix(address);
	uint32_t at = *row_index_head(&shard_of(hash)->index, hash), steps = 0;
	uint32_t rows = ledger_capacity(LEDGER_SAMPLES);
	const struct ledger_sample *sample;

	while (at && at <= rows && sample_row(at - 1)->address != address &&
	       steps++ < rows)
		at = links[at - 1];
	if (!at || at > rows || sample_row(at - 1)->address != address)
		return 0;
	sample = sample_row(at - 1);
	*requested_bytes = sample->requested_bytes;
	if (sample->count >= ledger_capacity(LEDGER_COUNTS))
		return 0;
	return stacks_peek(count_row(sample->count)->stack, frames, max);
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
	uint64_t rows;

	if (!lock_try(&tables_dump_lock))
		return;
	__atomic_store_n(&fold_credit, 0, __ATOMIC_RELAXED);
	take_all();
	ledger_replace_begin();
	age++;
	rows = counts_fold(any);
	ledger_replace_end();
	release_all();
	__atomic_store_n(&exits_until_fold,
			 FOLD_EXITS + (int64_t)rows / FOLD_ROWS_PER_EXIT,
			 __ATOMIC_RELAXED);
	lock_release(&tables_dump_lock);
}

void tables_fold(bool any)
{
	if (__atomic_load_n(&fold_credit, __ATOMIC_RELAXED) >= FOLD_CREDIT)
		fold(any);
}

void tables_note_exit(void)
{
	tables_note_garbage();
	if (__atomic_sub_fetch(&exits_until_fold, 1, __ATOMIC_RELAXED) <= 0)
		fold(false);
}

static void reset_samples(void)
{
	uint64_t rows = ledger_header()->sections[LEDGER_SAMPLES].count;

	memset(sample_row(0), 0, rows * sizeof(struct ledger_sample));
	for (unsigned i = 0; i < TABLES_SHARDS; i++) {
		struct shard *shard = &shards[i];

		row_index_clear(&shard->index);
		shard->indexed_rows = shard->free_rows = 0;
		shard->next_row = shard->last_row = 0;
	}
	rows_used = 0;
	ledger_clear(LEDGER_SAMPLES);
	ledger_set(&ledger_process()->prof_samples_live, 0);
	peak_reset();
}

void tables_reset(void)
{
	take_all();
	ledger_replace_begin();
	age++;
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
	recent_prefork();
	log_prefork();
}

void tables_postfork_parent(void)
{
	log_postfork_parent();
	recent_postfork_parent();
	lock_release_for_fork(&counts_lock);
	lock_release_for_fork(&stacks_lock);
	release_all();
	lock_release_for_fork(&tables_dump_lock);
}

void tables_postfork_child(void)
{
	log_postfork_child();
	recent_postfork_child();
	lock_reset(&counts_lock);
	lock_reset(&stacks_lock);
	for (unsigned i = 0; i < TABLES_SHARDS; i++)
		lock_reset(&shards[i].lock);
	lock_reset(&tables_dump_lock);
	thread_busy--;
}
