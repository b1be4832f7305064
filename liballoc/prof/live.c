/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds up the arenas' rows of the ledger. Owns the pace of looking. */
#include "config.h"

#include "liballoc/prof/live.h"

#include "liballoc/ledger/ledger.h"

#define LOOK_BYTES ((uint64_t)256 << 10)
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

bool live_tell(uint64_t bytes)
{
	static uint64_t unseen;
	uint64_t every;

	every = LOOK_BYTES *
		(1 + ledger_published(LEDGER_ARENAS) / ARENAS_PER_LOOK);
	ledger_add_shared(&unseen, bytes);
	if (ledger_get(&unseen) < every)
		return false;
	ledger_set(&unseen, 0);
	return true;
}
