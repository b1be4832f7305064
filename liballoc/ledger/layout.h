/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger: all that an outside reader may want to know of a process on
 * liballoc, in one reserved, page-aligned region of that process. This header
 * is the only thing that the tools share with the allocator. It holds offsets
 * from the region's start, never pointers, and depends on nothing of ours.
 *
 * Finding it: the exported variable `liballoc_ledger` holds the region's
 * address; the ELF note of LEDGER_NOTE_NAME holds the distance from the note's
 * descriptor to that variable, for stripped and static programs; failing
 * both, the magic stands at the start of a private anonymous mapping named
 * "[anon:liballoc ledger]" where the kernel can name mappings.
 *
 * Who may not read memory may find a copy of all but the tables of the profile
 * in a descriptor of the process's, a memfd named LEDGER_EXPORT_NAME: a region
 * of its own, in which LEDGER_ARENA_CLASSES has one arena's rows, the sums over
 * all arenas, and rows that found no room are added to the last arena's and to
 * thread row 0. It is the process's own only where `pid` is; its generation is
 * odd while it is brought up to date, as of the metric exported_ns.
 *
 * Reading it: nothing is locked. Counters and gauges are naturally aligned
 * 64-bit words, written with relaxed atomics. Tables are append-only: a row is
 * written whole, then `count` of its section is raised with release; rows
 * never move. Rows of LEDGER_SAMPLES and LEDGER_THREADS are reused; a sample
 * row carries a checksum that tells a torn copy. Rows of LEDGER_COUNTS are
 * emptied, for reuse, only while `generation` is odd. A reader takes all it
 * finds as hostile and checks each offset and count against region_bytes.
 *
 * A reader refuses another major version and tolerates a newer minor one:
 * minor versions may append sections, metrics and row fields (strides grow),
 * and never change what is there. The header grows by sections alone: they are
 * its end, so that a field behind them would have no fixed place. A new fact
 * of the process is a metric, or stands in a section of its own.
 */
#ifndef LIBALLOC_LEDGER_LAYOUT_H
#define LIBALLOC_LEDGER_LAYOUT_H

#include <stdint.h>

/* "LIBALLOC" read as a little-endian word; written last, with release. */
#define LEDGER_MAGIC UINT64_C(0x434f4c4c4142494c)
#define LEDGER_VERSION_MAJOR 1
#define LEDGER_VERSION_MINOR 6

#define LEDGER_SYMBOL "liballoc_ledger"
#define LEDGER_NOTE_NAME "liballoc"
#define LEDGER_NOTE_TYPE 1 /* desc: int64_t, variable minus desc's address */
#define LEDGER_MAPPING_NAME "liballoc ledger"
#define LEDGER_EXPORT_NAME "liballoc figures"

/* The tables, by their index in ledger_header.sections. */
enum ledger_section_id {
	LEDGER_METRICS,	      /* struct ledger_metric: describes the values */
	LEDGER_PROCESS,	      /* one row of values, level process */
	LEDGER_ARENAS,	      /* a row of values per arena */
	LEDGER_CLASSES,	      /* struct ledger_class: the size classes */
	LEDGER_ARENA_CLASSES, /* row arena * class capacity + class */
	LEDGER_THREADS,	      /* struct ledger_thread, then its values */
	LEDGER_STACKS,	      /* struct ledger_stack */
	LEDGER_FRAMES,	      /* uint64_t return addresses */
	LEDGER_COUNTS,	      /* struct ledger_count */
	LEDGER_SAMPLES,	      /* struct ledger_sample, in use where address is
				 above 1; count = rows ever used */
	LEDGER_LIVES,	      /* struct ledger_life: row i is of the objects
				 that row i of LEDGER_COUNTS counts as freed;
				 before 1.5 not all rows there had one */
	LEDGER_CONTROL,	      /* struct ledger_control, 1 row */
	LEDGER_SECTIONS
};

