/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order and search among the addresses that want names.
 */
#include "config.h"

#include "libjeheap/symbol/query.h"

#include <stdlib.h>

static int compare(const void *pa, const void *pb)
{
	const struct query *a = pa, *b = pb;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return (a->location > b->location) - (a->location < b->location);
}

void queries_sort(struct queries *queries)
{
	if (queries->count)
		qsort(queries->items, queries->count, sizeof(*queries->items),
		      compare);
}

size_t queries_from(const struct queries *queries, uint64_t address)
{
	size_t low = 0, high = queries->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (queries->items[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
