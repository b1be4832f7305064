/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples by address, for tests: the heap, which keeps their numbers, is not
 * asked.
 */
#ifndef TESTS_UNIT_PROF_REMOVAL_H
#define TESTS_UNIT_PROF_REMOVAL_H

#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/tables.h"

/* The number of the live sample of the object at address; 0: there is none. */
static inline uint32_t sample_at(uint64_t address)
{
	const struct ledger_sample *rows = ledger_rows(LEDGER_SAMPLES);
	uint64_t count = __atomic_load_n(
		&ledger_header()->sections[LEDGER_SAMPLES].count,
		__ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < count; i++)
		if (ledger_get(&rows[i].address) == address)
			return i + 1;
	return 0;
}

/* It is freed by the thread of this row; false where it is no sample. */
static inline bool remove_sample(uint64_t address, uint32_t thread)
{
	const struct freed_by by = {.thread = thread, .now_ns = os_clock_ns()};

	return tables_remove_by(sample_at(address), address, &by, NULL);
}

#endif
