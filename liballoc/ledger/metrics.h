/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table that describes each word of the ledger's values. Read-only; the
 * copy in the region is made of it at boot.
 */
#ifndef LIBALLOC_LEDGER_METRICS_H
#define LIBALLOC_LEDGER_METRICS_H

#include "liballoc/ledger/layout.h"

unsigned ledger_metric_count(void);
/* Describes all, in so many rows, which are zero yet. */
void ledger_metrics_describe(struct ledger_metric *metrics);

#endif
