/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger's region: maps it, lays the sections out, tells outsiders where
 * it is, and gives writers the addresses of their rows. Never fails: where
 * nothing can be mapped, a small static region takes its place.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/heap/os.h"
#include "liballoc/heap/vdso.h"
#include "liballoc/ledger/build_id.h"
#include "liballoc/ledger/export.h"
#include "liballoc/ledger/metrics.h"
#include "liballoc/ledger/region.h"

#ifndef PR_SET_VMA
# define PR_SET_VMA 0x53564d41
# define PR_SET_VMA_ANON_NAME 0
#endif

#define LINE_BYTES 64u
#define LG_LIMIT_SHARE 4 /* of what may be mapped, where that is limited */
#define MAX_ARENA_ROWS 4097u

extern struct ledger_header *liballoc_ledger;
__attribute__((visibility("default"))) struct ledger_header *liballoc_ledger;

/* Ours under another name, which no other library can take over. */
extern struct ledger_header *ledger_here
	__attribute__((alias("liballoc_ledger")));

/* In this file, so that a static link that wants the ledger has the note. */
__asm__(".pushsection .note.liballoc,\"a\",%note\n"
	".balign 4\n"
	".long 9, 8, 1\n"
	".asciz \"liballoc\"\n"
	".balign 4\n"
	"0: .quad ledger_here - 0b\n"
	".popsection\n");
_Static_assert(sizeof(LEDGER_NOTE_NAME) == 9 && LEDGER_NOTE_TYPE == 1,
	       "the note above");

static uint8_t static_region[LEDGER_MIN_BYTES] __attribute__((aligned(4096)));
static struct thread_side *thread_sides;

/* A section's rows: its share in 64ths of what is left after the fixed ones. */
struct share {
	uint8_t section;
	uint8_t share;
	uint32_t stride;
	uint32_t most; /* rows */
};

static const struct share shares[] = {
	{LEDGER_ARENAS, 1, 192, MAX_ARENA_ROWS},
	{LEDGER_ARENA_CLASSES, 7, sizeof(struct class_stats),
	 MAX_ARENA_ROWS *LEDGER_CLASS_CAPACITY},
	{LEDGER_THREADS, 4, LEDGER_THREAD_STRIDE, 1u << 20},
	{LEDGER_STACKS, 2, sizeof(struct ledger_stack), UINT32_MAX},
	{LEDGER_FRAMES, 14, sizeof(uint64_t), UINT32_MAX},
	{LEDGER_COUNTS, 24, sizeof(struct ledger_count), UINT32_MAX},
	{LEDGER_SAMPLES, 11, sizeof(struct ledger_sample), UINT32_MAX},
};

_Static_assert(sizeof(struct ledger_control) <= LINE_BYTES, "its stride");
_Static_assert(sizeof(struct arena_stats) <= 192, "stride of LEDGER_ARENAS");
_Static_assert(sizeof(struct ledger_thread) + sizeof(struct thread_stats) <=
		       LEDGER_THREAD_STRIDE,
	       "stride of LEDGER_THREADS");

/* A row of counts has one of lifetimes, which comes out of the same share. */
static size_t row_bytes(const struct share *s)
{
	return s->stride +
	       (s->section == LEDGER_COUNTS ? sizeof(struct ledger_life) : 0);
}

static size_t round_up(size_t n, size_t multiple)
{
	return (n + multiple - 1) / multiple * multiple;
}

static size_t place(struct ledger_header *header, unsigned id, size_t offset,
		    uint32_t stride, uint32_t capacity)
{
	struct ledger_section *section = &header->sections[id];

	section->offset = offset;
	section->stride = stride;
	section->capacity = capacity;
	section->count = 0;
	return round_up(offset + (size_t)stride * capacity, LINE_BYTES);
}

