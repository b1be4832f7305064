/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc_stats_print: which form, which parts, and the reading of controls
 * for both forms. Keeps nothing.
 */
#include "config.h"

#include "liballoc/ctl/stats.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"

struct stats_parts stats_parts_of(const char *letters)
{
	return (struct stats_parts){
		.json = strchr(letters, 'J'),
		.general = !strchr(letters, 'g'),
		.merged = !strchr(letters, 'm'),
		.destroyed = !strchr(letters, 'd'),
		.arenas = !strchr(letters, 'a'),
		.bins = !strchr(letters, 'b'),
		.lextents = !strchr(letters, 'l'),
		.extents = !strchr(letters, 'e'),
		.mutexes = !strchr(letters, 'x'),
	};
}

struct stats_index stats_index_of_arena(size_t arena, size_t j)
{
	return (struct stats_index){.mib = {[2] = arena, [4] = j}};
}

struct stats_index stats_index_of_class(size_t i)
{
	return (struct stats_index){.mib = {[2] = i}};
}

bool stats_read(const struct ctl_row *row, const struct stats_index *index,
		uint64_t *value)
{
	const struct ctl_call call = {row, index->mib};

	return row->get && !(row->rules & CTL_MUST_READ) &&
	       row->get(&call, value) == 0;
}

bool stats_find(const char *name, struct ctl_row *row)
{
	for (unsigned i = 0; i < ctl_row_count(); i++) {
		ctl_row_at(i, row);
		if (strcmp(row->name, name) == 0)
			return true;
	}
	return false;
}

uint64_t stats_value(const char *name, const struct stats_index *index)
{
	struct ctl_row row;
	uint64_t value;

	return stats_find(name, &row) && stats_read(&row, index, &value) ? value
									 : 0;
}

const char *stats_name_within(const struct ctl_row *row, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(row->name, prefix, length) != 0 ||
	    strchr(row->name + length, '<'))
		return NULL;
	return row->name + length;
}

bool stats_has_arena(size_t arena)
{
	const struct stats_index destroyed = {{[1] = MALLCTL_ARENAS_DESTROYED}};

	if (arena == MALLCTL_ARENAS_DESTROYED)
		return stats_value("arena.<i>.initialized", &destroyed);
	return heap_arena((unsigned)arena) != NULL;
}

void ctl_stats_print(void (*write_cb)(void *, const char *), void *cbopaque,
		     const char *opts)
{
	const struct stats_parts parts = stats_parts_of(opts ? opts : "");
	struct print out;

	heap_publish();
	print_start(&out, write_cb, cbopaque);
	if (parts.json)
		stats_print_json(&out, &parts);
	else
		stats_print_text(&out, &parts);
	print_end(&out);
}

/*
 * One thread prints at a time, the others go on. The flag is the process that
 * prints, so that a child of a fork in the middle of it is not held up.
 */
static bool start_printing(int *printing)
{
	int me = getpid(), was = __atomic_load_n(printing, __ATOMIC_RELAXED);

	return was != me &&
	       __atomic_compare_exchange_n(printing, &was, me, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void ctl_count_interval(uint64_t bytes)
{
	static uint64_t allocated;
	static int printing;
	uint64_t every = (uint64_t)opt.stats_interval, before;
	int cancel;

	if (!every)
		every = 1;
	before = __atomic_fetch_add(&allocated, bytes, __ATOMIC_RELAXED);
	if (before / every == (before + bytes) / every ||
	    !start_printing(&printing))
		return;
	/* The program asked for memory: what it prints with may be cancelled.
	 */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	ctl_stats_print(NULL, NULL, opt.stats_interval_opts);
	pthread_setcancelstate(cancel, NULL);
	__atomic_store_n(&printing, 0, __ATOMIC_RELEASE);
}

void ctl_exit(void)
{
	if (opt.stats_print)
		ctl_stats_print(NULL, NULL, opt.stats_print_opts);
}
