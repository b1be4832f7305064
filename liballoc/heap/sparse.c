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
#include "liballoc/heap/residency.h"
#include "liballoc/heap/size_class.h"

/*
 * Below that, zeroed objects may be made of pages that are not clean, and
 * looking costs more than there is to gain; above, looking takes too long.
 */
#define LEAST_BYTES ((size_t)256 << 10)
#define MOST_BYTES ((size_t)64 << 20)
/* Hardly: at most this share of the pages. */
#define LG_SHARE 3
/* Extents of a size between two looks, at most, and bytes of sparse ones. */
#define MOST_REST 128u
#define MOST_UNSEEN ((size_t)128 << 20)
/* The same of larger ones, so that the largest are looked at each time. */
#define LARGER_BYTES ((size_t)4 << 20)
#define LARGER_UNSEEN ((size_t)16 << 20)
/*
 * So many in a row make a size sparse, at first one. Each time that it turns
 * out not to be, it takes that many times more, until so many came in a row.
 */
#define TIMES 4u
#define MOST_NEEDED 64u
#define FORGIVEN 128u
/* From so many in a row on, pages are rather brought in than others used. */
#define CERTAIN 8u
#define SHARES 256u

/* What is known of a size. */
struct judgement {
	uint8_t sparse; /* objects of it are taken for so */
	uint8_t share;	/* of its pages, in 256ths */
	uint8_t rest;	/* extents between looks, now */
	uint8_t waits;	/* extents until the next look */
	uint8_t row;	/* looks in a row that found hardly any page */
	uint8_t needed; /* 0: one */
};

static struct judgement judgements[SIZE_CLASSES];
uint32_t sparse_doubts;

static uint8_t get(const uint8_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void set(uint8_t *word, size_t value)
{
	__atomic_store_n(word, (uint8_t)value, __ATOMIC_RELAXED);
}

enum sparse_habit sparse_habit(size_t bytes, unsigned size_class)
{
	const struct judgement *of = &judgements[size_class];

	if (bytes < LEAST_BYTES || !get(&of->sparse))
		return SPARSE_RARE;
	return get(&of->row) >= CERTAIN ? SPARSE_CERTAIN : SPARSE_USUAL;
}

/* Resident pages; more than most where that is so, or may not be told. */
static size_t count_resident(const struct extent *extent, size_t most)
{
	size_t found = 0;
	int fd = residency_open();
	bool told = fd >= 0 && residency_count(fd, extent->base, extent->bytes,
					       most, &found);

	if (fd >= 0)
		residency_close(fd);
	return told ? found : most + 1;
}

/* Where one size is used in another way, others may be, too. */
static void doubt_all(void)
{
	unsigned i;

	for (i = 0; i < SIZE_CLASSES; i++)
		set(&judgements[i].waits, 0);
	__atomic_fetch_add(&sparse_doubts, 1, __ATOMIC_RELAXED);
}

/* Does address space count? Asked anew of a size that was not sparse yet. */
static bool is_limited(bool was_sparse)
{
	static uint32_t seen;
	static uint8_t limited;
	uint32_t changes = __atomic_load_n(&os_limit_changes, __ATOMIC_RELAXED);

	if (!was_sparse || __atomic_load_n(&seen, __ATOMIC_RELAXED) != changes)
		set(&limited, os_mapping_limit() != SIZE_MAX);
	__atomic_store_n(&seen, changes, __ATOMIC_RELAXED);
	return get(&limited);
}

static unsigned needed(const struct judgement *of)
{
	return get(&of->needed) ? get(&of->needed) : 1;
}

/* A look found hardly any page, or more. */
static void judge(struct judgement *of, bool hardly)
{
	unsigned row = hardly ? get(&of->row) + 1u : 0, more;

	if (hardly && row == FORGIVEN)
		set(&of->needed, 0);
	if (!hardly && get(&of->sparse)) {
		more = needed(of) * TIMES;
		set(&of->needed, more < MOST_NEEDED ? more : MOST_NEEDED);
		doubt_all();
	}
	set(&of->row, row < FORGIVEN ? row : FORGIVEN - 1);
	set(&of->sparse, row >= needed(of));
}

/* The next look: after ever more of them, while nothing changes. */
static void plan(struct judgement *of, size_t bytes, bool hardly,
		 bool was_sparse)
{
	size_t unseen = bytes > LARGER_BYTES ? LARGER_UNSEEN : MOST_UNSEEN;
	size_t most = hardly ? unseen / bytes : MOST_REST;
	size_t rest = 2u * (size_t)get(&of->rest);

	if (!rest || was_sparse != hardly)
		rest = 1;
	if (rest > MOST_REST)
		rest = MOST_REST;
	set(&of->rest, rest);
	set(&of->waits, rest < most ? rest : most);
}

/* Whole pages, one at least, so that it goes when all that waits goes. */
static size_t whole_pages(size_t bytes)
{
	return bytes ? (bytes + os_page_bytes - 1) & -os_page_bytes
		     : os_page_bytes;
}

static size_t look(const struct extent *extent, struct judgement *of)
{
	size_t pages = extent->bytes / os_page_bytes;
	size_t most = pages >> LG_SHARE;
	size_t resident = most + 1;
	bool was_sparse = get(&of->sparse);

	if (container_is_roomy() && !is_limited(was_sparse))
		resident = count_resident(extent, most);
	judge(of, resident <= most);
	plan(of, extent->bytes, resident <= most, was_sparse);
	if (resident > most || !get(&of->sparse))
		return SPARSE_NOT;
	set(&of->share, resident * SHARES / pages);
	return whole_pages(resident * os_page_bytes);
}

size_t sparse_look(const struct extent *extent)
{
	struct judgement *of;
	unsigned waits;

	/* One that is freed twice may be anything by now. */
	if (extent->bytes < LEAST_BYTES || extent->bytes > MOST_BYTES ||
	    extent->size_class >= SIZE_CLASSES || !extent->fresh ||
	    extent->emptied || extent->huge)
		return SPARSE_NOT;
	of = &judgements[extent->size_class];
	waits = get(&of->waits);
	if (!waits)
		return look(extent, of);
	set(&of->waits, waits - 1);
	if (!get(&of->sparse))
		return SPARSE_NOT;
	return whole_pages(extent->bytes / SHARES * (get(&of->share) + 1u));
}