struct ledger_section {
	uint64_t offset;   /* of row 0 from the region's start, bytes */
	uint32_t stride;   /* bytes from row to row */
	uint32_t capacity; /* rows that there is room for */
	uint64_t count;	   /* rows in use: 0 <= count <= capacity */
};

/* Bits of ledger_header.flags. */
#define LEDGER_PROF 1u	       /* opt.prof: profiling is compiled and set up */
#define LEDGER_PROF_ACTIVE 2u  /* samples are being taken now */
#define LEDGER_PROF_ACCUM 4u   /* opt.prof_accum */
#define LEDGER_PROF_CONTROL 8u /* opt.prof_control: requests are heeded */
#define LEDGER_SNAPSHOT 16u    /* this is LEDGER_EXPORT_NAME's copy */

struct ledger_header {
	uint64_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t header_bytes; /* sizeof this struct, as written */
	uint64_t region_bytes;
	int32_t pid; /* as the process itself sees it */
	uint32_t page_bytes;
	uint64_t start_time_ns; /* CLOCK_REALTIME when the ledger was made */
	uint64_t start_monotonic_ns; /* CLOCK_MONOTONIC at the same moment */
	/*
	 * Odd while the tables are being replaced (fork, prof.reset, counts
	 * of exited threads being added up), even else: a reader that sees
	 * it odd, or changed, reads again.
	 */
	uint64_t generation;
	uint32_t flags;
	uint32_t lg_sample;	 /* log2 of the mean bytes between samples */
	uint32_t build_id_bytes; /* of the library; 0 where it has none */
	uint8_t build_id[20];
	char version[24]; /* of the library, NUL-terminated */
	uint32_t section_count;
	uint32_t reserved;
	struct ledger_section sections[LEDGER_SECTIONS];
};

enum ledger_kind {
	LEDGER_COUNTER = 1, /* only grows, but for prof.reset */
	LEDGER_GAUGE = 2,
	LEDGER_HISTOGRAM = 3, /* `count` words; word i counts [2^i, 2^(i+1)) */
};

enum ledger_unit {
	LEDGER_UNIT_COUNT = 1,
	LEDGER_UNIT_BYTES = 2,
	LEDGER_UNIT_NS = 3,
	LEDGER_UNIT_PAGES = 4,
	LEDGER_UNIT_MS = 5, /* a signed word: -1 is never */
};

/*
 * A metric: one word (or a histogram) in each row of a values section.
 * The process's total of a metric of level arena, arena class or thread is
 * the sum over rows, where summable is set.
 */
struct ledger_metric {
	char name[40];	  /* snake_case, unique in its section */
	char help[104];	  /* one line, no full stop */
	uint8_t kind;	  /* enum ledger_kind */
	uint8_t unit;	  /* enum ledger_unit */
	uint8_t summable; /* 1: rows may be added up */
	uint8_t reserved;
	uint32_t section; /* PROCESS, ARENAS, ARENA_CLASSES or THREADS */
	uint32_t offset;  /* bytes from the row's start */
	uint32_t count;	  /* words: 1, or the histogram's buckets */
};

/* A size class. The small ones come first, sizes ascending throughout. */
struct ledger_class {
	uint64_t size_bytes;	   /* the largest request it serves */
	uint32_t regions_per_slab; /* 0: large, one extent an object */
	uint32_t slab_bytes;	   /* 0: large */
};

enum ledger_thread_state {
	LEDGER_THREAD_FREE = 0,
	LEDGER_THREAD_LIVE = 1,
	LEDGER_THREAD_EXITED = 2, /* kept: counts refer to it */
};

/*
 * Row 0 stands for threads that found the table full, and for exited threads
 * whose own row was wanted back: its uid is LEDGER_OTHER_THREADS. Metrics of
 * level thread follow in the same row; what threads that had it before did is
 * in its metrics past_*, so that sums with them only grow, but for a row that
 * is passing. (Since 1.6.) A copy of a row is one thread's if the generation
 * was the same, and even, before and after. (Before 1.5 it was raised once,
 * after all else, and odd ones meant nothing.)
 */
