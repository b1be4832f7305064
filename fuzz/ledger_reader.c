/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a ledger: it is refused with a message, or its view stays
 * within its rows, becomes a sound profile, and is shown by jestat, in a way
 * that the size chooses, with figures that can be.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "jestat/print.h"
#include "libjeheap/profile/from_ledger.h"
#include "libjeheap/profile/read.h"

#define WANT_ALL (LEDGER_WANT_STATS | LEDGER_WANT_PROFILE)

static const char maps[] =
	"555555554000-555555558000 r-xp 00001000 08:01 1 /opt/program\n"
	"7ffff7c00000-7ffff7e00000 r-xp 00028000 08:01 2 /opt/library.so\n";

static void must(bool good)
{
	if (!good)
		abort();
}

/* Touches all that a reader may: a sanitizer sees what lies outside. */
static void read_all(const struct ledger_view *view)
{
	uint64_t sum = 0;

	for (unsigned section = 0; section < LEDGER_SECTIONS; section++) {
		for (uint64_t i = 0; i < view->count[section]; i++) {
			const uint8_t *row = ledger_row(view, section, i);

			must(row && (uintptr_t)row % 8 == 0);
			sum += row[0] + row[view->stride[section] - 1];
		}
		must(!ledger_row(view, section, view->count[section]));
	}
	for (uint64_t i = 0; i < view->count[LEDGER_METRICS]; i++) {
		const struct ledger_metric *m =
			ledger_row(view, LEDGER_METRICS, i);

		must(memchr(m->name, '\0', sizeof(m->name)));
		sum += ledger_view_sum(view, m);
	}
	(void)sum;
}

/* A figure that there is not is NAN. */
static bool may_be(double figure)
{
	return isnan(figure) || figure >= 0;
}

static void check_figures(const struct reading *now,
			  const struct reading *before)
{
	struct figures f = reading_figures(now, before);

	must(may_be(f.allocated) && may_be(f.active) && may_be(f.resident) &&
	     may_be(f.dirty) && may_be(f.metadata) && may_be(f.threads) &&
	     may_be(f.mallocs_per_second) && may_be(f.bytes_per_second) &&
	     may_be(f.elapsed_seconds));
	must(may_be(f.fragmentation) && !(f.fragmentation > 1));
}

static const struct print_options ways[] = {
	{.timestamp = true},
	{.csv = true},
	{.bins = true, .arenas = true, .bytes = true},
	{.bins = true, .csv = true},
	{.arenas = true, .csv = true},
	{.histograms = true},
	{.histograms = true, .csv = true},
	{.json = true, .bins = true, .arenas = true},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* In one of the ways, into nothing; the harness writes past stdio. */
static void show(const struct ledger_view *view, size_t way)
{
	static FILE *nothing;
	struct reading now = {.view = *view, .pid = 1, .monotonic_ns = 1};
	struct reading later = now;
	FILE *kept = stdout;

	if (!nothing)
		nothing = fopen("/dev/null", "w");
	must(nothing != NULL);
	later.monotonic_ns = UINT64_C(1) << 40;
	check_figures(&now, NULL);
	check_figures(&later, &now);
	stdout = nothing;
	print_reading(&later, way % 2 ? &now : NULL, &ways[way / 2 % WAYS],
		      way % 2);
	stdout = kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile *profile = profile_new();
	struct diag diag = {0};
	struct ledger_view view;
	bool good = ledger_view_from_memory(data, size, WANT_ALL,
					    profile->arena, &view, &diag);

	must(good != diag.set);
	if (good) {
		read_all(&view);
		show(&view, size);
		read_maps(profile, str_of(maps), NULL, 0);
		profile_from_ledger(profile, &view);
		must(profile_is_valid(profile));
		profile_from_ledger_peak(profile, &view);
		must(profile_is_valid(profile));
	}
	profile_free(profile);
	return 0;
}
