/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks, by size class, at the first extents that are freed, and then at fewer
 * and fewer of them, as long as they are of the kind that is expected. Owns
 * what was learnt; the words are read and written by all threads without a
 * lock, and may be off by one.
 */
#include "config.h"

#include "liballoc/heap/sparse.h"

#include <stdint.h>

#include "liballoc/heap/container.h"
#include "liballoc/heap/extent.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/size_class.h"

/*
 * Below that, zeroed objects may be made of pages that are not clean, and
 * looking costs more than there is to gain; above, looking takes too long.
 */
#define LEAST_BYTES ((size_t)256 << 10)
#define MOST_BYTES ((size_t)64 << 20)
/* Hardly: at most this share of the pages. */
#define LG_SHARE 3
/* Extents of a size between two looks, at most. */
#define MOST_REST 128u
/* Bytes that may be taken for sparse, of all sizes, between two looks. */
#define MOST_UNSEEN ((size_t)128 << 20)
/* Larger ones have some pages in their middle looked at each time. */
#define GLANCE_BYTES ((size_t)4 << 20)
#define GLANCE_PAGES 16u
#define SHARES 256u

/* What is known of a size. */
struct judgement {
	uint8_t sparse; /* the last one that was looked at was so */
	uint8_t share;	/* of its pages, in 256ths */
	uint8_t rest;	/* extents between looks, now */
	uint8_t waits;	/* extents until the next look */
};

static struct judgement judgements[SIZE_CLASSES];
static size_t unseen_bytes;

static uint8_t get(const uint8_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void set(uint8_t *word, unsigned value)
{
	__atomic_store_n(word, (uint8_t)value, __ATOMIC_RELAXED);
}

bool sparse_is_usual(size_t bytes, unsigned size_class)
{
	return bytes >= LEAST_BYTES && get(&judgements[size_class].sparse);
}

/* Resident pages; more than most where that is so, or may not be told. */
static size_t count_resident(const struct extent *extent, size_t most)
{
	size_t found = 0, from, bytes;

	for (from = 0; from < extent->bytes && found <= most; from += bytes) {
		bytes = OS_RESIDENT_MOST * os_page_bytes;
		if (bytes > extent->bytes - from)
			bytes = extent->bytes - from;
		if (!os_count_resident((void *)(extent->base + from), bytes,
				       &found))
			return most + 1;
	}
	return found;
}

/* Where one size is used in another way, others may be, too. */
static void doubt_all(void)
{
	unsigned i;

	for (i = 0; i < SIZE_CLASSES; i++)
		set(&judgements[i].waits, 0);
}

static void judge(struct judgement *of, bool sparse)
{
	unsigned rest = 2u * get(&of->rest);

	if (!rest || get(&of->sparse) != sparse)
		rest = 1;
	set(&of->sparse, sparse);
	set(&of->rest, rest < MOST_REST ? rest : MOST_REST);
	set(&of->waits, get(&of->rest));
}

/* Whole pages, and never none, so that it goes when all that waits goes. */
static size_t at_least(size_t bytes)
{
	return (bytes / os_page_bytes + 1) * os_page_bytes;
}

static size_t look(const struct extent *extent, struct judgement *of)
{
	size_t pages = extent->bytes / os_page_bytes;
	size_t most = pages >> LG_SHARE;
	size_t resident = most + 1;
	bool was_sparse = get(&of->sparse);

	if (container_is_roomy() &&
	    (was_sparse || os_mapping_limit() == SIZE_MAX))
		resident = count_resident(extent, most);
	__atomic_store_n(&unseen_bytes, 0, __ATOMIC_RELAXED);
	judge(of, resident <= most);
	if (resident > most && !was_sparse)
		return SPARSE_NOT;
	if (resident > most) {
		doubt_all();
		return SPARSE_NO_MORE;
	}
	set(&of->share, (unsigned)(resident * SHARES / pages));
	return at_least(resident * os_page_bytes);
}

/* Does the middle of a large one look as if it was filled? */
static bool seems_filled(const struct extent *extent)
{
	size_t pages = extent->bytes / os_page_bytes, found = 0;
	uintptr_t middle = extent->base + pages / 2 * os_page_bytes;

	return extent->bytes > GLANCE_BYTES &&
	       os_count_resident((void *)middle, GLANCE_PAGES * os_page_bytes,
				 &found) &&
	       found > GLANCE_PAGES / 2;
}

size_t sparse_look(const struct extent *extent)
{
	struct judgement *of = &judgements[extent->size_class];
	size_t unseen = __atomic_load_n(&unseen_bytes, __ATOMIC_RELAXED);

	if (extent->bytes < LEAST_BYTES || extent->bytes > MOST_BYTES ||
	    !extent->fresh || extent->emptied || extent->huge)
		return SPARSE_NOT;
	if (!get(&of->waits) || unseen > MOST_UNSEEN ||
	    (get(&of->sparse) && seems_filled(extent)))
		return look(extent, of);
	set(&of->waits, get(&of->waits) - 1u);
	if (!get(&of->sparse))
		return SPARSE_NOT;
	__atomic_store_n(&unseen_bytes, unseen + extent->bytes,
			 __ATOMIC_RELAXED);
	return at_least(extent->bytes / SHARES * get(&of->share));
}
