/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies a ledger's sections out of a process or a buffer, and checks all
 * that a reader computes addresses from. Follows no pointer: there are none.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libjeheap/target/core.h"
#include "libjeheap/target/proc.h"
#include "libjeheap/target/target.h"

/* A ledger that claims more is damaged, or not worth waiting for. */
#define SECTION_MAX_BYTES ((uint64_t)2 << 30)
#define STRIDE_MAX 65536u
/* Of version 1.0, which every later one has too. */
#define FIRST_SECTIONS 10u
/* While tables are being replaced, for up to 2 s, if it is not stopped: */
#define ATTEMPTS 200
#define ATTEMPT_PAUSE_NS 10000000
/* Rows of threads are copied so often, and twice more, until they settle. */
#define SETTLE_ROUNDS 4
#define SETTLED_AT_ONCE 4096u
/* Where the bytes of a region come from. */
struct source {
	bool (*read)(const struct source *source, uint64_t offset, void *buffer,
		     size_t size, struct diag *diag);
	const char *name;
	/* of a process: */
	struct target *target;
	/* of memory: */
	const uint8_t *region;
	uint64_t size; /* of a core file too, which has no more; or 0 */
};

static bool read_from_process(const struct source *source, uint64_t offset,
			      void *buffer, size_t size, struct diag *diag)
{
	return target_read(source->target,
			   source->target->ledger_address + offset, buffer,
			   size, diag);
}

