/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds up the arenas' rows of the ledger. Owns the pace of looking. */
#include "config.h"

#include "liballoc/prof/live.h"

#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/state.h"

#define LOOK_BYTES ((uint64_t)256 << 10)
/* Threads tell each other so much at once, since a word of all is dear. */
#define TELL_BYTES ((uint64_t)32 << 10)
/* Each so many arenas make a look dearer, and so rarer. */
#define ARENAS_PER_LOOK 16u

/* What caches hold is told late: it may seem more than there is. */
uint64_t live_bytes(void)
{
	const struct ledger_section *section =
		&ledger_header()->sections[LEDGER_ARENAS];
	const char *row = ledger_rows(LEDGER_ARENAS);
	uint64_t taken = 0, cached = 0;

	for (uint64_t rows = ledger_published(LEDGER_ARENAS); rows; rows--) {
		const struct arena_stats *arena = (const void *)row;

		taken += ledger_get(&arena->small_allocated) +
			 ledger_get(&arena->large_allocated);
		cached += ledger_get(&arena->tcache_bytes);
		row += section->stride;
	}
	return taken > cached ? taken - cached : 0;
}

/*
 * A thread counts when it has an event, and one that ends counts no more: on
 * average each event stands for the mean bytes between samples.
 */
static uint64_t stands_for(uint64_t bytes)
{
	uint32_t lg = prof_state_rate();
	uint64_t mean = lg < 20 ? UINT64_C(1) << lg : PROF_INTERVAL_MAX;

	return bytes > mean ? bytes : mean;
}

bool live_is_due(uint64_t bytes, uint32_t *untold)
{
	static uint64_t unseen;
	uint64_t more = *untold + stands_for(bytes), every;

	*untold = 0;
	if (more < TELL_BYTES) {
		*untold = (uint32_t)more;
		return false;
	}
	every = LOOK_BYTES *
		(1 + ledger_published(LEDGER_ARENAS) / ARENAS_PER_LOOK);
	ledger_add_shared(&unseen, more);
	if (ledger_get(&unseen) < every)
		return false;
	ledger_set(&unseen, 0);
	return true;
}
