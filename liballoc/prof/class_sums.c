/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the ledger's tables as any reader of it does: nothing is locked, a row
 * that was torn is passed over. Changes nothing.
 */
#include "config.h"

#include "liballoc/prof/class_sums.h"

#include "liballoc/ledger/ledger.h"

struct class_sums class_sums_all(unsigned size_class)
{
	const struct ledger_count *counts = ledger_rows(LEDGER_COUNTS);
	uint64_t rows = ledger_published(LEDGER_COUNTS);
	struct class_sums sums = {0};

	for (uint64_t i = 0; i < rows; i++) {
		if (ledger_get32(&counts[i].size_class) != size_class)
			continue;
		sums.count += ledger_get(&counts[i].allocated_count);
		sums.requested_bytes += ledger_get(&counts[i].requested_bytes);
	}
	return sums;
}

/* A copy of the row; false where it is empty, or torn. */
static bool take_sample(const struct ledger_sample *row,
			struct ledger_sample *sample)
{
	*sample = (struct ledger_sample){
		.address = ledger_get(&row->address),
		.usable_bytes = ledger_get(&row->usable_bytes),
		.requested_bytes = ledger_get(&row->requested_bytes),
		.birth_ns = ledger_get(&row->birth_ns),
		.count = ledger_get32(&row->count),
		.check = ledger_get32(&row->check),
	};
	return sample->address > 1 &&
	       sample->check == ledger_sample_check(sample);
}

struct class_sums class_sums_live(unsigned size_class)
{
	const struct ledger_count *counts = ledger_rows(LEDGER_COUNTS);
	const struct ledger_sample *samples = ledger_rows(LEDGER_SAMPLES);
	uint64_t rows = ledger_published(LEDGER_SAMPLES);
	struct class_sums sums = {0};
	struct ledger_sample sample;

	for (uint64_t i = 0; i < rows; i++) {
		if (!take_sample(&samples[i], &sample) ||
		    sample.count >= ledger_capacity(LEDGER_COUNTS) ||
		    ledger_get32(&counts[sample.count].size_class) !=
			    size_class)
			continue;
		sums.count++;
		sums.requested_bytes += sample.requested_bytes;
	}
	return sums;
}
