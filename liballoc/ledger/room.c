/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which part of each section may be written: it grows as rows are used. What
 * may not be written counts towards no limit on what may be committed, nor on
 * data, and is not brought in where all memory is locked. Owns how far each has
 * come; two threads at one section at a time do the same twice.
 */
#include "config.h"

#include <errno.h>
#include <sys/mman.h>

#include "liballoc/heap/os.h"
#include "liballoc/ledger/region.h"

/* At a time at least this, and as much as there is, up to that. */
#define LEAST_STEP ((uint64_t)64 << 10)
#define MOST_STEP ((uint64_t)4 << 20)

/* Beside the sections the threads' sides, behind them. */
#define SIDES LEDGER_SECTIONS

/* From each one's first row, in bytes. Relaxed atomic. */
static uint64_t writable[LEDGER_SECTIONS + 1];
static bool all; /* of the region is */

struct span {
	uint64_t offset; /* from the region's start */
	uint64_t bytes;
	uint32_t stride;
};

static struct span span_of(unsigned section)
{
	struct ledger_header *header = ledger_header();
	const struct ledger_section *s = &header->sections[section];
	struct span sides = {.stride = sizeof(struct thread_side)};

	if (section != SIDES)
		return (struct span){s->offset,
				     (uint64_t)s->stride * s->capacity,
				     s->stride};
	sides.offset = (uint64_t)((uint8_t *)ledger_thread_sides() -
				  (uint8_t *)header);
	sides.bytes = header->region_bytes - sides.offset;
	return sides;
}

static bool make_writable(const struct span *span, uint64_t from, uint64_t to)
{
	uint8_t *base = (uint8_t *)ledger_header();
	uint64_t low = (span->offset + from) & ~((uint64_t)os_page_bytes - 1);
	uint64_t high = (span->offset + to + os_page_bytes - 1) &
			~((uint64_t)os_page_bytes - 1);
	int kept_errno = errno;
	bool good =
		mprotect(base + low, high - low, PROT_READ | PROT_WRITE) == 0;

	errno = kept_errno;
	return good;
}

static uint64_t step_from(uint64_t have)
{
	if (have < LEAST_STEP)
		return LEAST_STEP;
	return have < MOST_STEP ? have : MOST_STEP;
}

static __attribute__((cold)) bool
grow(unsigned section, const struct span *span, uint64_t have, uint64_t need)
{
	uint64_t want = have + step_from(have);

	if (want < need)
		want = need;
	if (want > span->bytes)
		want = span->bytes;
	if (!make_writable(span, have, want)) {
		want = need;
		if (!make_writable(span, have, want))
			return false;
	}
	while (have < want && !__atomic_compare_exchange_n(
				      &writable[section], &have, want, true,
				      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return true;
}

bool ledger_make_room(unsigned section, uint64_t rows)
{
	const struct span span = span_of(section);
	uint64_t have = __atomic_load_n(&writable[section], __ATOMIC_RELAXED);
	uint64_t need = rows * span.stride;

	if (need > span.bytes)
		need = span.bytes;
	return need <= have || all || grow(section, &span, have, need);
}

bool ledger_make_thread_room(uint32_t row)
{
	return ledger_make_room(LEDGER_THREADS, row + (uint64_t)1) &&
	       ledger_make_room(SIDES, row + (uint64_t)1);
}

bool ledger_make_arena_room(unsigned arena)
{
	return ledger_make_room(LEDGER_ARENAS, arena + (uint64_t)1) &&
	       ledger_make_room(LEDGER_ARENA_CLASSES,
				(arena + (uint64_t)1) * LEDGER_CLASS_CAPACITY);
}

void ledger_room_boot(bool is_all)
{
	all = is_all;
	for (unsigned i = 0; i <= LEDGER_SECTIONS; i++)
		writable[i] = 0;
}
