/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open addressing with the hash beside the number, so that growing needs no
 * look at the elements.
 */
#include "config.h"

#include "libjeheap/profile/index.h"

static struct slot *probe(const struct slots *table, uint32_t hash,
			  slot_equal *equal, const void *wanted)
{
	size_t mask = table->size - 1;
	size_t at = hash & mask;
	struct slot *slot;

	for (;; at = (at + 1) & mask) {
		slot = &table->slots[at];
		if (!slot->number)
			return slot;
		if (slot->hash == hash && equal(wanted, slot->number - 1))
			return slot;
	}
}

static bool never_equal(const void *wanted, uint32_t number)
{
	(void)wanted;
	(void)number;
	return false;
}

static void grow(struct slots *table, struct arena *arena)
{
	struct slots old = *table;
	size_t i;

	table->size = old.size ? old.size * 2 : 64;
	table->slots = ARENA_ARRAY(arena, table->size, struct slot);
	for (i = 0; i < old.size; i++)
		if (old.slots[i].number)
			*probe(table, old.slots[i].hash, never_equal, NULL) =
				old.slots[i];
}

uint32_t slots_enter(struct slots *table, struct arena *arena, uint64_t hash,
		     slot_equal *equal, const void *wanted, uint32_t fresh)
{
	struct slot *slot;

	if (table->used * 2 >= table->size)
		grow(table, arena);
	slot = probe(table, (uint32_t)hash, equal, wanted);
	if (slot->number)
		return slot->number - 1;
	*slot = (struct slot){fresh + 1, (uint32_t)hash};
	table->used++;
	return fresh;
}

uint32_t slots_find(const struct slots *table, uint64_t hash, slot_equal *equal,
		    const void *wanted)
{
	if (!table->size)
		return NONE;
	/* An empty slot holds 0, and 0 - 1 is NONE. */
	return probe(table, (uint32_t)hash, equal, wanted)->number - 1;
}
