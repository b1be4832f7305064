/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes peaks, and what single rows had at them. Takes no lock. */
#include "config.h"

#include "liballoc/prof/peak.h"

#include "liballoc/heap/os.h"

void peak_look(uint64_t live)
{
	struct process_stats *process = ledger_process();
	uint64_t peak = ledger_get(&process->prof_peak_bytes);

	do
		if (live <= peak)
			return;
	while (!__atomic_compare_exchange_n(&process->prof_peak_bytes, &peak,
					    live, true, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED));
	ledger_set(&process->prof_peak_ns, os_clock_ns());
	__atomic_fetch_add(&process->prof_peaks, 1, __ATOMIC_RELEASE);
}

/* Numbers go on, so that no row takes an old peak for the next one. */
void peak_reset(void)
{
	ledger_set(&ledger_process()->prof_peak_bytes, 0);
}

/* Frees first: what was allocated meanwhile only adds. */
static uint64_t in_use(const uint64_t *allocated, const uint64_t *freed)
{
	uint64_t gone = __atomic_load_n(freed, __ATOMIC_ACQUIRE);
	uint64_t all = ledger_get(allocated);

	return all > gone ? all - gone : 0;
}

void peak_keep(struct ledger_count *row, uint64_t number)
{
	ledger_set(&row->peak_count,
		   in_use(&row->allocated_count, &row->freed_count));
	ledger_set(&row->peak_bytes,
		   in_use(&row->allocated_bytes, &row->freed_bytes));
	__atomic_store_n(&row->peak_number, number, __ATOMIC_RELEASE);
}

bool peak_get(const struct ledger_count *row, uint64_t number, uint64_t *count,
	      uint64_t *bytes)
{
	if (peak_is_new(row, number)) {
		*count = in_use(&row->allocated_count, &row->freed_count);
		*bytes = in_use(&row->allocated_bytes, &row->freed_bytes);
	} else {
		*count = ledger_get(&row->peak_count);
		*bytes = ledger_get(&row->peak_bytes);
	}
	return *count != 0 && *bytes != 0;
}
