/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Customers' sessions: a hash map with expiry. A session begins with a
 * customer's first payment and ends when no other has come for a while. Time
 * is counted in payments. Any thread may call.
 */
#ifndef PAYMENTS_SESSION_H
#define PAYMENTS_SESSION_H

#include <stddef.h>
#include <stdint.h>

struct session_table;

/* An empty table; a session ends lifetime payments after its last use. */
struct session_table *session_table_new(uint64_t lifetime);
void session_table_free(struct session_table *table);

/*
 * Notes that the customer pays now: opens a session, or prolongs it and adds
 * item_bytes to its basket. Ends a few sessions whose time is over.
 */
void session_touch(struct session_table *table, uint64_t customer,
		   size_t item_bytes, uint64_t now);

/* Sessions open now. */
size_t session_count(struct session_table *table);

#endif
