/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The peak of live bytes. Reaching it is a matter of a few words, however large
 * the profile is: peaks are numbered, and a row of counts that is about to
 * change takes down what is in use of it, once for each peak. So a row that has
 * the number of the last peak tells what was in use then, and any other has not
 * changed since.
 */
#ifndef LIBALLOC_PROF_PEAK_H
#define LIBALLOC_PROF_PEAK_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/ledger/ledger.h"

/* So many bytes are live now: where that is a peak, it is noted. */
void peak_look(uint64_t live);
/* Forgets the peak; the next look finds one. */
void peak_reset(void);

/* Is there a peak that was not forgotten? */
static inline bool peak_is_known(void)
{
	return ledger_get(&ledger_process()->prof_peak_bytes) != 0;
}

/* The number of the last peak, forgotten or not; 0: there was none. */
static inline uint64_t peak_number(void)
{
	return ledger_get(&ledger_process()->prof_peaks);
}

/* Has the row yet to take down what was in use at that peak? */
static inline bool peak_is_new(const struct ledger_count *row, uint64_t number)
{
	return __atomic_load_n(&row->peak_number, __ATOMIC_ACQUIRE) < number;
}

/* Of a row: the objects in use, and the sums of their sizes and squares. */
struct peak_use {
	uint64_t count, bytes, squares;
};

/* Takes it down, by one thread at a time. */
void peak_keep(struct ledger_count *row, uint64_t number);
/* What was in use of the row at that peak; false: nothing was. */
bool peak_get(const struct ledger_count *row, uint64_t number,
	      struct peak_use *use);

#endif
