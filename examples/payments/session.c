/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map is split into shards with a lock each. Expired sessions are looked
 * for in one bucket per call, round and round, so that no call is slow.
 */
#include "session.h"

#include "subsystem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHARDS = 16,
	BUCKETS = 2048, /* in each shard */
	BASKET_ITEMS = 12,
};

struct session {
	struct session *next;
	uint64_t customer;
	uint64_t last_use;
	unsigned items;
	char *basket[BASKET_ITEMS]; /* the last ones bought */
	char token[64];
};

struct shard {
	pthread_mutex_t lock; /* guards what follows */
	size_t count;
	size_t next_swept;
	struct session *buckets[BUCKETS];
};

struct session_table {
	struct subsystem memory;
	uint64_t lifetime;
	struct shard shards[SHARDS];
};

static struct session *session_open(const struct subsystem *memory,
				    uint64_t customer)
{
	struct session *session =
		subsystem_allocate(memory, sizeof(struct session));

	memset(session, 0, sizeof(struct session));
	session->customer = customer;
	memset(session->token, 'k', sizeof(session->token));
	return session;
}

static void session_close(const struct subsystem *memory,
			  struct session *session)
{
	for (unsigned i = 0; i < BASKET_ITEMS; i++)
		subsystem_free(memory, session->basket[i]);
	subsystem_free(memory, session);
}

static void basket_add(const struct subsystem *memory, struct session *session,
		       size_t bytes)
{
	char **item = &session->basket[session->items++ % BASKET_ITEMS];

	*item = subsystem_resize(memory, *item, bytes);
	memset(*item, 'b', bytes);
}

/* Ends the sessions of one bucket that have not been used since `before`. */
static void sweep_bucket(const struct subsystem *memory, struct shard *shard,
			 uint64_t before)
{
	struct session **link = &shard->buckets[shard->next_swept];

	shard->next_swept = (shard->next_swept + 1) % BUCKETS;
	while (*link) {
		struct session *session = *link;

		if (session->last_use >= before) {
			link = &session->next;
			continue;
		}
		*link = session->next;
		shard->count--;
		session_close(memory, session);
	}
}

static struct session *find_or_open(const struct subsystem *memory,
				    struct shard *shard, uint64_t customer)
{
	struct session **bucket = &shard->buckets[customer / SHARDS % BUCKETS];
	struct session *session = *bucket;

	while (session && session->customer != customer)
		session = session->next;
	if (!session) {
		session = session_open(memory, customer);
		session->next = *bucket;
		*bucket = session;
		shard->count++;
	}
	return session;
}

struct session_table *session_table_new(uint64_t lifetime)
{
	struct session_table *table = allocate(sizeof(struct session_table));

	memset(table, 0, sizeof(struct session_table));
	subsystem_open(&table->memory, "sessions");
	table->lifetime = lifetime;
	for (unsigned i = 0; i < SHARDS; i++)
		pthread_mutex_init(&table->shards[i].lock, NULL);
	return table;
}

void session_table_free(struct session_table *table)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		for (unsigned j = 0; j < BUCKETS; j++)
			sweep_bucket(&table->memory, &table->shards[i],
				     UINT64_MAX);
		pthread_mutex_destroy(&table->shards[i].lock);
	}
	free(table);
}

void session_touch(struct session_table *table, uint64_t customer,
		   size_t item_bytes, uint64_t now)
{
	struct shard *shard = &table->shards[customer % SHARDS];
	struct session *session;

	pthread_mutex_lock(&shard->lock);
	session = find_or_open(&table->memory, shard, customer);
	session->last_use = now;
	basket_add(&table->memory, session, item_bytes);
	if (now > table->lifetime)
		sweep_bucket(&table->memory, shard, now - table->lifetime);
	pthread_mutex_unlock(&shard->lock);
}

size_t session_count(struct session_table *table)
{
	size_t count = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&table->shards[i].lock);
		count += table->shards[i].count;
		pthread_mutex_unlock(&table->shards[i].lock);
	}
	return count;
}
