/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profile of a running process, from its ledger and /proc, or of a core
 * file. Knows files by the build-ids in the process's memory, whatever has
 * become of them on disk.
 */
#include "config.h"

#include "libjeheap/profile/read.h"

#include <time.h>

#include "libjeheap/profile/from_ledger.h"
#include "libjeheap/target/maps.h"
#include "libjeheap/target/target.h"

/* The mapped files' build-ids; a file's first mapping bears its notes. */
static size_t read_build_ids(struct target *target,
			     struct mapped_build_id **ids)
{
	struct str maps = target->maps, path = {0}, id = {0};
	size_t count = 0, capacity = 0;
	struct map_line line;

	*ids = NULL;
	while (next_map(&maps, &line)) {
		if (!line.path.len)
			continue;
		if (line.offset == 0 || !str_equal(line.path, path)) {
			path = line.path;
			id.len = 0;
			if (line.readable && line.offset == 0 &&
			    (path.ptr[0] == '/' ||
			     str_equal(path, STR("[vdso]"))))
				target_build_id(target, line.start,
						&target->arena, &id);
		}
		if (id.len)
			*ARENA_PUSH(&target->arena, *ids, count, capacity) =
				(struct mapped_build_id){line.start, line.limit,
							 id};
	}
	return count;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t = {0};

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ns: by the monotonic clock, when it was as it is told. */
static void set_time(struct profile *profile, uint64_t ns,
		     const struct target *target,
		     const struct ledger_header *header)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	/* The clocks of a core file's machine stand still, or are not here. */
	if (target->core)
		profile->time_ns = header->start_time_ns +
				   (ns - header->start_monotonic_ns);
	else
		profile->time_ns =
			clock_ns(CLOCK_REALTIME) - (now > ns ? now - ns : 0);
	if (ns > header->start_monotonic_ns)
		profile->duration_ns = ns - header->start_monotonic_ns;
}

static void convert_peak(const struct ledger_view *view,
			 const struct target *target, struct profile *profile)
{
	struct ledger_peak peak = ledger_view_peak(view);

	profile_from_ledger_peak(profile, view);
	profile->peak_bytes = peak.bytes;
	set_time(profile, peak.monotonic_ns, target, &view->header);
}

static struct profile *convert(struct target *target, bool at_peak,
			       const struct ledger_view *view)
{
	struct profile *profile = profile_new();
	struct mapped_build_id *ids;
	size_t id_count = read_build_ids(target, &ids);

	read_maps(profile, target->maps, ids, id_count);
	profile->source =
		str_of(arena_printf(profile->arena, "%s%s", target->name,
				    at_peak ? " at its peak" : ""));
	if (at_peak) {
		convert_peak(view, target, profile);
	} else {
		profile_from_ledger(profile, view);
		/* When a core file was written, it does not say. */
		if (!target->core)
			set_time(profile, clock_ns(CLOCK_MONOTONIC), target,
				 &view->header);
	}
	if (!target->core)
		profile->pid = target->pid;
	profile->command = target_command_line(target, profile->arena);
	return profile;
}

static bool read_samples(struct target *target, bool at_peak,
			 struct ledger_view *view, struct diag *diag)
{
	if (!target_read_ledger(target, LEDGER_WANT_COUNTS, &target->arena,
				view, diag))
		return false;
	if (!(view->header.flags & LEDGER_PROF))
		return diag_set(diag,
				"%s has profiling switched off for good; start "
				"it without prof:false in MALLOC_CONF",
				target->name);
	if (at_peak && !ledger_view_peak(view).number)
		return diag_set(diag,
				"%s has come to no peak yet, or keeps none; "
				"start it without prof_peak:false in "
				"MALLOC_CONF, on this version of liballoc",
				target->name);
	return true;
}

/*
 * The maps were read before the samples: what is mapped since has hardly been
 * sampled, but what was unmapped since may have been.
 */
static struct profile *read_target(struct target *target, bool at_peak,
				   struct diag *diag)
{
	struct profile *profile = NULL;
	struct ledger_view view;

	if (read_samples(target, at_peak, &view, diag))
		profile = convert(target, at_peak, &view);
	target_close(target);
	return profile;
}

struct profile *read_process(int pid, bool at_peak, struct diag *diag)
{
	struct target target;

	if (!target_open(&target, pid, diag))
		return NULL;
	return read_target(&target, at_peak, diag);
}

struct profile *read_core(const char *path, bool at_peak, struct diag *diag)
{
	struct target target;

	if (!target_open_core(&target, path, diag))
		return NULL;
	return read_target(&target, at_peak, diag);
}
