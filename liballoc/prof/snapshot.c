/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies and sorts the counts, and turns samples into estimates. */
#include "config.h"

#include "liballoc/heap/os.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/peak.h"
#include "liballoc/prof/random.h"
#include "liballoc/prof/snapshot.h"

static const struct ledger_class *class_of(const struct ledger_count *row)
{
	return (struct ledger_class *)ledger_rows(LEDGER_CLASSES) +
	       row->size_class;
}

/* After the counts: a row that is taken anew has its key before those. */
static void copy_key(const struct ledger_count *from, struct ledger_count *to)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	to->stack = ledger_get32(&from->stack);
	to->thread = ledger_get32(&from->thread);
	to->size_class = ledger_get32(&from->size_class);
	to->lg_sample = ledger_get32(&from->lg_sample);
}

/*
 * Frees first: what was allocated meanwhile only adds. The words of one row
 * are not of one moment, so bytes follow from counts where sizes are known.
 */
static bool copy_row(const struct ledger_count *from, struct ledger_count *to)
{
	const struct ledger_class *class;

	*to = (struct ledger_count){
		.freed_squares = ledger_get(&from->freed_squares),
		.freed_count = ledger_get(&from->freed_count),
		.freed_bytes = ledger_get(&from->freed_bytes),
		.freed_elsewhere = ledger_get(&from->freed_elsewhere),
	};
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	to->allocated_count = ledger_get(&from->allocated_count);
	to->allocated_bytes = ledger_get(&from->allocated_bytes);
	to->allocated_squares = ledger_get(&from->allocated_squares);
	copy_key(from, to);
	class = class_of(to);
	if (class->regions_per_slab != 0) {
		to->allocated_bytes = to->allocated_count * class->size_bytes;
		to->freed_bytes = to->freed_count * class->size_bytes;
	}
	if (to->freed_count >= to->allocated_count ||
	    to->freed_bytes >= to->allocated_bytes) {
		to->freed_count = to->allocated_count;
		to->freed_bytes = to->allocated_bytes;
		to->freed_squares = to->allocated_squares;
	}
	return to->allocated_count != 0;
}

/* Should there be a peak right now, rows are of one of the two. */
static bool copy_peak(const struct ledger_count *from, struct ledger_count *to)
{
	const struct ledger_class *class;
	struct peak_use use;

	if (!peak_get(from, peak_number(), &use))
		return false;
	*to = (struct ledger_count){
		.allocated_count = use.count,
		.allocated_bytes = use.bytes,
		.allocated_squares = use.squares,
	};
	copy_key(from, to);
	class = class_of(to);
	if (class->regions_per_slab != 0)
		to->allocated_bytes = to->allocated_count * class->size_bytes;
	return true;
}

static int order(const struct snapshot_row *row_a,
		 const struct snapshot_row *row_b)
{
	const struct ledger_count *a = &row_a->count, *b = &row_b->count;

	if (a->stack != b->stack)
		return a->stack < b->stack ? -1 : 1;
	if (a->thread != b->thread)
		return a->thread < b->thread ? -1 : 1;
	if (a->lg_sample != b->lg_sample)
		return a->lg_sample < b->lg_sample ? -1 : 1;
	return (a->size_class > b->size_class) -
	       (a->size_class < b->size_class);
}

static void sift(struct snapshot_row *rows, size_t root, size_t count)
{
	struct snapshot_row moving = rows[root];
	size_t child;

	while ((child = 2 * root + 1) < count) {
		if (child + 1 < count &&
		    order(&rows[child], &rows[child + 1]) < 0)
			child++;
		if (order(&moving, &rows[child]) >= 0)
			break;
		rows[root] = rows[child];
		root = child;
	}
	rows[root] = moving;
}

/* Heapsort: in place, not recursive, and libc's qsort may allocate. */
static void sort(struct snapshot_row *rows, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sift(rows, i, count);
	for (size_t i = count; i-- > 1;) {
		struct snapshot_row last = rows[i];

		rows[i] = rows[0];
		rows[0] = last;
		sift(rows, 0, i);
	}
}

bool snapshot_take(struct snapshot *snapshot, bool at_peak)
{
	bool (*copy)(const struct ledger_count *, struct ledger_count *) =
		at_peak ? copy_peak : copy_row;
	const struct ledger_count *from = ledger_rows(LEDGER_COUNTS);
	uint64_t rows = ledger_published(LEDGER_COUNTS);

	snapshot->bytes =
		((size_t)rows * sizeof(*snapshot->rows) / os_page_bytes + 1) *
		os_page_bytes;
	snapshot->count = 0;
	snapshot->rows = os_map(snapshot->bytes, false);
	if (!snapshot->rows)
		return false;
	for (uint64_t i = 0; i < rows; i++) {
		struct snapshot_row *to = &snapshot->rows[snapshot->count];

		to->origin = (uint32_t)i;
		if (copy(&from[i], &to->count))
			snapshot->count++;
	}
	sort(snapshot->rows, snapshot->count);
	return true;
}

void snapshot_drop(struct snapshot *snapshot)
{
	os_unmap(snapshot->rows, snapshot->bytes);
}

void snapshot_add_lives(const struct snapshot_row *row,
			uint64_t words[LEDGER_LIFE_WORDS])
{
	const struct ledger_life *life =
		(struct ledger_life *)ledger_rows(LEDGER_LIVES) + row->origin;

	if (row->origin >= ledger_published(LEDGER_LIVES))
		return;
	for (unsigned i = 0; i < LEDGER_LIFE_WORDS; i++)
		words[i] += __atomic_load_n(&life->words[i], __ATOMIC_RELAXED);
}

static void add_of_size(struct estimate *to, double count, double size,
			unsigned lg_sample)
{
	double odds = random_odds(size, lg_sample);

	to->weight += count / odds;
	to->bytes += count * size / odds;
}

/* As estimate_from_sizes() of the tools, which tells the reasons. */
static void add(struct estimate *to, uint64_t count, uint64_t bytes,
		uint64_t squares, unsigned lg_sample)
{
	double variation = ledger_size_variation(count, bytes, squares);
	double n = (double)count, apart = 32 * n * variation;
	double mean = count ? (double)bytes / n : 0;

	if (count == 0)
		return;
	to->samples += count;
	to->sampled_bytes += bytes;
	add_of_size(to, n - 2 * apart, mean, lg_sample);
	if (apart > 0) {
		add_of_size(to, apart, mean * 7 / 8, lg_sample);
		add_of_size(to, apart, mean * 9 / 8, lg_sample);
	}
}

void estimates_add(struct estimates *to, const struct ledger_count *row)
{
	add(&to->allocated, row->allocated_count, row->allocated_bytes,
	    row->allocated_squares, row->lg_sample);
	add(&to->in_use, row->allocated_count - row->freed_count,
	    row->allocated_bytes - row->freed_bytes,
	    row->allocated_squares - row->freed_squares, row->lg_sample);
}

void estimate_columns(const struct estimate *estimate, unsigned lg_sample,
		      uint64_t *count, uint64_t *bytes)
{
	double mean, sampled;

	*count = *bytes = 0;
	if (estimate->weight <= 0 || estimate->bytes <= 0)
		return;
	mean = estimate->bytes / estimate->weight;
	sampled = prof_one_minus_exp(mean / (double)((uint64_t)1 << lg_sample));
	*bytes = (uint64_t)(estimate->bytes * sampled + 0.5);
	*count = (uint64_t)(estimate->weight * sampled + 0.5);
}
