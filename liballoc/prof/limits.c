/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The next size at which a dump is due, and how long ago the last one was. All
 * of it in single words, so that no thread waits for another.
 */
#include "config.h"

#include "liballoc/prof/limits.h"

#include "liballoc/ctl/options.h"
#include "liballoc/heap/os.h"
#include "liballoc/ledger/ledger.h"

/* Without prof_dump_step: this part of prof_dump_above. */
#define STEP_SHARE 10u

static uint64_t due_bytes; /* below the threshold: it is the threshold */
/* When the last dump of each kind was asked for; 0: never. */
static uint64_t above_ns, tight_ns;

/* 0 where there is no limit to be a part of. */
static uint64_t bytes_of(const struct option_amount *amount)
{
	uint64_t limit;

	if (!amount->percent)
		return amount->bytes;
	limit = ledger_get(&ledger_process()->memory_limit);
	return limit / 100 * amount->percent;
}

/* Takes the time now, where the last was long enough ago. */
static bool take_turn(uint64_t *last_ns)
{
	uint64_t now = os_clock_ns(), last = ledger_get(last_ns);
	uint64_t least_ns = (uint64_t)opt.prof_dump_interval_ms * 1000000;

	if (last && now - last < least_ns)
		return false;
	return __atomic_compare_exchange_n(last_ns, &last, now, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* What goes by the limit is what counts against it, other processes too. */
static uint64_t size_of(uint64_t live)
{
	return opt.prof_dump_above.percent
		       ? ledger_get(&ledger_process()->memory_usage)
		       : live;
}

bool limits_look(uint64_t live)
{
	uint64_t threshold = bytes_of(&opt.prof_dump_above);
	uint64_t step = bytes_of(&opt.prof_dump_step);
	uint64_t size = size_of(live), due = ledger_get(&due_bytes);

	if (!threshold)
		return false;
	if (!step)
		step = threshold / STEP_SHARE;
	if (size < threshold) {
		/* Once well below, it is passed anew. */
		if (size + step < threshold)
			ledger_set(&due_bytes, 0);
		return false;
	}
	return size >= due && take_turn(&above_ns) &&
	       __atomic_compare_exchange_n(&due_bytes, &due, size + step, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool limits_tight(void)
{
	return opt.prof_dump_tight && take_turn(&tight_ns);
}

void limits_postfork_child(void)
{
	above_ns = tight_ns = 0;
}
