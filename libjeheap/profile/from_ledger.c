/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the ledger's counts stack by stack and adds them up as a dump's
 * reader does. The view's offsets can be trusted; what rows say cannot.
 */
#include "config.h"

#include "libjeheap/profile/from_ledger.h"

#include <stdlib.h>

#include "libjeheap/profile/counts.h"

_Static_assert(LIVES_WORDS == LEDGER_LIFE_WORDS &&
		       LIVES_LG_MIN == LEDGER_LIFE_LG_MIN,
	       "the same histogram");

struct converter {
	struct profile *profile;
	const struct ledger_view *view;
	struct arena scratch;
	bool accumulated;     /* allocations since the start count too */
	uint64_t peak;	      /* what was in use then; 0: now */
	uint64_t frames_left; /* stacks share no frames: an honest ledger's
				 do not refer to more than there are */
	uint64_t torn_rows;
};

static const struct ledger_count *count_row(const struct ledger_view *view,
					    uint64_t row)
{
	return ledger_row(view, LEDGER_COUNTS, row);
}

static int order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* Zero for rows of one key, which are to be added up. */
static int compare_keys(const struct ledger_count *a,
			const struct ledger_count *b)
{
	int c = order(a->stack, b->stack);

	c = c ? c : order(a->thread, b->thread);
	c = c ? c : order(a->size_class, b->size_class);
	return c ? c : order(a->lg_sample, b->lg_sample);
}

static int by_key(const void *pa, const void *pb, void *data)
{
	const struct ledger_view *view = data;
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
	int c = compare_keys(count_row(view, a), count_row(view, b));

	return c ? c : (a > b) - (a < b);
}

/* The rows in use, by stack: a dump goes through the stacks in this order. */
static uint64_t *list_rows(struct converter *c, size_t *count)
{
	struct ledger_view view = *c->view;
	uint64_t rows = view.count[LEDGER_COUNTS];
	uint64_t *order = ARENA_ARRAY(&c->scratch, rows, uint64_t);

	*count = 0;
	for (uint64_t i = 0; i < rows; i++)
		if (count_row(&view, i)->allocated_count)
			order[(*count)++] = i;
	if (*count)
		qsort_r(order, *count, sizeof(*order), by_key, &view);
	return order;
}

/* In use is allocated minus freed, where freed has not been caught ahead. */
static uint64_t rest(uint64_t allocated, uint64_t freed)
{
	return allocated > freed ? allocated - freed : 0;
}

/* False where the row cannot be: its class is unknown or bytes are missing. */
static bool counts_of(const struct converter *c, const struct ledger_count *row,
		      struct sampled_counts *counts)
{
	const struct ledger_class *class =
		ledger_row(c->view, LEDGER_CLASSES, row->size_class);
	uint64_t size =
		class && class->regions_per_slab ? class->size_bytes : 0;

	if (!class || row->lg_sample >= 64)
		return false;
	*counts = (struct sampled_counts){
		.inuse_count = rest(row->allocated_count, row->freed_count),
		.inuse_bytes = rest(row->allocated_bytes, row->freed_bytes),
		.alloc_count = row->allocated_count,
		.alloc_bytes = row->allocated_bytes,
		.inuse_squares = row->allocated_squares - row->freed_squares,
		.alloc_squares = row->allocated_squares,
	};
	/* Of small classes the count tells all, even while it moves. */
	if (size && (__builtin_mul_overflow(counts->inuse_count, size,
					    &counts->inuse_bytes) ||
		     __builtin_mul_overflow(counts->alloc_count, size,
					    &counts->alloc_bytes)))
		return false;
	if (!c->accumulated)
		counts->alloc_count = counts->alloc_bytes =
			counts->alloc_squares = 0;
	return true;
}

/* The frames are return addresses: the call is before each. */
static bool stack_of(struct converter *c, uint32_t row, uint32_t *stack)
{
	const struct ledger_stack *s = ledger_row(c->view, LEDGER_STACKS, row);
	uint64_t frames = c->view->count[LEDGER_FRAMES];
	struct arena_mark mark = arena_mark(&c->scratch);
	uint32_t *locations;
	uint32_t count;

	if (!s || s->frame_count > c->frames_left || s->first_frame > frames ||
	    s->frame_count > frames - s->first_frame)
		return false;
	c->frames_left -= s->frame_count;
	count = s->frame_count ? s->frame_count : 1;
	locations = ARENA_ARRAY(&c->scratch, count, uint32_t);
	if (!s->frame_count)
		locations[0] = profile_location(c->profile, 0);
	for (uint32_t i = 0; i < s->frame_count; i++) {
		const uint64_t *address = ledger_row(
			c->view, LEDGER_FRAMES, (uint64_t)s->first_frame + i);

		locations[i] = profile_location(c->profile,
						*address - (*address != 0));
	}
	*stack = profile_stack(c->profile, locations, count);
	arena_rewind(&c->scratch, mark);
	return true;
}

static uint32_t thread_of(struct converter *c, uint32_t row)
{
	const struct ledger_thread *t =
		ledger_row(c->view, LEDGER_THREADS, row);

	if (!t)
		return NONE;
	return profile_thread(c->profile, t->uid, str_of(t->name));
}

/* The row, or what is to be told of it. */
static struct ledger_count told_row(const struct converter *c, uint64_t i)
{
	struct ledger_count row = *count_row(c->view, i);

	if (!c->peak)
		return row;
	if (row.peak_number != c->peak) {
		row.peak_count = rest(row.allocated_count, row.freed_count);
		row.peak_bytes = rest(row.allocated_bytes, row.freed_bytes);
		row.peak_squares = row.allocated_squares - row.freed_squares;
	}
	row.allocated_count = row.peak_count;
	row.allocated_bytes = row.peak_bytes;
	row.allocated_squares = row.peak_squares;
	row.freed_count = row.freed_bytes = row.freed_squares = 0;
	return row;
}