#define LEDGER_OTHER_THREADS UINT64_MAX

struct ledger_thread {
	uint64_t uid;	     /* 0, 1, 2 ... in order of first allocation */
	int32_t os_tid;	     /* gettid(), in the process's own namespace */
	uint32_t state;	     /* enum ledger_thread_state */
	char name[16];	     /* NUL-terminated; empty: not named */
	uint64_t generation; /* odd while the row passes to another thread */
};

/* An interned call stack; frames are leaf first, all return addresses. */
struct ledger_stack {
	uint64_t hash;
	uint32_t first_frame; /* row in LEDGER_FRAMES */
	uint32_t frame_count;
};

#define LEDGER_NO_STACK UINT32_MAX /* no row of it */

/*
 * The sampled objects of one (stack, thread, size class, rate): all that a
 * profile's estimates need. In use = allocated - freed; a copy may catch
 * freed ahead of allocated, and then nothing is in use. For small classes
 * bytes = count * size; for large ones the mean size is bytes / count, and the
 * squares tell how the sizes vary about it.
 * No sums of estimates are kept: with the true count of samples of each size
 * at a known rate, readers compute estimates and variances exactly.
 * A row whose allocated_count is 0 is empty: the rest of it means nothing. One
 * that is empty again has LEDGER_NO_STACK, and its stack is written last when
 * it is taken anew: a copy made from its beginning on has that, and is torn, or
 * has the whole of the new key.
 *
 * Squares are sums of ledger_square() of the objects' usable bytes, modulo
 * 2^64, so that what is in use has the difference; of small classes they are
 * 0. What fails ledger_squares_hold() is torn, has wrapped, or is of an older
 * minor version: then the mean has to do. (Since 1.5.)
 *
 * Of what was in use at the last peak of live bytes: where peak_number is the
 * metric prof_peaks of the process, it is peak_count, peak_bytes and
 * peak_squares; else the row has not changed since, and it is what is in use
 * now. (Since 1.4.)
 */
struct ledger_count {
	uint32_t stack;		  /* row in LEDGER_STACKS */
	uint32_t thread;	  /* row in LEDGER_THREADS: who allocated */
	uint32_t size_class;	  /* row in LEDGER_CLASSES */
	uint32_t lg_sample;	  /* log2 of the mean bytes between samples */
	uint64_t allocated_count; /* sampled objects, since start or reset */
	uint64_t allocated_bytes; /* of usable size, of sampled objects */
	uint64_t freed_count;
	uint64_t freed_bytes;
	uint64_t requested_bytes; /* as asked for, of all sampled objects */
	uint64_t freed_elsewhere; /* of freed_count, by another thread */
	uint64_t peak_number;	  /* written after those of the peak */
	uint64_t peak_count;
	uint64_t peak_bytes;
	uint64_t allocated_squares;
	uint64_t freed_squares;
	uint64_t peak_squares;
};

/* Sizes of large classes are whole multiples of it. */
#define LEDGER_SQUARE_UNIT UINT64_C(4096)

static inline uint64_t ledger_square(uint64_t usable_bytes)
{
	uint64_t units = usable_bytes / LEDGER_SQUARE_UNIT;

	return units * units;
}

/*
 * Can these be the squares of so many objects of so many bytes in all? They
 * are no less than if all had the same size, and not above that by more than
 * a 64th: of a class with sizes from a to b, 5a >= 4b, by (b - a)^2 / 4ab, an
 * 80th, at most.
 */
static inline _Bool ledger_squares_hold(uint64_t count, uint64_t bytes,
					uint64_t squares)
{
	__extension__ typedef unsigned __int128 wide;
	uint64_t units = bytes / LEDGER_SQUARE_UNIT;
	wide least = (wide)units * units, is = (wide)count * squares;

	return count != 0 && is >= least && is - least <= least / 64;
}

