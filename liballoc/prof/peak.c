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
static uint64_t rest(const uint64_t *allocated, const uint64_t *freed)
{
	uint64_t gone = __atomic_load_n(freed, __ATOMIC_ACQUIRE);
	uint64_t all = ledger_get(allocated);

	return all > gone ? all - gone : 0;
}

static struct peak_use in_use(const struct ledger_count *row)
{
	uint64_t freed_squares =
		__atomic_load_n(&row->freed_squares, __ATOMIC_ACQUIRE);

	return (struct peak_use){
		.count = rest(&row->allocated_count, &row->freed_count),
		.bytes = rest(&row->allocated_bytes, &row->freed_bytes),
		/* Which may have wrapped. */
		.squares = ledger_get(&row->allocated_squares) - freed_squares,
	};
}

void peak_keep(struct ledger_count *row, uint64_t number)
{
	struct peak_use use = in_use(row);

	ledger_set(&row->peak_count, use.count);
	ledger_set(&row->peak_bytes, use.bytes);
	ledger_set(&row->peak_squares, use.squares);
	__atomic_store_n(&row->peak_number, number, __ATOMIC_RELEASE);
}

bool peak_get(const struct ledger_count *row, uint64_t number,
	      struct peak_use *use)
{
	if (peak_is_new(row, number))
		*use = in_use(row);
	else
		*use = (struct peak_use){
			.count = ledger_get(&row->peak_count),
			.bytes = ledger_get(&row->peak_bytes),
			.squares = ledger_get(&row->peak_squares),
		};
	return use->count != 0 && use->bytes != 0;
}
