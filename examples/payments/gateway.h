/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gateway: a thread that takes payments in bursts and leads each through
 * the subsystems. What it pays, and to whom, follows from its seed alone.
 */
#ifndef PAYMENTS_GATEWAY_H
#define PAYMENTS_GATEWAY_H

#include "cache.h"
#include "declines.h"
#include "journal.h"
#include "report.h"
#include "session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What the gateways share. */
struct service {
	struct session_table *sessions;
	struct cache *cache;
	struct journal *journal;
	struct report_archive *reports;
	struct declines *declines;
	_Atomic uint64_t taken; /* payments so far; the service's clock */
	_Atomic bool stop;
};

struct gateway {
	/* Set by the caller. */
	struct service *service;
	unsigned index;
	uint64_t seed;
	uint64_t payments; /* to take; 0: until service->stop */
	uint64_t rate;	   /* payments per second; 0: no pauses */

	/* Valid once the thread has ended. */
	uint64_t approved;
	uint64_t declined;
	uint64_t approved_cents;

	pthread_t thread;
};

/* Starts the gateway's thread; an errno where it cannot. */
int gateway_start(struct gateway *gateway);
/* Waits for its end. */
void gateway_join(struct gateway *gateway);

#endif