/*
 * How the sizes vary: their variance by the square of their mean, at most a
 * 64th; 0 where they do not, or the squares do not hold.
 */
static inline double ledger_size_variation(uint64_t count, uint64_t bytes,
					   uint64_t squares)
{
	__extension__ typedef unsigned __int128 wide;
	uint64_t units = bytes / LEDGER_SQUARE_UNIT;
	wide least = (wide)units * units;

	if (units == 0 || !ledger_squares_hold(count, bytes, squares))
		return 0;
	return (double)((wide)count * squares - least) / (double)least;
}

#define LEDGER_LIFE_WORDS 32u
#define LEDGER_LIFE_LG_MIN 12u

/*
 * How long the sampled objects lived that a row of LEDGER_COUNTS counts as
 * freed: word i counts those of [2^(i + 12), 2^(i + 13)) ns, the first word
 * also the shorter ones, the last one also the longer ones. A row that is not
 * there, of rows that found no room here (before 1.5), is unknown, not 0: what
 * freed_count has above the sum of the words.
 */
struct ledger_life {
	uint32_t words[LEDGER_LIFE_WORDS]; /* modulo 2^32 */
};

/* A sampled object in use. */
struct ledger_sample {
	uint64_t address; /* 0: never used; 1: was in use */
	uint64_t usable_bytes;
	uint64_t requested_bytes;
	uint64_t birth_ns; /* CLOCK_MONOTONIC */
	uint32_t count;	   /* row in LEDGER_COUNTS */
	uint32_t check;	   /* ledger_sample_check() of the fields above */
};

/*
 * The one thing that is written from outside, by whoever may write the
 * process's memory, and heeded only where LEDGER_PROF_CONTROL is set: a
 * request, in one aligned word. The process looks at it when its threads leave
 * the fast paths, does what it says once, and answers with the request's
 * number. A later request takes the place of one that was not seen yet.
 */
struct ledger_control {
	uint64_t request; /* ledger_request(); 0: none yet */
	uint64_t answer;  /* the number << 32, and 0 or an errno: EINVAL
			     (no such request), ENOENT (no profile is kept),
			     or what went wrong */
};

enum ledger_command {
	LEDGER_SET_ACTIVE = 1, /* prof.active: 0 or 1 */
	LEDGER_SET_THREAD_ACTIVE_INIT = 2,
	LEDGER_SET_LG_SAMPLE = 3, /* 0 to 63; keeps what was sampled */
	LEDGER_SET_GDUMP = 4,
	LEDGER_DUMP = 5,  /* value 0: to the next name by prof_prefix */
	LEDGER_PURGE = 6, /* value 0: gives all free pages back */
};

/* From the low end: check, command, value (16 bits), number. */
static inline uint64_t ledger_request(uint32_t number, unsigned command,
				      unsigned value)
{
	uint64_t word = (uint64_t)number << 32 | (value & 0xffffu) << 16 |
			(command & 0xffu) << 8;

	return word | (word * UINT64_C(0x9e3779b97f4a7c15)) >> 56;
}

static inline uint32_t ledger_request_number(uint64_t request)
{
	return (uint32_t)(request >> 32);
}

static inline unsigned ledger_request_value(uint64_t request)
{
	return request >> 16 & 0xffffu;
}

static inline unsigned ledger_request_command(uint64_t request)
{
	return request >> 8 & 0xffu;
}

/* The checksum of a sample row, by which a torn copy is told. */
static inline uint32_t ledger_sample_check(const struct ledger_sample *s)
{
	uint64_t h = s->address * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ s->usable_bytes) * UINT64_C(0xc2b2ae3d27d4eb4f);
	h = (h ^ s->requested_bytes) * UINT64_C(0x165667b19e3779f9);
	h = (h ^ s->birth_ns) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ s->count) * UINT64_C(0xc2b2ae3d27d4eb4f);
	return (uint32_t)(h >> 32) | 1;
}

#endif
