/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Declined payments, kept for a retry. With a leak rate above 0 nothing ever
 * takes them off the list again: this is the leak to be found. Any thread may
 * call.
 */
#ifndef PAYMENTS_DECLINES_H
#define PAYMENTS_DECLINES_H

#include <stddef.h>
#include <stdint.h>

struct declines;

/* leak_rate: bytes per second that stay behind; 0: none do. */
struct declines *declines_new(uint64_t leak_rate);
void declines_free(struct declines *declines);

/* Keeps the request of a declined payment. */
void declines_remember(struct declines *declines, const char *request,
		       size_t bytes);

#endif
