/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal of the ledger: gateways post entries, and a thread of the
 * journal's own writes them into blocks, of which the newest are kept. So
 * what one thread allocates another frees. Any thread may post.
 */
#ifndef PAYMENTS_JOURNAL_H
#define PAYMENTS_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

struct journal;

struct journal_entry {
	struct journal_entry *next; /* the journal's */
	uint64_t payment;
	uint64_t amount_cents;
	size_t text_bytes;
	char text[];
};

struct journal_totals {
	uint64_t entries;
	uint64_t amount_cents;
};

/* Starts the thread; NULL, with errno, where it cannot. */
struct journal *journal_open(void);

/* An entry to fill in and post, with room for text_bytes. */
struct journal_entry *journal_entry_new(size_t text_bytes);
/* Hands the entry over; waits while the thread is far behind. */
void journal_post(struct journal *journal, struct journal_entry *entry);

/* Writes all that was posted, ends the thread and frees the journal. */
struct journal_totals journal_close(struct journal *journal);

#endif
