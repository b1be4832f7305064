/* SPDX-License-Identifier: BSD-2-Clause */
/* A queue of entries, and the thread that writes them into blocks. */
#include "journal.h"

#include "subsystem.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_BYTES = 64 << 10,
	BLOCKS_KEPT = 192,
	QUEUE_LIMIT = 4096,
};

struct journal {
	/* The thread's alone. */
	struct subsystem memory;
	char *blocks[BLOCKS_KEPT]; /* a ring; NULL where not yet used */
	size_t current;
	size_t used; /* bytes of the current block */
	struct journal_totals totals;
	pthread_t thread;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t posted;
	pthread_cond_t drained;
	struct journal_entry *queue; /* newest first */
	size_t queued;
	bool closing;
};

static void begin_block(struct journal *journal)
{
	journal->current = (journal->current + 1) % BLOCKS_KEPT;
	subsystem_free(&journal->memory, journal->blocks[journal->current]);
	journal->blocks[journal->current] =
		subsystem_allocate(&journal->memory, BLOCK_BYTES);
	journal->used = 0;
}

static void write_entry(struct journal *journal, struct journal_entry *entry)
{
	size_t bytes = sizeof(entry->payment) + entry->text_bytes;
	char *at;

	if (!journal->blocks[journal->current] ||
	    BLOCK_BYTES - journal->used < bytes)
		begin_block(journal);
	at = journal->blocks[journal->current] + journal->used;
	memcpy(at, &entry->payment, sizeof(entry->payment));
	memcpy(at + sizeof(entry->payment), entry->text, entry->text_bytes);
	journal->used += bytes;
	journal->totals.entries++;
	journal->totals.amount_cents += entry->amount_cents;
	free(entry);
}

/* All that is queued; NULL once the journal closes and nothing is left. */
static struct journal_entry *take_queue(struct journal *journal)
{
	struct journal_entry *taken;

	pthread_mutex_lock(&journal->lock);
	while (!journal->queue && !journal->closing)
		pthread_cond_wait(&journal->posted, &journal->lock);
	taken = journal->queue;
	journal->queue = NULL;
	journal->queued = 0;
	pthread_cond_broadcast(&journal->drained);
	pthread_mutex_unlock(&journal->lock);
	return taken;
}

static void *journal_main(void *argument)
{
	struct journal *journal = argument;
	struct journal_entry *entry;

	pthread_setname_np(pthread_self(), "ledger");
	while ((entry = take_queue(journal))) {
		while (entry) {
			struct journal_entry *next = entry->next;

			write_entry(journal, entry);
			entry = next;
		}
	}
	return NULL;
}

static void journal_free(struct journal *journal)
{
	for (unsigned i = 0; i < BLOCKS_KEPT; i++)
		subsystem_free(&journal->memory, journal->blocks[i]);
	pthread_mutex_destroy(&journal->lock);
	pthread_cond_destroy(&journal->posted);
	pthread_cond_destroy(&journal->drained);
	free(journal);
}

struct journal *journal_open(void)
{
	struct journal *journal = allocate(sizeof(struct journal));
	int error;

	memset(journal, 0, sizeof(struct journal));
	subsystem_open(&journal->memory, "journal");
	pthread_mutex_init(&journal->lock, NULL);
	pthread_cond_init(&journal->posted, NULL);
	pthread_cond_init(&journal->drained, NULL);
	error = pthread_create(&journal->thread, NULL, journal_main, journal);
	if (error) {
		journal_free(journal);
		errno = error;
		return NULL;
	}
	return journal;
}

struct journal_entry *journal_entry_new(size_t text_bytes)
{
	struct journal_entry *entry =
		allocate(sizeof(struct journal_entry) + text_bytes);

	entry->text_bytes = text_bytes;
	return entry;
}

void journal_post(struct journal *journal, struct journal_entry *entry)
{
	pthread_mutex_lock(&journal->lock);
	while (journal->queued >= QUEUE_LIMIT)
		pthread_cond_wait(&journal->drained, &journal->lock);
	entry->next = journal->queue;
	journal->queue = entry;
	journal->queued++;
	pthread_cond_signal(&journal->posted);
	pthread_mutex_unlock(&journal->lock);
}

struct journal_totals journal_close(struct journal *journal)
{
	struct journal_totals totals;

	pthread_mutex_lock(&journal->lock);
	journal->closing = true;
	pthread_cond_signal(&journal->posted);
	pthread_mutex_unlock(&journal->lock);
	pthread_join(journal->thread, NULL);
	totals = journal->totals;
	journal_free(journal);
	return totals;
}
