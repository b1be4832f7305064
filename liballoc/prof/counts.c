/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LEDGER_COUNTS: a row for each (stack, thread, size class, rate), its
 * hash index, and the row of LEDGER_LIVES beside it. Looking up takes no lock
 * beside the caller's shard; adding takes counts_lock. A row holds its thread's
 * row in the ledger (ledger_thread_hold) until it is emptied or passes to row
 * 0, which stands for exited threads.
 */
#include "config.h"

#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/prof/peak.h"
#include "liballoc/prof/row_index.h"
#include "liballoc/prof/tables.h"

struct lock counts_lock = LOCK_INIT(LOCK_PROF_COUNTS);
static struct row_index by_hash; /* its links also chain the free rows */
/* Guarded by counts_lock; the second is also read without. */
static uint32_t free_rows;
static uint32_t indexed_rows;

size_t counts_index_bytes(void)
{
	uint32_t rows = ledger_capacity(LEDGER_COUNTS);

	return ((size_t)row_index_buckets(rows) + rows) * sizeof(uint32_t);
}

void counts_boot(uint32_t *memory)
{
	uint32_t most = row_index_buckets(ledger_capacity(LEDGER_COUNTS));

	row_index_init(&by_hash, memory, memory + most, most);
}

static struct ledger_count *count_row(uint32_t row)
{
	return (struct ledger_count *)ledger_rows(LEDGER_COUNTS) + row;
}

static struct ledger_life *life_row(uint32_t row)
{
	return (struct ledger_life *)ledger_rows(LEDGER_LIVES) + row;
}

static uint64_t hash_of_key(const struct ledger_count *key)
{
	uint64_t hash = tables_mix((uint64_t)key->stack << 32 | key->thread);

	return tables_mix(hash ^
			  ((uint64_t)key->size_class << 32 | key->lg_sample));
}

static uint64_t hash_of(uint32_t row)
{
	return hash_of_key(count_row(row));
}

static bool same_key(const struct ledger_count *a, const struct ledger_count *b)
{
	return a->stack == b->stack && a->thread == b->thread &&
	       a->size_class == b->size_class && a->lg_sample == b->lg_sample;
}

static uint32_t find(const struct ledger_count *key)
{
	uint32_t at = __atomic_load_n(
		row_index_head(&by_hash, hash_of_key(key)), __ATOMIC_ACQUIRE);

	for (; at != 0; at = row_index_next(&by_hash, at))
		if (same_key(count_row(at - 1), key))
			return at - 1;
	return TABLES_NONE;
}

static void insert(uint32_t row)
{
	uint32_t rows = indexed_rows + 1;

	__atomic_store_n(&indexed_rows, rows, __ATOMIC_RELAXED);
	row_index_grow(&by_hash, rows, hash_of);
	row_index_insert(&by_hash, hash_of(row), row);
}

uint32_t counts_rows(void)
{
	return __atomic_load_n(&indexed_rows, __ATOMIC_RELAXED);
}

/* A row that nobody can find yet, empty; holding counts_lock. */
static uint32_t take_row(void)
{
	struct ledger_section *section =
		&ledger_header()->sections[LEDGER_COUNTS];
	uint32_t row = free_rows;

	if (row != 0) {
		free_rows = by_hash.links[row - 1];
		return row - 1;
	}
	row = (uint32_t)section->count;
	return row < section->capacity &&
			       ledger_make_room(LEDGER_COUNTS,
						(uint64_t)row + 1) &&
			       ledger_make_room(LEDGER_LIVES, (uint64_t)row + 1)
		       ? row
		       : TABLES_NONE;
}

/*
 * Of an empty row, which others may be reading: the stack last, and all before
 * anything is counted in it.
 */