static bool read_from_snapshot(const struct source *source, uint64_t offset,
			       void *buffer, size_t size, struct diag *diag)
{
	char *to = buffer;

	while (size) {
		ssize_t n = offset > INT64_MAX
				    ? 0
				    : pread(source->target->snapshot_fd, to,
					    size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return diag_set(
				diag, "the snapshot of %s ends before %llu",
				source->name, (unsigned long long)offset);
		to += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return true;
}

static bool read_from_memory(const struct source *source, uint64_t offset,
			     void *buffer, size_t size, struct diag *diag)
{
	if (offset > source->size || size > source->size - offset)
		return diag_at_offset(diag, source->name, offset,
				      "the ledger ends before this, at %llu",
				      (unsigned long long)source->size);
	assert(source->region || !size);
	if (size)
		memcpy(buffer, source->region + offset, size);
	return true;
}

static bool fail(const struct source *source, struct diag *diag,
		 const char *what)
{
	return diag_set(diag, "the ledger of %s is damaged: %s", source->name,
			what);
}

/* Where the descriptors end, of those sections that are known here. */
static uint64_t sections_end(uint32_t count)
{
	if (count > LEDGER_SECTIONS)
		count = LEDGER_SECTIONS;
	return offsetof(struct ledger_header, sections) +
	       count * (uint64_t)sizeof(struct ledger_section);
}

static bool check_header(const struct source *source,
			 const struct ledger_header *h, struct diag *diag)
{
	if (h->magic != LEDGER_MAGIC)
		return fail(source, diag, "it has not the right magic");
	if (h->major != LEDGER_VERSION_MAJOR)
		return diag_set(diag,
				"the ledger of %s has layout version %u.%u, "
				"and this program reads version %u; use the "
				"commands that came with that liballoc",
				source->name, h->major, h->minor,
				LEDGER_VERSION_MAJOR);
	if (h->section_count < FIRST_SECTIONS ||
	    h->header_bytes < sections_end(h->section_count) ||
	    h->region_bytes < h->header_bytes)
		return fail(source, diag, "its header is too small");
	if (h->lg_sample >= 64)
		return fail(source, diag, "its sampling rate is out of range");
	return true;
}

/* A row as this program knows it, and as version 1.0 had it: the least. */
static const struct {
	uint32_t bytes;
	uint32_t first_bytes;
} row_sizes[LEDGER_SECTIONS] = {
	[LEDGER_METRICS] = {sizeof(struct ledger_metric), 160},
	[LEDGER_PROCESS] = {sizeof(uint64_t), 8},
	[LEDGER_ARENAS] = {sizeof(uint64_t), 8},
	[LEDGER_CLASSES] = {sizeof(struct ledger_class), 16},
	[LEDGER_ARENA_CLASSES] = {sizeof(uint64_t), 8},
	[LEDGER_THREADS] = {sizeof(struct ledger_thread), 40},
	[LEDGER_STACKS] = {sizeof(struct ledger_stack), 16},
	[LEDGER_FRAMES] = {sizeof(uint64_t), 8},
	[LEDGER_COUNTS] = {sizeof(struct ledger_count), 64},
	[LEDGER_SAMPLES] = {sizeof(struct ledger_sample), 40},
	[LEDGER_LIVES] = {sizeof(struct ledger_life), 128},
	[LEDGER_CONTROL] = {sizeof(struct ledger_control), 16},
};

static bool check_section(const struct source *source,
			  const struct ledger_header *h, unsigned id,
			  const struct ledger_section *s, struct diag *diag)
{
	uint64_t bytes;

	if (s->stride < row_sizes[id].first_bytes || s->stride > STRIDE_MAX ||
	    s->stride % 8 != 0)
		return fail(source, diag, "a section's stride is wrong");
	if (s->count > s->capacity)
		return fail(source, diag, "a section has more rows than room");
	bytes = s->count * s->stride;
	if (s->offset % 8 != 0 || s->offset < h->header_bytes ||
	    s->offset > h->region_bytes || bytes > h->region_bytes - s->offset)
		return fail(source, diag, "a section lies outside of it");
	if (bytes > SECTION_MAX_BYTES)
		return fail(source, diag, "a section is beyond all measure");
	return true;
}

/* An older minor version has shorter rows: what they lack is 0. */
static const uint8_t *widen_rows(struct arena *arena, const uint8_t *rows,
				 struct ledger_view *view, unsigned id)
{
	uint32_t from = view->stride[id], to = row_sizes[id].bytes;
	uint8_t *wide;

	if (from >= to)
		return rows;
	wide = arena_alloc(arena, view->count[id] * to);
	for (uint64_t i = 0; i < view->count[id]; i++) {
		memcpy(wide + i * to, rows + i * from, from);
		memset(wide + i * to + from, 0, to - from);
	}
	view->stride[id] = to;
	return wide;
}

static struct ledger_thread *thread_at(uint8_t *rows, size_t at)
{
	return (struct ledger_thread *)(void *)(rows + at);
}

/* The same thread's from the first look to the last: nothing came between. */
static bool is_settled(const struct ledger_header *header,
		       const struct ledger_thread *first,
		       const struct ledger_thread *last)
{
	/* Before 1.5, an odd generation is one like any other. */
	return first->generation == last->generation &&
	       first->uid == last->uid &&
	       (header->minor < 5 || first->generation % 2 == 0);
}

/* One that passes to another thread, over and over, or for good where the
 * process is stopped: nobody's, and what it counted is not known. */
static void clear_thread(struct ledger_thread *thread, size_t stride)
{
	memset(thread, 0, stride);
	thread->uid = LEDGER_OTHER_THREADS;
	thread->state = LEDGER_THREAD_FREE;
}

/*
 * A row of threads is taken from a copy between two others that tell the same
 * generation. `rows` has the first copy, and in the end what is settled.
 */
static bool settle_some(const struct source *source,
			const struct ledger_header *header,
			const struct ledger_section *s, uint64_t offset,
			size_t count, struct arena *arena, uint8_t *rows,
			struct diag *diag)
{
	size_t bytes = count * s->stride, left = count;
	struct arena_mark mark = arena_mark(arena);
	uint8_t *copies[3] = {arena_alloc(arena, bytes),
			      arena_alloc(arena, bytes),
			      arena_alloc(arena, bytes)};
	bool *settled = ARENA_ARRAY(arena, count, bool);

	memcpy(copies[0], rows, bytes);
	if (!source->read(source, offset, copies[1], bytes, diag))
		return false;
	for (unsigned i = 0; i < SETTLE_ROUNDS && left; i++) {
		uint8_t *first = copies[i % 3], *middle = copies[(i + 1) % 3];
		uint8_t *last = copies[(i + 2) % 3];

		if (!source->read(source, offset, last, bytes, diag))
			return false;
		for (size_t at = 0, k = 0; at < bytes; at += s->stride, k++) {
			if (settled[k] ||
			    !is_settled(header, thread_at(first, at),
					thread_at(last, at)))
				continue;
			memcpy(rows + at, middle + at, s->stride);
			settled[k] = true;
			left--;
		}
	}
	for (size_t at = 0, k = 0; at < bytes && left; at += s->stride, k++)
		if (!settled[k])
			clear_thread(thread_at(rows, at), s->stride);
	arena_rewind(arena, mark);
	return true;
}

/* Some at a time: there may be said to be very many. */
static bool settle_threads(const struct source *source,
			   const struct ledger_header *header,
			   const struct ledger_section *s, struct arena *arena,
			   uint8_t *rows, struct diag *diag)
{
	for (uint64_t row = 0; row < s->count; row += SETTLED_AT_ONCE) {
		size_t count = s->count - row < SETTLED_AT_ONCE
				       ? s->count - row
				       : SETTLED_AT_ONCE;

		if (!settle_some(source, header, s, s->offset + row * s->stride,
				 count, arena, rows + row * s->stride, diag))
			return false;
	}
	return true;
}

/* Reads the descriptor afresh, since its count grows, and then the rows. */
static bool copy_section(const struct source *source, unsigned id,
			 struct arena *arena, struct ledger_view *view,
			 struct diag *diag)
{
	struct ledger_section *s = &view->header.sections[id];
	uint64_t at = offsetof(struct ledger_header, sections) +
		      id * sizeof(struct ledger_section);
	size_t bytes;
	uint8_t *rows;

	if (!source->read(source, at, s, sizeof(*s), diag) ||
	    !check_section(source, &view->header, id, s, diag))
		return false;
	bytes = s->count * s->stride;
	if ((source->region || source->size) && bytes > source->size)
		return fail(source, diag, "it is cut short");
	rows = arena_alloc(arena, bytes);
	if (!source->read(source, s->offset, rows, bytes, diag) ||
	    (id == LEDGER_THREADS &&
	     !settle_threads(source, &view->header, s, arena, rows, diag)))
		return false;
	view->count[id] = s->count;
	view->stride[id] = s->stride;
	view->rows[id] = widen_rows(arena, rows, view, id);
	return true;
}

/* What an older minor version does not have is there, with no rows. */
static void empty_section(unsigned id, struct ledger_view *view)
{
	static const uint8_t none[1];

	view->header.sections[id] = (struct ledger_section){0};
	view->rows[id] = none;
	view->stride[id] = row_sizes[id].bytes;
}

/* Rows refer to rows of sections further down this list. */
static const uint8_t copy_order[] = {
	LEDGER_SAMPLES,	      LEDGER_LIVES,   LEDGER_COUNTS,  LEDGER_STACKS,
	LEDGER_FRAMES,	      LEDGER_THREADS, LEDGER_PROCESS, LEDGER_ARENAS,
	LEDGER_ARENA_CLASSES, LEDGER_CLASSES, LEDGER_METRICS, LEDGER_CONTROL,
};

static bool copy_sections(const struct source *source, unsigned want,
			  struct arena *arena, struct ledger_view *view,
			  struct diag *diag)
{
	for (size_t i = 0; i < sizeof(copy_order); i++) {
		unsigned id = copy_order[i];

		if (!(want & 1u << id))
			continue;
		if (id >= view->header.section_count)
			empty_section(id, view);
		else if (!copy_section(source, id, arena, view, diag))
			return false;
	}
	return true;
}

/* What the tables did while they were copied. */
enum motion {
	AT_REST,
	HALF_WAY, /* were in the midst of a replacement that did not go on */
	REPLACED,
};

static enum motion motion_between(uint64_t before, uint64_t after)
{
	if (before != after)
		return REPLACED;
	return before % 2 ? HALF_WAY : AT_REST;
}

/* One attempt. Without a second look at the header, they are in motion. */
static bool copy_once(const struct source *source, unsigned want,
		      struct arena *arena, struct ledger_view *view,
		      enum motion *motion, struct diag *diag)
{
	struct ledger_header after;
	uint64_t generation;
	bool copied;

	memset(&after, 0, sizeof(after));
	memset(view, 0, sizeof(*view));
	*motion = AT_REST;
	if (!source->read(source, 0, &view->header, sizeof(view->header),
			  diag) ||
	    !check_header(source, &view->header, diag))
		return false;
	generation = view->header.generation;
	copied = copy_sections(source, want, arena, view, diag);
	if (!source->read(source, 0, &after, sizeof(after), diag))
		return false;
	*motion = motion_between(generation, after.generation);
	view->unsettled = *motion == HALF_WAY;
	return copied;
}

/* Moves the rows that are good to the front; returns how many were not. */
static uint64_t keep_rows(struct ledger_view *view, unsigned id,
			  bool (*good)(const struct ledger_view *view,
				       void *row))
{
	uint64_t dropped = 0;
	uint32_t stride = view->stride[id];
	uint8_t *rows = (uint8_t *)(uintptr_t)view->rows[id], *to = rows;

	if (!view->count[id])
		return 0;
	assert(stride);
	for (uint64_t i = 0; i < view->count[id]; i++) {
		uint8_t *row = rows + i * stride;

		if (!good(view, row)) {
			dropped++;
			continue;
		}
		if (to != row)
			memcpy(to, row, stride);
		to += stride;
	}
	view->count[id] -= dropped;
	return dropped;
}

/* A newer minor version may describe sections that are unknown here. */
static bool is_known_metric(const struct ledger_view *view, void *row)
{
	const struct ledger_metric *m = row;

	(void)view;
	return m->section < LEDGER_SECTIONS;
}

static bool good_metric(const struct ledger_view *view, void *row)
{
	struct ledger_metric *m = row;
	uint64_t end = m->offset + m->count * UINT64_C(8);

	m->name[sizeof(m->name) - 1] = '\0';
	m->help[sizeof(m->help) - 1] = '\0';
	mask_text(m->name, strlen(m->name));
	mask_text(m->help, strlen(m->help));
	if (m->offset % 8 != 0 || m->count == 0)
		return false;
	return !view->rows[m->section] || end <= view->stride[m->section];
}

static bool good_sample(const struct ledger_view *view, void *row)
{
	const struct ledger_sample *s = row;

	(void)view;
	return s->address <= 1 || s->check == ledger_sample_check(s);
}

static void end_thread_names(struct ledger_view *view)
{
	for (uint64_t i = 0; i < view->count[LEDGER_THREADS]; i++) {
		struct ledger_thread *t =
			(void *)(uintptr_t)ledger_row(view, LEDGER_THREADS, i);

		t->name[sizeof(t->name) - 1] = '\0';
		mask_text(t->name, strlen(t->name));
	}
}

/*
 * What is given back was taken before, but is counted apart from it, and a
 * copy may come in between. Both only grow, and so does the lesser of them.
 */
static void level_classes(struct ledger_view *view)
{
	const struct ledger_metric *taken =
		ledger_view_metric(view, LEDGER_ARENA_CLASSES, "nmalloc");
	const struct ledger_metric *given =
		ledger_view_metric(view, LEDGER_ARENA_CLASSES, "ndalloc");

	if (!taken || !given)
		return;
	for (uint64_t i = 0; i < view->count[LEDGER_ARENA_CLASSES]; i++) {
		uint8_t *row = (uint8_t *)(uintptr_t)ledger_row(
			view, LEDGER_ARENA_CLASSES, i);

		if (ledger_view_get(view, given, i) >
		    ledger_view_get(view, taken, i))
			memcpy(row + given->offset, row + taken->offset,
			       sizeof(uint64_t));
	}
}

static void clean(struct ledger_view *view)
{
	(void)keep_rows(view, LEDGER_METRICS, is_known_metric);
	view->torn_rows = keep_rows(view, LEDGER_METRICS, good_metric) +
			  keep_rows(view, LEDGER_SAMPLES, good_sample);
	end_thread_names(view);
	level_classes(view);
	view->header.version[sizeof(view->header.version) - 1] = '\0';
	mask_text(view->header.version, strlen(view->header.version));
	if (view->header.build_id_bytes > sizeof(view->header.build_id))
		view->header.build_id_bytes = 0;
}

/* Of a process that stands still there is no better copy to be had. */
static bool is_good_enough(const struct target *target, enum motion motion,
			   bool last)
{
	return motion == AT_REST ||
	       (motion == HALF_WAY && (last || target_is_stopped(target)));
}

bool target_read_ledger(struct target *target, unsigned want,
			struct arena *arena, struct ledger_view *view,
			struct diag *diag)
{
	struct source source = {.read = read_from_process,
				.name = target->name,
				.target = target};
	struct timespec pause = {0, ATTEMPT_PAUSE_NS};
	struct diag why = {0};

	if (!target_find_ledger(target, diag))
		return false;
	if (target->core)
		source.size = target->core->bytes;
	if (target->snapshot_fd >= 0) {
		if (want & ~LEDGER_WANT_STATS)
			return fail_permission(target, diag);
		source.read = read_from_snapshot;
	}
	for (int i = 0; i < ATTEMPTS; i++) {
		struct arena_mark mark = arena_mark(arena);
		enum motion motion;
		bool copied;

		diag_clear(&why);
		copied = copy_once(&source, want, arena, view, &motion, &why);

		if (copied &&
		    is_good_enough(target, motion, i == ATTEMPTS - 1)) {
			clean(view);
			return true;
		}
		arena_rewind(arena, mark);
		if (motion == AT_REST || target->core)
			break;
		nanosleep(&pause, NULL);
	}
	if (why.set)
		return diag_set(diag, "%s", why.text);
	return diag_set(diag,
			"the tables of %s kept being replaced; try again when "
			"it resets its profile less often",
			target->name);
}

bool ledger_view_from_memory(const void *region, size_t size, unsigned want,
			     struct arena *arena, struct ledger_view *view,
			     struct diag *diag)
{
	struct source source = {.read = read_from_memory,
				.name = "the image",
				.region = region,
				.size = size};
	enum motion motion;

	if (!copy_once(&source, want, arena, view, &motion, diag))
		return false;
	clean(view);
	return true;
}

const void *ledger_row(const struct ledger_view *view, unsigned section,
		       uint64_t row)
{
	if (section >= LEDGER_SECTIONS || row >= view->count[section])
		return NULL;
	return view->rows[section] + row * view->stride[section];
}

const struct ledger_metric *ledger_view_metric(const struct ledger_view *view,
					       unsigned section,
					       const char *name)
{
	for (uint64_t i = 0; i < view->count[LEDGER_METRICS]; i++) {
		const struct ledger_metric *m =
			ledger_row(view, LEDGER_METRICS, i);

		if (m->section == section && strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

uint64_t ledger_view_get(const struct ledger_view *view,
			 const struct ledger_metric *metric, uint64_t row)
{
	const uint8_t *values = ledger_row(view, metric->section, row);
	uint64_t value = 0;

	if (values)
		memcpy(&value, values + metric->offset, sizeof(value));
	return value;
}

uint64_t ledger_view_sum(const struct ledger_view *view,
			 const struct ledger_metric *metric)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < view->count[metric->section]; i++)
		sum += ledger_view_get(view, metric, i);
	return sum;
}
