/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metadata allocator: bumps through mappings of its own, free lists by
 * size rounded to 64 bytes up to 4 KiB and to powers of two above. It owns
 * those mappings, counts in the ledger the pages it has begun to use, and
 * never gives any back.
 */
#include "config.h"

#include "liballoc/heap/metadata.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "liballoc/heap/lock.h"
#include "liballoc/heap/os.h"
#include "liballoc/ledger/ledger.h"

#define LINE ((size_t)64)
#define SMALL_MAX ((size_t)4096)
#define SMALL_LISTS (SMALL_MAX / LINE)
#define LISTS (SMALL_LISTS + 64)
#define FIRST_CHUNK ((size_t)128 << 10)
#define MAX_CHUNK ((size_t)8 << 20)

struct free_block {
	struct free_block *next;
};

/* Guarded by lock. The bump range is [bump, end), counted up to counted. */
static struct lock lock = LOCK_INIT(LOCK_METADATA);
static struct free_block *free_lists[LISTS];
static uintptr_t bump, end, counted;
static size_t next_chunk = FIRST_CHUNK;

static size_t round_up(size_t value, size_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static size_t block_bytes(size_t bytes)
{
	if (bytes <= SMALL_MAX)
		return bytes ? round_up(bytes, LINE) : LINE;
	return (size_t)1 << (64 - __builtin_clzll(bytes - 1));
}

static unsigned list_of(size_t rounded)
{
	if (rounded <= SMALL_MAX)
		return (unsigned)(rounded / LINE - 1);
	return (unsigned)(SMALL_LISTS + (size_t)__builtin_ctzll(rounded));
}

static bool new_chunk(size_t rounded)
{
	size_t bytes = round_up(rounded, os_page_bytes);
	void *base;

	if (bytes < next_chunk)
		bytes = next_chunk;
	base = os_map(bytes, true);
	if (!base && bytes > round_up(rounded, os_page_bytes)) {
		bytes = round_up(rounded, os_page_bytes);
		base = os_map(bytes, true);
	}
	if (!base)
		return false;
	if (next_chunk < MAX_CHUNK)
		next_chunk *= 2;
	/* What is left of the old chunk is at most one block: let it go. */
	bump = counted = (uintptr_t)base;
	end = bump + bytes;
	return true;
}

static void *bump_block(size_t rounded)
{
	uintptr_t block;

	if (end - bump < rounded && !new_chunk(rounded))
		return NULL;
	block = bump;
	bump += rounded;
	if (bump > counted) {
		size_t more = round_up(bump - counted, os_page_bytes);

		counted += more;
		ledger_add_shared(&ledger_process()->metadata, more);
	}
	return (void *)block;
}

void *metadata_allocate(size_t bytes)
{
	size_t rounded = block_bytes(bytes);
	unsigned list = list_of(rounded);
	struct free_block *block;
	bool used;

	lock_take(&lock);
	block = free_lists[list];
	used = block != NULL;
	if (used)
		free_lists[list] = block->next;
	else
		block = bump_block(rounded);
	lock_release(&lock);
	if (used)
		memset(block, 0, rounded);
	return block;
}

void metadata_free(void *block, size_t bytes)
{
	struct free_block *freed = block;
	unsigned list = list_of(block_bytes(bytes));

	lock_take(&lock);
	freed->next = free_lists[list];
	free_lists[list] = freed;
	lock_release(&lock);
}

struct lock *metadata_lock(void)
{
	return &lock;
}

void metadata_prefork(void)
{
	lock_take_for_fork(&lock);
}

void metadata_postfork_parent(void)
{
	lock_release_for_fork(&lock);
}

void metadata_postfork_child(void)
{
	lock_reset(&lock);
}
