/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cache of free objects, one stack of pointers a class; the objects are
 * never touched. A thread has one of its own, and a program may make more.
 * One thread at a time may use a cache; nothing here locks it.
 */
#ifndef LIBALLOC_HEAP_CACHE_H
#define LIBALLOC_HEAP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liballoc/heap/apart.h"
#include "liballoc/heap/large_cache.h"
#include "liballoc/heap/size_class.h"

struct arena;

/*
 * The newest object is at hand in the bin, too, so that taking it waits for one
 * load less, and the one that follows it is fetched meanwhile.
 *
 * word: bits 0-15 the objects, bits 16-63 the objects ever taken by the
 * program. So taking one adds CACHE_WORD_POP, and counting is free. Objects <=
 * capacity, and limit <= capacity; a lowered limit may lie below the objects
 * for a while.
 */
struct cache_bin {
	void *top; /* slots[objects]; means nothing where there is none */
	uint64_t word;
	void **slots;	   /* [1, objects] are the objects, the newest last */
	uint32_t bytes;	   /* of an object */
	uint16_t limit;	   /* objects it may hold now; 0: off, or none yet */
	uint16_t capacity; /* of slots, beside the first */
};
#define CACHE_WORD_POP UINT64_C(0xffff)

/* What only the slow paths need. */
struct cache_bin_account {
	uint64_t filled;	   /* objects from the arena */
	uint64_t flushed;	   /* objects back to it */
	uint64_t served_published; /* of those taken, told to the ledger */
	uint64_t served_at_trim;   /* when the bin was last looked at */
	uint32_t waited;	   /* excess seen since it was last trimmed */
	uint32_t served_at_slow;   /* at the last fill or flush; low bits */
	uint16_t got;		   /* objects of that fill; 0: it was a flush */
	uint16_t most;
	bool drained; /* filled since it was last too full */
	bool bounded; /* by the program, to most objects */
};

struct cache {
	/* By slot, 1 + the class; the first has no room and no object. */
	struct cache_bin bins[CACHED_CLASSES + 1]
		__attribute__((aligned(sizeof(struct cache_bin))));
	unsigned class_count; /* bins [0, class_count) may be used; 0: off */
	unsigned trim_next;
	size_t limit_bytes;	  /* what all bins together may hold now */
	size_t moved_bytes;	  /* that came and went by the slow paths */
	struct large_cache large; /* what no bin holds */
	struct apart *apart;	  /* for samples; NULL: nothing is kept */
	/* Its small objects are of automatic arenas, and may go anywhere. */
	bool exchanges;
	uint8_t lane; /* of the exchange, below EXCHANGE_LANES */
	/* Last: a thread that does little has all else in one page. */
	struct cache_bin_account accounts[CACHED_CLASSES];
};

static inline struct cache_bin *cache_bin(struct cache *cache,
					  unsigned size_class)
{
	return &cache->bins[size_class + 1];
}

static inline unsigned cache_count(const struct cache_bin *bin)
{
	return (uint16_t)bin->word;
}

static inline uint64_t cache_served(const struct cache_bin *bin)
{
	return bin->word >> 16;
}

/* Takes an object, or NULL. */
static inline void *cache_pop(struct cache_bin *bin)
{
	uint64_t word = bin->word;
	void *object;

	if (!(uint16_t)word)
		return NULL;
	object = bin->top;
	if (!object)
		__builtin_unreachable(); /* so that callers need not look */
	bin->top = bin->slots[(uint16_t)word - 1];
	bin->word = word + CACHE_WORD_POP;
	return object;
}

/* Puts an object in; false where there is no room. */
static inline bool cache_push(struct cache_bin *bin, void *object)
{
	uint64_t word = bin->word;

	if ((uint16_t)word >= bin->limit)
		return false;
	bin->slots[(uint16_t)word + 1] = object;
	bin->top = object;
	bin->word = word + 1;
	return true;
}

/* A zeroed cache becomes an empty one, for objects up to max_bytes. */
void cache_init(struct cache *cache, size_t max_bytes);
/*
 * The most objects of the class that the cache may come to hold, and the
 * program's own bound for it, for good: what is above goes back. The class is
 * below CACHED_CLASSES.
 */
unsigned cache_bound(struct cache *cache, unsigned size_class);
void cache_set_bound(struct cache *cache, unsigned size_class, unsigned most);
/* Flushes all, and frees what the cache itself took. */
void cache_fini(struct cache *cache, struct arena *arena);

/* As cache_pop, filling from arena where need be; NULL: memory is short. */
void *cache_take(struct cache *cache, unsigned size_class, struct arena *arena);
/* As cache_push, flushing where need be; false: the class is not cached. */
bool cache_give(struct cache *cache, unsigned size_class, void *object);
/* Gives all objects back. arena: whose ledger the counts go to. */
void cache_flush(struct cache *cache, struct arena *arena);
/* Looks at the next few bins, and gives back what they did not need. */
void cache_trim(struct cache *cache, struct arena *arena);

/* Tells the ledger what the cache served; for arena. */
void cache_publish(struct cache *cache, struct arena *arena);

/* Bytes that lie in the cache. */
size_t cache_bytes(const struct cache *cache);

#endif