static void write_key(struct ledger_count *row, const struct ledger_count *key)
{
	__atomic_store_n(&row->thread, key->thread, __ATOMIC_RELAXED);
	__atomic_store_n(&row->size_class, key->size_class, __ATOMIC_RELAXED);
	__atomic_store_n(&row->lg_sample, key->lg_sample, __ATOMIC_RELAXED);
	__atomic_store_n(&row->stack, key->stack, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static uint32_t append(const struct ledger_count *key)
{
	uint32_t row = take_row();

	if (row == TABLES_NONE)
		return row;
	write_key(count_row(row), key);
	ledger_thread_hold(key->thread);
	ledger_publish(LEDGER_COUNTS, (uint64_t)row + 1);
	insert(row);
	return row;
}

uint32_t counts_get(uint32_t stack, const struct sampled *what)
{
	struct ledger_count key = {
		.stack = stack,
		.thread = what->thread,
		.size_class = what->size_class,
		.lg_sample = what->lg_sample,
	};
	uint32_t row;

	row = find(&key);
	if (row != TABLES_NONE)
		return row;
	lock_take(&counts_lock);
	row = find(&key);
	if (row == TABLES_NONE)
		row = append(&key);
	lock_release(&counts_lock);
	return row;
}

void counts_keep_peak(struct ledger_count *count)
{
	uint64_t number = peak_number();

	lock_take(&counts_lock);
	if (peak_is_new(count, number))
		peak_keep(count, number);
	lock_release(&counts_lock);
}

static unsigned life_word(uint64_t lifetime_ns)
{
	uint64_t units = lifetime_ns >> LEDGER_LIFE_LG_MIN;
	unsigned word = units ? 63 - (unsigned)__builtin_clzll(units) : 0;

	return word < LEDGER_LIFE_WORDS ? word : LEDGER_LIFE_WORDS - 1;
}

/* What was never published was never written. */
static bool has_life(uint32_t row)
{
	return row < ledger_published(LEDGER_LIVES);
}

static inline __attribute__((always_inline)) void
add_life(bool own, uint32_t row, uint64_t lifetime_ns)
{
	uint32_t *word = &life_row(row)->words[life_word(lifetime_ns)];

	/* As counts_add(). */
	if (own)
		__atomic_store_n(word, *word + 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
	if (__builtin_expect(!has_life(row), 0))
		ledger_publish(LEDGER_LIVES, (uint64_t)row + 1);
}

/* Inlined, so that the first is asked for once. */
static inline __attribute__((always_inline)) void
count_out(bool own, uint32_t row, uint64_t usable_bytes, uint64_t lifetime_ns)
{
	struct ledger_count *count = count_row(row);

	counts_add_square(own, count, &count->freed_squares, usable_bytes);
	/* Bytes first: who reads them last never finds more than is there. */
	counts_add(own, &count->freed_bytes, usable_bytes);
	counts_add(own, &count->freed_count, 1);
	add_life(own, row, lifetime_ns);
}

void counts_freed(uint32_t row, uint64_t usable_bytes, uint64_t lifetime_ns,
		  uint32_t thread)
{
	struct ledger_count *count = count_row(row);
	bool own = count->thread != 0;

	counts_before_change(count);
	if (__builtin_expect(own, 1))
		count_out(true, row, usable_bytes, lifetime_ns);
	else
		count_out(false, row, usable_bytes, lifetime_ns);
	/* Row 0 stands for threads that are gone: it was none of those. */
	if (thread == 0 || thread == count->thread)
		return;
	counts_add(own, &count->freed_elsewhere, 1);
	ledger_add_shared(&ledger_process()->prof_freed_elsewhere, 1);
}

static void empty(uint32_t row)
{
	uint32_t thread = count_row(row)->thread;

	if (count_row(row)->freed_count != 0 && has_life(row))
		memset(life_row(row), 0, sizeof(struct ledger_life));
	memset(count_row(row), 0, sizeof(struct ledger_count));
	count_row(row)->stack = LEDGER_NO_STACK;
	by_hash.links[row] = free_rows;
	free_rows = row + 1;
	ledger_thread_release(thread);
}

static void add_up_lives(uint32_t to, uint32_t from)
{
	if (!has_life(from))
		return;
	for (unsigned i = 0; i < LEDGER_LIFE_WORDS; i++)
		life_row(to)->words[i] += life_row(from)->words[i];
	ledger_publish(LEDGER_LIVES, (uint64_t)to + 1);
}

static void add_up(uint32_t to_row, uint32_t from_row)
{
	struct ledger_count *to = count_row(to_row);
	const struct ledger_count *from = count_row(from_row);

	add_up_lives(to_row, from_row);
	to->allocated_count += from->allocated_count;
	to->allocated_bytes += from->allocated_bytes;
	to->freed_count += from->freed_count;
	to->freed_bytes += from->freed_bytes;
	to->requested_bytes += from->requested_bytes;
	to->freed_elsewhere += from->freed_elsewhere;
	to->allocated_squares += from->allocated_squares;
	to->freed_squares += from->freed_squares;
}

/* The same of what was in use at the peak; before the rest is added up. */
static void add_up_peaks(struct ledger_count *to,
			 const struct ledger_count *from, uint64_t number)
{
	struct peak_use use;

	if (peak_is_new(to, number))
		peak_keep(to, number);
	peak_get(from, number, &use);
	to->peak_count += use.count;
	to->peak_bytes += use.bytes;
	to->peak_squares += use.squares;
}

/*
 * Passes a row to thread 0, into the row that is there already if no sample
 * refers to this one. Two rows of one key are no harm: readers add them up.
 */
static void pass_on(uint32_t row, bool in_use)
{
	struct ledger_count key = *count_row(row);
	uint64_t number = peak_number();
	struct peak_use use;
	uint32_t to;

	key.thread = 0;
	to = find(&key);
	if (!in_use && !opt.prof_accum && !opt.prof_stats &&
	    !peak_get(count_row(row), number, &use)) {
		empty(row);
	} else if (!in_use && to != TABLES_NONE) {
		add_up_peaks(count_row(to), count_row(row), number);
		add_up(to, row);
		empty(row);
	} else {
		ledger_thread_release(count_row(row)->thread);
		count_row(row)->thread = 0;
		insert(row);
	}
}

static void fold_row(uint32_t row, bool any)
{
	const struct ledger_count *count = count_row(row);
	bool in_use = count->allocated_count != count->freed_count;
	uint32_t state = ledger_thread_state(count->thread);

	if (count->thread != 0 && state != LEDGER_THREAD_EXITED)
		insert(row);
	else if (in_use && !any)
		insert(row);
	else
		pass_on(row, in_use);
}

/* All shards are held, so nobody looks at the index meanwhile. */
uint32_t counts_fold(bool any)
{
	uint64_t rows = ledger_published(LEDGER_COUNTS);

	lock_take(&counts_lock);
	row_index_clear(&by_hash);
	free_rows = 0;
	__atomic_store_n(&indexed_rows, 0, __ATOMIC_RELAXED);
	for (uint32_t row = 0; row < rows; row++)
		if (count_row(row)->allocated_count != 0)
			fold_row(row, any);
		else
			empty(row);
	rows = indexed_rows;
	lock_release(&counts_lock);
	return (uint32_t)rows;
}

void counts_reset(void)
{
	uint64_t rows = ledger_published(LEDGER_COUNTS);

	for (uint32_t row = 0; row < rows; row++)
		ledger_thread_release(count_row(row)->thread);
	memset(count_row(0), 0, rows * sizeof(struct ledger_count));
	memset(life_row(0), 0,
	       ledger_published(LEDGER_LIVES) * sizeof(struct ledger_life));
	row_index_clear(&by_hash);
	free_rows = 0;
	__atomic_store_n(&indexed_rows, 0, __ATOMIC_RELAXED);
	ledger_clear(LEDGER_COUNTS);
	ledger_clear(LEDGER_LIVES);
}
