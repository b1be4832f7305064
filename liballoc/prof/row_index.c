/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing hash indexes. Owns no memory.
 */
#include "config.h"

#include "liballoc/prof/row_index.h"

#define FIRST_BUCKETS 16u

uint32_t row_index_buckets(uint32_t rows)
{
	uint32_t n = FIRST_BUCKETS;

	while (n < rows / 4)
		n *= 2;
	return n;
}

void row_index_init(struct row_index *index, uint32_t *heads, uint32_t *links,
		    uint32_t most)
{
	index->heads = heads;
	index->links = links;
	index->mask = FIRST_BUCKETS - 1;
	index->most = most;
}

static void put(struct row_index *index, uint32_t bucket, uint32_t row)
{
	uint32_t *head = &index->heads[bucket];

	__atomic_store_n(&index->links[row], *head, __ATOMIC_RELAXED);
	__atomic_store_n(head, row + 1, __ATOMIC_RELEASE);
}

void row_index_insert(struct row_index *index, uint64_t hash, uint32_t row)
{
	put(index, (uint32_t)hash & index->mask, row);
}

/* Parts the rows of a bucket by the bit of their hash that mask gains. */
static void split(struct row_index *index, uint32_t bucket, uint32_t mask,
		  uint64_t (*hash_of)(uint32_t row))
{
	uint32_t *head = &index->heads[bucket];
	uint32_t at = *head, next;

	__atomic_store_n(head, 0, __ATOMIC_RELEASE);
	for (; at; at = next) {
		next = index->links[at - 1];
		put(index, (uint32_t)hash_of(at - 1) & mask, at - 1);
	}
}

void row_index_double(struct row_index *index,
		      uint64_t (*hash_of)(uint32_t row))
{
	uint32_t buckets = index->mask + 1, mask = buckets * 2 - 1, i;

	if (buckets >= index->most)
		return;
	for (i = 0; i < buckets; i++)
		split(index, i, mask, hash_of);
	__atomic_store_n(&index->mask, mask, __ATOMIC_RELEASE);
}

void row_index_clear(struct row_index *index)
{
	uint32_t i;

	for (i = 0; i <= index->mask; i++)
		__atomic_store_n(&index->heads[i], 0, __ATOMIC_RELAXED);
}