/*
 * The sum of the rows of order[first]'s key; *next is the first of another.
 * Sums that wrap are as good as any: such rows are lies.
 */
static struct ledger_count sum_rows(const struct converter *c,
				    const uint64_t *rows, size_t first,
				    size_t count, size_t *next)
{
	struct ledger_count sum = told_row(c, rows[first]);

	for (*next = first + 1; *next < count; ++*next) {
		struct ledger_count row = told_row(c, rows[*next]);

		if (compare_keys(&sum, &row) != 0)
			break;
		sum.allocated_count += row.allocated_count;
		sum.allocated_bytes += row.allocated_bytes;
		sum.freed_count += row.freed_count;
		sum.freed_bytes += row.freed_bytes;
		sum.allocated_squares += row.allocated_squares;
		sum.freed_squares += row.freed_squares;
	}
	return sum;
}

/* Adds rows of one key; *stack is made when it is first wanted. */
static bool add_row(struct converter *c, const struct ledger_count *row,
		    const struct lives *lives, uint32_t *stack)
{
	struct sampled_counts counts;

	if (!counts_of(c, row, &counts))
		return false;
	counts.lives = lives;
	if (!counts.inuse_count && !counts.alloc_count)
		return true;
	if (*stack == NONE && !stack_of(c, row->stack, stack))
		return false;
	profile_add_counts(c->profile, *stack, thread_of(c, row->thread),
			   &counts, (double)(UINT64_C(1) << row->lg_sample));
	return true;
}

/* Of the rows order[first .. next); false where nothing was freed. */
static bool sum_lives(const struct ledger_view *view, const uint64_t *rows,
		      size_t first, size_t next, struct lives *sum)
{
	*sum = (struct lives){0};
	for (size_t i = first; i < next; i++) {
		const struct ledger_count *count = count_row(view, rows[i]);
		const struct ledger_life *life =
			ledger_row(view, LEDGER_LIVES, rows[i]);

		sum->freed += (double)count->freed_count;
		sum->elsewhere += (double)count->freed_elsewhere;
		for (unsigned w = 0; life && w < LIVES_WORDS; w++)
			sum->words[w] += life->words[w];
	}
	return sum->freed > 0;
}

static void add_samples(struct converter *c)
{
	size_t count, first, next;
	uint64_t *rows = list_rows(c, &count);
	uint32_t stack = NONE, last_stack = NONE;

	for (first = 0; first < count; first = next) {
		struct ledger_count sum =
			sum_rows(c, rows, first, count, &next);
		struct lives lives;
		bool freed = !c->peak &&
			     sum_lives(c->view, rows, first, next, &lives);

		if (sum.stack != last_stack)
			stack = NONE;
		last_stack = sum.stack;
		if (!add_row(c, &sum, freed ? &lives : NULL, &stack))
			c->torn_rows += next - first;
	}
	profile_order_samples(c->profile);
}

static uint64_t process_metric(const struct ledger_view *view, const char *name)
{
	const struct ledger_metric *metric =
		ledger_view_metric(view, LEDGER_PROCESS, name);

	return metric ? ledger_view_get(view, metric, 0) : 0;
}

struct ledger_peak ledger_view_peak(const struct ledger_view *view)
{
	uint64_t bytes = process_metric(view, "prof_peak_bytes");

	/* prof.reset forgets the peak, but not how many there were. */
	return (struct ledger_peak){
		.number = bytes ? process_metric(view, "prof_peaks") : 0,
		.bytes = bytes,
		.monotonic_ns = process_metric(view, "prof_peak_ns"),
	};
}

/* Of a counter, what has come since the last prof.reset, which kept it. */
static double since_reset(const struct ledger_view *view, const char *name,
			  const char *kept)
{
	uint64_t now = process_metric(view, name);
	uint64_t then = process_metric(view, kept);

	return now > then ? (double)(now - then) : 0;
}

static void add_facts(struct profile *profile, const struct ledger_view *view)
{
	const struct ledger_header *h = &view->header;

	profile->period_bytes = UINT64_C(1) << h->lg_sample;
	profile->exact_sizes = true;
	profile->start_time_ns = h->start_time_ns;
	profile->pid = h->pid;
	profile->unsettled = view->unsettled;
	profile->dropped_samples = since_reset(view, "prof_dropped_samples",
					       "reset_dropped_samples");
	profile->dropped_bytes =
		since_reset(view, "prof_dropped_bytes", "reset_dropped_bytes");
}

static void convert(struct converter *c)
{
	struct profile *profile = c->profile;

	c->frames_left = c->view->count[LEDGER_FRAMES];
	add_facts(profile, c->view);
	profile->has_alloc = c->accumulated;
	add_samples(c);
	if (c->torn_rows)
		*ARENA_PUSH(profile->arena, profile->comments,
			    profile->comment_count, profile->comment_capacity) =
			str_of(arena_printf(
				profile->arena,
				"%llu rows of the ledger were incomplete and "
				"are left out",
				(unsigned long long)c->torn_rows));
	arena_free(&c->scratch);
}

void profile_from_ledger(struct profile *profile,
			 const struct ledger_view *view)
{
	struct converter c = {
		.profile = profile,
		.view = view,
		.accumulated = view->header.flags & LEDGER_PROF_ACCUM,
	};

	convert(&c);
}

void profile_from_ledger_peak(struct profile *profile,
			      const struct ledger_view *view)
{
	struct converter c = {
		.profile = profile,
		.view = view,
		.peak = ledger_view_peak(view).number,
	};

	convert(&c);
}
