/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors of all metrics. Holds no logic but look-up.
 *
 * They are read once by every process, to be written into the ledger; so here
 * they have no more room than they need.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "liballoc/ledger/ledger.h"
#include "liballoc/ledger/metrics.h"

#define COUNTER LEDGER_COUNTER
#define GAUGE LEDGER_GAUGE
#define HISTOGRAM LEDGER_HISTOGRAM
#define COUNT LEDGER_UNIT_COUNT
#define BYTES LEDGER_UNIT_BYTES
#define NS LEDGER_UNIT_NS
#define PAGES LEDGER_UNIT_PAGES
#define MS LEDGER_UNIT_MS
#define SUM 1
#define EACH 0

struct row {
	uint8_t kind, unit, summable, section;
	uint16_t offset, count;
};

#define ROW(section, base, type, field, kind, unit, summable)                  \
 {kind,                                                                        \
  unit,                                                                        \
  summable,                                                                    \
  section,                                                                     \
  base + offsetof(type, field),                                                \
  sizeof(((type *)0)->field) / 8},
#define PROCESS(field, kind, unit, summable, help)                             \
 ROW(LEDGER_PROCESS, 0, struct process_stats, field, kind, unit, summable)
#define ARENA(field, kind, unit, summable, help)                               \
 ROW(LEDGER_ARENAS, 0, struct arena_stats, field, kind, unit, summable)
#define CLASS(field, kind, unit, summable, help)                               \
 ROW(LEDGER_ARENA_CLASSES, 0, struct class_stats, field, kind, unit, summable)
#define THREAD(field, kind, unit, summable, help)                              \
 ROW(LEDGER_THREADS, sizeof(struct ledger_thread), struct thread_stats, field, \
     kind, unit, summable)

/* clang-format off */
static const struct row metric_rows[] = {
#include "liballoc/ledger/metrics.def"
};

#undef PROCESS
#undef ARENA
#undef CLASS
#undef THREAD
#define TEXTS(field, kind, unit, summable, help) #field "\0" help "\0"
#define PROCESS TEXTS
#define ARENA TEXTS
#define CLASS TEXTS
#define THREAD TEXTS

/* The name and the help of each, one behind the other. */
static const char metric_texts[] =
#include "liballoc/ledger/metrics.def"
	;
/* clang-format on */

unsigned ledger_metric_count(void)
{
	return sizeof(metric_rows) / sizeof(metric_rows[0]);
}

/* The text there, which has room for size bytes; where the next one begins. */
static const char *take_text(const char *at, char *to, size_t size)
{
	size_t length = strlen(at);

	memcpy(to, at, length < size ? length : size - 1);
	return at + length + 1;
}

__attribute__((cold)) void
ledger_metrics_describe(struct ledger_metric *metrics)
{
	const char *at = metric_texts;

	for (unsigned i = 0; i < ledger_metric_count(); i++) {
		const struct row *row = &metric_rows[i];
		struct ledger_metric *metric = &metrics[i];

		at = take_text(at, metric->name, sizeof(metric->name));
		at = take_text(at, metric->help, sizeof(metric->help));
		metric->kind = row->kind;
		metric->unit = row->unit;
		metric->summable = row->summable;
		metric->section = row->section;
		metric->offset = row->offset;
		metric->count = row->count;
	}
}

const struct ledger_metric *ledger_metric_find(unsigned section,
					       const char *name)
{
	const struct ledger_metric *metrics = ledger_rows(LEDGER_METRICS);

	for (unsigned i = 0; i < ledger_metric_count(); i++)
		if (metrics[i].section == section &&
		    strcmp(metrics[i].name, name) == 0)
			return &metrics[i];
	return NULL;
}

uint64_t ledger_metric_get(const struct ledger_metric *metric, unsigned row)
{
	return ledger_metric_word(metric, row, 0);
}

uint64_t ledger_metric_word(const struct ledger_metric *metric, unsigned row,
			    unsigned word)
{
	const struct ledger_section *section =
		&ledger_header()->sections[metric->section];
	const uint8_t *at = (const uint8_t *)ledger_header() + section->offset +
			    (size_t)row * section->stride + metric->offset +
			    word * sizeof(uint64_t);

	return ledger_get((const uint64_t *)(const void *)at);
}
