/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash index of a table's rows: bucket heads, and for each row a link to the
 * next of its bucket, both row + 1, 0 at the end. It begins with few buckets
 * and gets twice as many as rows come, since buckets lie all over the memory
 * that they have: a process with few samples shall not touch it all.
 *
 * Adding and growing want a lock of the caller's. Looking up needs none where
 * a miss is looked up again under that lock: while the index grows a row may
 * not be found, but no walk goes astray.
 */
#ifndef LIBALLOC_PROF_ROW_INDEX_H
#define LIBALLOC_PROF_ROW_INDEX_H

#include <stdint.h>

struct row_index {
	uint32_t *heads;
	uint32_t *links;
	uint32_t mask; /* buckets in use - 1 */
	uint32_t most; /* buckets that there is room for: a power of two */
};

/* Buckets that so many rows may come to want; a power of two. */
uint32_t row_index_buckets(uint32_t rows);
/* Of zeroed memory. */
void row_index_init(struct row_index *index, uint32_t *heads, uint32_t *links,
		    uint32_t most);
/* The head of the bucket for hash. */
static inline uint32_t *row_index_head(const struct row_index *index,
				       uint64_t hash)
{
	uint32_t mask = __atomic_load_n(&index->mask, __ATOMIC_ACQUIRE);

	return &index->heads[hash & mask];
}

/* Row + 1 after at, a row + 1; the bucket may be parted meanwhile. 0: none. */
static inline uint32_t row_index_next(const struct row_index *index,
				      uint32_t at)
{
	return __atomic_load_n(&index->links[at - 1], __ATOMIC_RELAXED);
}

/* Puts a row in front of its bucket. */
void row_index_insert(struct row_index *index, uint64_t hash, uint32_t row);
/* Twice as many buckets, if there is room: hash_of tells a row's hash. */
void row_index_double(struct row_index *index,
		      uint64_t (*hash_of)(uint32_t row));
/* As above, where so many rows are too many for the buckets in use. */
static inline void row_index_grow(struct row_index *index, uint32_t rows,
				  uint64_t (*hash_of)(uint32_t row))
{
	if (__builtin_expect(rows > 2 * (index->mask + 1), 0))
		row_index_double(index, hash_of);
}
/* Empties all buckets, and keeps as many. */
void row_index_clear(struct row_index *index);

#endif
