/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a ledger: it is refused with a message, or its view stays
 * within its rows and becomes a sound profile.
 */
#include "config.h"

#include <stdlib.h>

#include "fuzz/fuzz.h"
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
		read_maps(profile, str_of(maps), NULL, 0);
		profile_from_ledger(profile, &view);
		must(profile_is_valid(profile));
		profile_from_ledger_peak(profile, &view);
		must(profile_is_valid(profile));
	}
	profile_free(profile);
	return 0;
}