__attribute__((cold)) size_t ledger_lay_out(struct ledger_header *header,
					    size_t region_bytes)
{
	size_t end = round_up(sizeof(*header), LINE_BYTES);
	size_t left;

	end = place(header, LEDGER_METRICS, end, sizeof(struct ledger_metric),
		    ledger_metric_count());
	end = place(header, LEDGER_PROCESS, end,
		    round_up(sizeof(struct process_stats), LINE_BYTES), 1);
	end = place(header, LEDGER_CLASSES, end, sizeof(struct ledger_class),
		    LEDGER_CLASS_CAPACITY);
	end = place(header, LEDGER_CONTROL, end, LINE_BYTES, 1);
	/* What roundings take, and the threads' sides, come from 64 - 63. */
	left = region_bytes - end;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		const struct share *s = &shares[i];
		size_t rows = left / 64 * s->share / row_bytes(s);

		if (rows > s->most)
			rows = s->most;
		if (s->section == LEDGER_ARENA_CLASSES)
			rows -= rows % LEDGER_CLASS_CAPACITY;
		end = place(header, s->section, end, s->stride, (uint32_t)rows);
		if (s->section == LEDGER_COUNTS)
			end = place(header, LEDGER_LIVES, end,
				    sizeof(struct ledger_life), (uint32_t)rows);
	}
	return end;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t = {0};

	vdso_clock(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void set_identity(struct ledger_header *header)
{
	header->pid = (int32_t)getpid();
	header->start_time_ns = clock_ns(CLOCK_REALTIME);
	header->start_monotonic_ns = clock_ns(CLOCK_MONOTONIC);
}

/* Readable; but where none can be mapped it can be written, too. */
static __attribute__((cold)) void *map_region(size_t *bytes)
{
	size_t page = os_page_bytes;
	size_t want = *bytes < LEDGER_MAX_BYTES ? *bytes : LEDGER_MAX_BYTES;
	size_t share = os_mapping_limit() >> LG_LIMIT_SHARE;

	/* The rest is the program's: the region counts though it is empty. */
	if (want > share)
		want = share;
	for (want = round_up(want, page); want >= LEDGER_MIN_BYTES;
	     want = round_up(want / 2, page)) {
		uint8_t *gap = mmap(NULL, page + want, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				    -1, 0);
		void *at = gap + page;

		if (gap == MAP_FAILED)
			continue;
		/* Behind a page that no mapping can be joined to. */
		if (mprotect(at, want, PROT_READ) != 0) {
			munmap(gap, page + want);
			continue;
		}
		/* Touched here and there: huge pages would all be resident. */
		(void)madvise(at, want, MADV_NOHUGEPAGE);
		(void)madvise(at, want, MADV_DODUMP);
		(void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, want,
			    LEDGER_MAPPING_NAME);
		*bytes = want;
		return at;
	}
	*bytes = sizeof(static_region);
	return static_region;
}

static void copy_metrics(struct ledger_header *header)
{
	struct ledger_section *section = &header->sections[LEDGER_METRICS];
	struct ledger_metric *rows =
		(void *)((uint8_t *)header + section->offset);

	ledger_metrics_describe(rows);
	section->count = ledger_metric_count();
	header->sections[LEDGER_PROCESS].count = 1;
	header->sections[LEDGER_CONTROL].count = 1;
}

/*
 * Lays it out and makes room for what every process has: of the sections up to
 * LEDGER_ARENAS, which have few rows, for all. False where memory may not be
 * committed.
 */
static __attribute__((cold)) bool use_region(struct ledger_header *header,
					     size_t bytes)
{
	bool is_static = (uint8_t *)header == static_region;
	struct ledger_header plan;
	size_t end = ledger_lay_out(&plan, bytes);
	size_t first =
		round_up(plan.sections[LEDGER_ARENAS].offset, os_page_bytes);

	if (!is_static && mprotect(header, first, PROT_READ | PROT_WRITE) != 0)
		return false;
	memcpy(header->sections, plan.sections, sizeof(plan.sections));
	header->region_bytes = bytes;
	thread_sides = (struct thread_side *)(void *)((uint8_t *)header + end);
	__atomic_store_n(&ledger_here, header, __ATOMIC_RELEASE);
	ledger_room_boot(is_static);
	return ledger_make_thread_room(0) && ledger_make_arena_room(0);
}

__attribute__((cold)) void ledger_boot(size_t region_bytes)
{
	struct ledger_header *header = map_region(&region_bytes);

	if (!use_region(header, region_bytes)) {
		munmap((uint8_t *)header - os_page_bytes,
		       os_page_bytes + region_bytes);
		header = (struct ledger_header *)(void *)static_region;
		use_region(header, sizeof(static_region));
	}
	header->major = LEDGER_VERSION_MAJOR;
	header->minor = LEDGER_VERSION_MINOR;
	header->header_bytes = sizeof(*header);
	header->page_bytes = (uint32_t)os_page_bytes;
	header->section_count = LEDGER_SECTIONS;
	header->build_id_bytes =
		build_id_own(header->build_id, sizeof(header->build_id));
	strncpy(header->version, PACKAGE_VERSION, sizeof(header->version) - 1);
	set_identity(header);
	copy_metrics(header);
	ledger_threads_boot();
	__atomic_store_n(&header->magic, LEDGER_MAGIC, __ATOMIC_RELEASE);
}

struct thread_side *ledger_thread_sides(void)
{
	return thread_sides;
}

void ledger_publish(unsigned section, uint64_t count)
{
	uint64_t *word = &ledger_here->sections[section].count;
	uint64_t now = ledger_get(word);

	while (now < count &&
	       !__atomic_compare_exchange_n(word, &now, count, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

void ledger_clear(unsigned section)
{
	ledger_set(&ledger_here->sections[section].count, 0);
}

struct arena_stats *ledger_arena(unsigned arena)
{
	const struct ledger_section *s = &ledger_here->sections[LEDGER_ARENAS];
	unsigned row = arena < s->capacity ? arena : s->capacity - 1;

	return (void *)((uint8_t *)ledger_here + s->offset +
			(size_t)row * s->stride);
}

struct class_stats *ledger_class(unsigned arena, unsigned size_class)
{
	const struct ledger_section *s =
		&ledger_here->sections[LEDGER_ARENA_CLASSES];
	unsigned arenas = s->capacity / LEDGER_CLASS_CAPACITY;
	unsigned row = arena < arenas ? arena : arenas - 1;
	unsigned column = size_class < LEDGER_CLASS_CAPACITY
				  ? size_class
				  : LEDGER_CLASS_CAPACITY - 1;

	return (void *)((uint8_t *)ledger_here + s->offset +
			((size_t)row * LEDGER_CLASS_CAPACITY + column) *
				s->stride);
}

void ledger_set_arena_count(unsigned count)
{
	uint32_t arenas = ledger_capacity(LEDGER_ARENAS);
	uint32_t columns = ledger_capacity(LEDGER_ARENA_CLASSES);
	uint64_t cells = (uint64_t)count * LEDGER_CLASS_CAPACITY;

	ledger_publish(LEDGER_ARENAS, count < arenas ? count : arenas);
	ledger_publish(LEDGER_ARENA_CLASSES, cells < columns ? cells : columns);
}

/* Readers must see it odd before anything changes, and even after all has. */
void ledger_replace_begin(void)
{
	__atomic_fetch_add(&ledger_here->generation, 1, __ATOMIC_ACQ_REL);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void ledger_replace_end(void)
{
	__atomic_fetch_add(&ledger_here->generation, 1, __ATOMIC_RELEASE);
}

void ledger_postfork_child(uint32_t own_row, int os_tid)
{
	ledger_replace_begin();
	set_identity(ledger_here);
	ledger_threads_postfork_child(own_row, os_tid);
	ledger_add(&ledger_process()->fork_generation, 1);
	ledger_set(&ledger_process()->exported_ns, 0);
	ledger_replace_end();
	ledger_export_postfork_child();
}
