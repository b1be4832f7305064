/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glibc's own functions around malloc: mallinfo and its kin, from our
 * statistics. A program that calls them would else be told of the C library's
 * allocator, which is idle. Owns no state.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include "liballoc/api/api.h"
#include "liballoc/ctl/ctl.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"

static size_t figure(const char *name)
{
	size_t value = 0, bytes = sizeof(value);

	ctl_byname(name, &value, &bytes, NULL, 0);
	return value;
}

/* The figures that all of these functions tell, in bytes. */
struct totals {
	size_t mapped, allocated, cached, idle;
};

static struct totals read_totals(void)
{
	size_t page;

	heap_boot();
	heap_publish();
	page = figure("arenas.page");
	return (struct totals){
		.mapped = figure("stats.mapped"),
		.allocated = figure("stats.allocated"),
		.cached = figure("stats.arenas.4096.tcache_bytes"),
		.idle = page * (figure("stats.arenas.4096.pdirty") +
				figure("stats.arenas.4096.pmuzzy")),
	};
}

static size_t beyond(size_t whole, size_t part)
{
	return whole > part ? whole - part : 0;
}

/*
 * What others call mmapped (hblkhd) counts as the rest does: programs add it
 * to uordblks for what is in use, and to arena for what the system gave.
 */
API struct mallinfo2 mallinfo2(void)
{
	struct totals totals = read_totals();

	return (struct mallinfo2){
		.arena = totals.mapped,
		.ordblks = 1,
		.fsmblks = totals.cached,
		.uordblks = totals.allocated,
		.fordblks = beyond(totals.mapped, totals.allocated),
		.keepcost = totals.idle,
	};
}

static int to_int(size_t value)
{
	return value > INT_MAX ? INT_MAX : (int)value;
}

/* As mallinfo2; what an int cannot hold is told as the most that it can. */
API struct mallinfo mallinfo(void)
{
	struct mallinfo2 wide = mallinfo2();

	return (struct mallinfo){
		.arena = to_int(wide.arena),
		.ordblks = to_int(wide.ordblks),
		.fsmblks = to_int(wide.fsmblks),
		.uordblks = to_int(wide.uordblks),
		.fordblks = to_int(wide.fordblks),
		.keepcost = to_int(wide.keepcost),
	};
}

/*
 * glibc's parameters steer what there is none of here: to heed them is to do
 * nothing. To fill memory (M_PERTURB) cannot be switched on while running.
 */
API int mallopt(int parameter, int value)
{
	switch (parameter) {
	case M_MXFAST:
	case M_TRIM_THRESHOLD:
	case M_TOP_PAD:
	case M_MMAP_THRESHOLD:
	case M_MMAP_MAX:
	case M_CHECK_ACTION:
	case M_ARENA_TEST:
	case M_ARENA_MAX:
		return value >= 0;
	case M_PERTURB:
		return value == 0;
	default:
		return 0;
	}
}

/* Gives all free pages back to the system; 1 where there were any. */
API int malloc_trim(size_t pad)
{
	struct thread *thread;
	size_t idle;

	(void)pad;
	heap_boot();
	thread = thread_get();
	if (thread)
		heap_thread_flush(thread);
	idle = read_totals().idle;
	for (unsigned i = 0; i < heap_arena_count(); i++) {
		struct arena *arena = heap_arena(i);

		if (arena)
			heap_arena_purge(arena);
	}
	return read_totals().idle < idle;
}

/* A summary on stderr, as glibc's. */
API void malloc_stats(void)
{
	heap_boot();
	ctl_stats_print(NULL, NULL, "gabldex");
}

static void put_total(struct print *out, const char *kind, const char *type,
		      uint64_t count, uint64_t bytes)
{
	print_text(out, "<");
	print_text(out, kind);
	print_text(out, " type=\"");
	print_text(out, type);
	if (count != UINT64_MAX) {
		print_text(out, "\" count=\"");
		print_unsigned(out, count);
	}
	print_text(out, "\" size=\"");
	print_unsigned(out, bytes);
	print_text(out, "\"/>\n");
}

static void put_arena(struct print *out, unsigned index)
{
	const struct arena_stats *stats = ledger_arena(index);
	uint64_t allocated = stats->small_allocated + stats->large_allocated;

	print_text(out, "<heap nr=\"");
	print_unsigned(out, index);
	print_text(out, "\">\n<sizes>\n</sizes>\n");
	put_total(out, "total", "fast", 0, stats->tcache_bytes);
	put_total(out, "total", "rest", 1, beyond(stats->mapped, allocated));
	put_total(out, "system", "current", UINT64_MAX, stats->mapped);
	print_text(out, "</heap>\n");
}

static void put_to_stream(void *stream, const char *text)
{
	fputs(text, stream);
}

/*
 * glibc's XML. The one place with stdio: the caller hands us its stream, and
 * nothing is held while it is written to.
 */
API int malloc_info(int options, FILE *stream)
{
	struct totals totals;
	struct print out;

	if (options)
		return EINVAL;
	totals = read_totals();
	print_start(&out, put_to_stream, stream);
	print_text(&out, "<malloc version=\"1\">\n");
	for (unsigned i = 0; i < heap_arena_count(); i++)
		if (heap_arena(i))
			put_arena(&out, i);
	put_total(&out, "total", "fast", 0, totals.cached);
	put_total(&out, "total", "rest", 1,
		  beyond(totals.mapped, totals.allocated));
	put_total(&out, "total", "mmap", 0, 0);
	put_total(&out, "system", "current", UINT64_MAX, totals.mapped);
	print_text(&out, "</malloc>\n");
	print_end(&out);
	return ferror(stream) ? -1 : 0;
}
