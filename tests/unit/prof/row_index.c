/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index that grows: all rows are found at every size, and few rows touch few
 * buckets.
 */
#include "config.h"

#include "liballoc/prof/row_index.h"
#include "tap/tap.h"

enum { ROWS = 5000, MOST = 2048 };

static uint32_t heads[MOST], links[ROWS];

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

	for (uint32_t i = 0; i < MOST; i++)
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
	struct row_index index;

	plan(6);
	is_uint(row_index_buckets(4 * MOST), MOST, "a bucket for four rows");
	row_index_init(&index, heads, links, MOST);
	is_uint(fill(&index, 0, 20), 0, "20 rows are found");
	ok(touched() <= 16, "in the first buckets: %u", touched());
	is_uint(fill(&index, 20, ROWS), 0, "5,000 rows are found");
	is_uint(index.mask, MOST - 1, "in as many buckets as there are");
	row_index_clear(&index);
	is_uint(found(&index, ROWS), 0, "none once it is cleared");
	return done_testing();
}
