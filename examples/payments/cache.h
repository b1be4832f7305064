/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of merchants' risk profiles: bounded in bytes, the least recently
 * used goes first. Any thread may call.
 */
#ifndef PAYMENTS_CACHE_H
#define PAYMENTS_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct cache;

/* An empty cache that holds up to capacity bytes of profiles. */
struct cache *cache_new(size_t capacity);
void cache_free(struct cache *cache);

/*
 * The merchant's risk, from 0 to 255: from the cached profile, or from one
 * that is loaded. It depends on the merchant alone.
 */
unsigned cache_risk(struct cache *cache, uint64_t merchant);

size_t cache_bytes(struct cache *cache);

#endif
