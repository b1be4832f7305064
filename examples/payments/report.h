/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settlement reports: now and then a large text is built in a buffer that
 * grows, and the last few reports are kept for download. Any thread may call.
 */
#ifndef PAYMENTS_REPORT_H
#define PAYMENTS_REPORT_H

#include <stddef.h>
#include <stdint.h>

struct report_archive;

struct report_archive *report_archive_new(void);
void report_archive_free(struct report_archive *archive);

/* Builds a report of that many lines and keeps it in place of the oldest. */
void report_settlement(struct report_archive *archive, uint64_t id,
		       size_t lines);

#endif
