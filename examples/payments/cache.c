/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash map and a doubly linked list over the same entries, under a lock. */
#include "cache.h"

#include "random.h"
#include "subsystem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct profile {
	struct profile *hash_next;
	struct profile *newer; /* towards the most recently used */
	struct profile *older;
	uint64_t merchant;
	size_t bytes; /* of this struct, scores included */
	unsigned char scores[];
};

struct cache {
	struct subsystem memory;
	size_t capacity;
	pthread_mutex_t lock; /* guards what follows */
	size_t bytes;
	struct profile *newest;
	struct profile *oldest;
	struct profile *buckets[BUCKETS];
};

static struct profile *profile_load(const struct subsystem *memory,
				    uint64_t merchant)
{
	struct random random = {merchant};
	size_t scores = random_between(&random, 512, 8192);
	struct profile *profile =
		subsystem_allocate(memory, sizeof(struct profile) + scores);

	profile->merchant = merchant;
	profile->bytes = sizeof(struct profile) + scores;
	memset(profile->scores, (int)(random_next(&random) & 0xff), scores);
	return profile;
}

static void unlink_used(struct cache *cache, struct profile *profile)
{
	struct profile *newer = profile->newer;
	struct profile *older = profile->older;

	*(newer ? &newer->older : &cache->newest) = older;
	*(older ? &older->newer : &cache->oldest) = newer;
}

static void link_newest(struct cache *cache, struct profile *profile)
{
	profile->newer = NULL;
	profile->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = profile;
	cache->newest = profile;
}

static struct profile **find(struct cache *cache, uint64_t merchant)
{
	struct profile **link = &cache->buckets[merchant % BUCKETS];

	while (*link && (*link)->merchant != merchant)
		link = &(*link)->hash_next;
	return link;
}

static void evict_oldest(struct cache *cache)
{
	struct profile *profile = cache->oldest;

	unlink_used(cache, profile);
	*find(cache, profile->merchant) = profile->hash_next;
	cache->bytes -= profile->bytes;
	subsystem_free(&cache->memory, profile);
}

static struct profile *cache_insert(struct cache *cache, uint64_t merchant)
{
	struct profile *profile = profile_load(&cache->memory, merchant);
	struct profile **bucket;

	while (cache->oldest && cache->bytes + profile->bytes > cache->capacity)
		evict_oldest(cache);
	bucket = &cache->buckets[merchant % BUCKETS];
	profile->hash_next = *bucket;
	*bucket = profile;
	cache->bytes += profile->bytes;
	return profile;
}

struct cache *cache_new(size_t capacity)
{
	struct cache *cache = allocate(sizeof(struct cache));

	memset(cache, 0, sizeof(struct cache));
	subsystem_open(&cache->memory, "cache");
	cache->capacity = capacity;
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void cache_free(struct cache *cache)
{
	while (cache->oldest)
		evict_oldest(cache);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

unsigned cache_risk(struct cache *cache, uint64_t merchant)
{
	struct profile *profile;
	unsigned risk;

	pthread_mutex_lock(&cache->lock);
	profile = *find(cache, merchant);
	if (profile)
		unlink_used(cache, profile);
	else
		profile = cache_insert(cache, merchant);
	link_newest(cache, profile);
	risk = profile->scores[0];
	pthread_mutex_unlock(&cache->lock);
	return risk;
}

size_t cache_bytes(struct cache *cache)
{
	size_t bytes;

	pthread_mutex_lock(&cache->lock);
	bytes = cache->bytes;
	pthread_mutex_unlock(&cache->lock);
	return bytes;
}
