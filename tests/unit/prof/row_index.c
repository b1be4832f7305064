/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two interleaved indexes that grow: all rows are found at every size, none in
 * the other, and few rows touch few buckets.
 */
#include "config.h"

#include "liballoc/prof/row_index.h"
#include "tap/tap.h"

enum { ROWS = 5000, STEP = 2, MOST = 2048 };

static uint32_t heads[MOST * STEP], links[STEP][ROWS];
static struct row_index indexes[STEP];

static uint64_t hash_of(uint32_t row)
{
	return (row + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static bool has(const struct row_index *index, uint32_t row)
{
	uint32_t at = *row_index_head(index, hash_of(row));

	while (at && at - 1 != row)
		at = index->links[at - 1];
	return at != 0;
}

static uint32_t found(const struct row_index *index, uint32_t rows)
{
	uint32_t count = 0;

	for (uint32_t row = 0; row < rows; row++)
		count += has(index, row);
	return count;
}

static uint32_t touched(void)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < MOST * STEP; i++)
		if (heads[i])
			last = i + 1;
	return last;
}

/* The rows that were missing at some size; rows go up to most. */
static uint32_t fill(struct row_index *index, uint32_t first, uint32_t most)
{
	uint32_t missing = 0;

	for (uint32_t row = first; row < most; row++) {
		row_index_grow(index, row + 1, hash_of);
		row_index_insert(index, hash_of(row), row);
		if ((row & (row + 1)) == 0 || row + 1 == most)
			missing += row + 1 - found(index, row + 1);
	}
	return missing;
}

int main(void)
{
	plan(8);
	is_uint(row_index_buckets(4 * MOST), MOST, "a bucket for four rows");
	for (uint32_t i = 0; i < STEP; i++)
		row_index_init(&indexes[i], heads + i, links[i], MOST, STEP);
	is_uint(fill(&indexes[0], 0, 20), 0, "20 rows are found");
	ok(touched() <= 16 * STEP, "in the first buckets: %u", touched());
	is_uint(fill(&indexes[0], 20, ROWS), 0, "5,000 rows are found");
	is_uint(indexes[0].mask, MOST - 1, "in as many buckets as there are");
	is_uint(found(&indexes[1], ROWS), 0, "none in the index beside it");
	is_uint(fill(&indexes[1], 0, 300), 0, "which holds its own");
	row_index_clear(&indexes[0]);
	is_uint(found(&indexes[0], ROWS) + 300 - found(&indexes[1], 300), 0,
		"clearing one leaves the other");
	return done_testing();
}
