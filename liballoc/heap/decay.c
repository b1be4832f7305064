/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decay curve: s(x) = 6x^5 - 15x^4 + 10x^3, in fixed point. Owns nothing
 * but arithmetic; never calls the clock or the kernel.
 */
#include "config.h"

#include "liballoc/heap/decay.h"

#include <string.h>

#define LG_ONE 24
#define ONE (UINT64_C(1) << LG_ONE)
/* Less than this is not worth a wake-up of its own. */
#define MIN_WORTH ((size_t)256 << 10)

/* The share, of ONE, that may stay of what was freed `age` steps ago. */
static uint64_t share(unsigned age)
{
	uint64_t x = (DECAY_STEPS - age) * ONE / DECAY_STEPS;
	uint64_t x2 = x * x >> LG_ONE, x3 = x2 * x >> LG_ONE;

	/* x^3 (6x^2 - 15x + 10), whose last factor is positive on [0, 1]. */
	return x3 * (6 * x2 + 10 * ONE - 15 * x) >> LG_ONE;
}

bool decay_is_valid(ssize_t ms)
{
	return ms >= -1 && ms <= (ssize_t)(INT64_MAX / 1000000);
}

bool decay_set(struct decay *decay, ssize_t ms, uint64_t now_ns)
{
	if (!decay_is_valid(ms))
		return false;
	memset(decay, 0, sizeof(*decay));
	decay->ms = ms;
	if (ms > 0)
		decay->step_ns = (uint64_t)ms * 1000000 / DECAY_STEPS;
	decay->step_start_ns = now_ns;
	return true;
}

static void next_step(struct decay *decay, size_t free_bytes)
{
	size_t grown = 0;

	if (free_bytes > decay->at_step_start)
		grown = free_bytes - decay->at_step_start;
	decay->newest = (decay->newest + 1) % DECAY_STEPS;
	decay->backlog[decay->newest] = grown;
	decay->at_step_start = free_bytes;
}

static size_t part(size_t bytes, uint64_t share_of_one)
{
	return (size_t)((unsigned __int128)bytes * share_of_one >> LG_ONE);
}

/* What the backlog will allow so many steps from now. */
static size_t backlog_limit(const struct decay *decay, unsigned ahead)
{
	size_t limit = 0;
	unsigned age;

	for (age = 0; age + ahead < DECAY_STEPS; age++) {
		size_t freed =
			decay->backlog[(decay->newest + DECAY_STEPS - age) %
				       DECAY_STEPS];

		if (freed)
			limit += part(freed, share(age + ahead));
	}
	return limit;
}

size_t decay_limit(struct decay *decay, uint64_t now_ns, size_t free_bytes)
{
	uint64_t steps;
	size_t limit;

	if (decay->ms < 0)
		return SIZE_MAX;
	if (decay->ms == 0)
		return 0;
	if (now_ns < decay->step_start_ns + decay->step_ns)
		return SIZE_MAX; /* nothing new is due */
	steps = (now_ns - decay->step_start_ns) / decay->step_ns;
	decay->step_start_ns += steps * decay->step_ns;
	if (steps > DECAY_STEPS)
		steps = DECAY_STEPS;
	/* All that was freed since the last step counts as freed in one. */
	next_step(decay, free_bytes);
	while (--steps)
		next_step(decay, free_bytes);
	limit = backlog_limit(decay, 0);
	if (decay->at_step_start > limit)
		decay->at_step_start = limit;
	return limit;
}

void decay_start(struct decay *decay, uint64_t now_ns)
{
	decay->at_step_start = 0;
	decay_limit(decay, now_ns, 0);
}

void decay_lower(struct decay *decay, size_t free_bytes)
{
	if (decay->at_step_start > free_bytes)
		decay->at_step_start = free_bytes;
	if (!free_bytes)
		memset(decay->backlog, 0, sizeof(decay->backlog));
}

uint64_t decay_due_ns(const struct decay *decay, size_t free_bytes)
{
	size_t fresh = 0, worth = free_bytes / 32, limit;
	unsigned ahead;

	if (decay->ms <= 0 || !free_bytes)
		return UINT64_MAX;
	if (worth < MIN_WORTH)
		worth = MIN_WORTH;
	if (free_bytes > decay->at_step_start)
		fresh = free_bytes - decay->at_step_start;
	for (ahead = 1; ahead < DECAY_MAX_WAIT; ahead++) {
		limit = backlog_limit(decay, ahead) +
			part(fresh, share(ahead - 1));
		if (limit + worth <= free_bytes)
			break;
	}
	return decay->step_start_ns + ahead * decay->step_ns;
}
