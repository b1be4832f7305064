/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the ledger of a process: the note or the symbol of the files that it
 * maps, else the magic of an anonymous mapping. Judges the header only as far
 * as it takes to know one.
 */
#include "config.h"

#include <string.h>

#include "libjeheap/target/core.h"
#include "libjeheap/target/image.h"
#include "libjeheap/target/maps.h"
#include "libjeheap/target/proc.h"
#include "libjeheap/target/target.h"

struct search {
	struct target *target;
	struct arena *arena;
	bool on_liballoc; /* seen, even if no ledger is set up */
	uint64_t found;	  /* the best so far; 0: none */
	double weight;	  /* its; negative: not known yet */
};

double target_weigh_ledger(struct target *target)
{
	unsigned want = 1u << LEDGER_METRICS | 1u << LEDGER_ARENAS;
	static const char *const names[] = {"small_allocated",
					    "large_allocated"};
	struct arena scratch = {0};
	struct diag ignored = {0};
	struct ledger_view view;
	double bytes = 0;

	if (target_read_ledger(target, want, &scratch, &view, &ignored))
		for (unsigned i = 0; i < 2; i++) {
			const struct ledger_metric *metric = ledger_view_metric(
				&view, LEDGER_ARENAS, names[i]);

			if (metric)
				bytes += (double)ledger_view_sum(&view, metric);
		}
	arena_free(&scratch);
	return bytes;
}

static double weigh(struct search *search, uint64_t address)
{
	double bytes;

	search->target->ledger_address = address;
	bytes = target_weigh_ledger(search->target);
	search->target->ledger_address = 0;
	return bytes;
}

/* The heavier of it and the one found before. */
static void keep_best(struct search *search, uint64_t address)
{
	double weight = -1;

	if (address == search->found)
		return;
	if (search->found) {
		if (search->weight < 0)
			search->weight = weigh(search, search->found);
		weight = weigh(search, address);
		if (weight <= search->weight)
			return;
	}
	search->found = address;
	search->weight = weight;
}

/* Is there a ledger at the address? */
static bool accept(struct search *search, uint64_t address)
{
	struct diag ignored = {0};
	uint64_t magic;

	if (address == 0 || address % 8 != 0 ||
	    !target_read(search->target, address, &magic, sizeof(magic),
			 &ignored) ||
	    magic != LEDGER_MAGIC)
		return false;
	keep_best(search, address);
	return true;
}

/* The variable that holds the region's address is at `variable`. */
static bool accept_variable(struct search *search, uint64_t variable)
{
	struct diag ignored = {0};
	uint64_t address;

	search->on_liballoc = true;
	return target_read(search->target, variable, &address, sizeof(address),
			   &ignored) &&
	       accept(search, address);
}

static bool by_note(struct search *search, const struct memory_image *image)
{
	struct memory_note note;
	int64_t distance;

	if (!memory_image_note(image, LEDGER_NOTE_NAME, LEDGER_NOTE_TYPE,
			       search->arena, &note) ||
	    note.desc.len < sizeof(distance))
		return false;
	memcpy(&distance, note.desc.ptr, sizeof(distance));
	return accept_variable(search, note.desc_address + (uint64_t)distance);
}

static bool by_symbol(struct search *search, const struct memory_image *image)
{
	uint64_t variable;

	return memory_image_symbol(image, LEDGER_SYMBOL, &variable) &&
	       accept_variable(search, variable);
}

/* All of them: a process may hold several copies. */
static bool in_files(struct search *search)
{
	struct str maps = search->target->maps;
	struct map_line line;

	while (next_map(&maps, &line)) {
		struct memory_image image;
		struct arena_mark mark = arena_mark(search->arena);

		if (!line.readable || line.offset != 0 || !line.path.len ||
		    line.path.ptr[0] != '/' ||
		    !memory_image_read(search->target, line.start, &image))
			continue;
		if (!by_note(search, &image) &&
		    str_starts_with(str_basename(line.path),
				    STR("liballoc.so")))
			by_symbol(search, &image);
		arena_rewind(search->arena, mark);
	}
	return search->found != 0;
}

static bool in_anonymous(struct search *search, bool named)
{
	struct str name = STR("[anon:" LEDGER_MAPPING_NAME "]");
	struct str maps = search->target->maps;
	struct map_line line;

	while (next_map(&maps, &line)) {
		if (!line.readable || !line.writable || line.shared)
			continue;
		if (named ? !str_equal(line.path, name) : line.path.len > 0)
			continue;
		if (accept(search, line.start))
			return true;
	}
	return false;
}

/* One that is ending has none left, and nothing was to be found. */
static bool has_memory(const struct target *target)
{
	struct process_info info;

	return process_info(target->pid, &info) && info.rss_bytes > 0;
}

static bool search_all(struct search *search)
{
	return in_files(search) || in_anonymous(search, true) ||
	       in_anonymous(search, false);
}

static bool find_in_core(struct target *target, struct diag *diag)
{
	struct arena scratch = {0};
	struct search search = {
		.target = target, .arena = &scratch, .weight = -1};
	bool found = search_all(&search);

	arena_free(&scratch);
	if (found) {
		target->ledger_address = search.found;
		return true;
	}
	if (target->core->is_cut)
		return diag_set(diag,
				"%s is cut off, and has no ledger of liballoc "
				"before its end; have it written without a "
				"limit (ulimit -c), to a disk with room",
				target->name);
	if (search.on_liballoc)
		return diag_set(diag,
				"%s has liballoc, but not its memory, or that "
				"was not allocated from yet; private anonymous "
				"memory is written where bit 0 of "
				"/proc/PID/coredump_filter is set",
				target->name);
	return diag_set(diag,
			"%s is not of a program on liballoc; link the program "
			"with -lalloc, or start it with "
			"LD_PRELOAD=liballoc.so",
			target->name);
}

bool target_find_ledger(struct target *target, struct diag *diag)
{
	struct arena scratch = {0};
	struct search search = {
		.target = target, .arena = &scratch, .weight = -1};
	struct diag why = {0};
	bool found;

	if (target->ledger_address || target->snapshot_fd >= 0)
		return true;
	if (target->core)
		return find_in_core(target, diag);
	if (!target_probe(target, &why))
		return target_find_snapshot(target) ||
		       diag_set(diag, "%s", why.text);
	found = search_all(&search);
	arena_free(&scratch);
	if (found) {
		target->ledger_address = search.found;
		return true;
	}
	if (!has_memory(target))
		return diag_set(diag, "%s is gone: it ended while being read",
				target->name);
	if (search.on_liballoc)
		return diag_set(diag,
				"%s has liballoc loaded, but has not "
				"allocated from it yet",
				target->name);
	return diag_set(diag,
			"%s does not run on liballoc; link the program with "
			"-lalloc, or start it with LD_PRELOAD=liballoc.so",
			target->name);
}
