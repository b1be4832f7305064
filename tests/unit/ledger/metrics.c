/* SPDX-License-Identifier: BSD-2-Clause */
/* Each word of each *_stats struct is described exactly once. */
#include "config.h"

#include "liballoc/ledger/ledger.h"
#include "liballoc/ledger/metrics.h"
#include "tap/tap.h"

static void check_covered(unsigned section, size_t base, size_t bytes,
			  const char *what)
{
	unsigned seen[256] = {0};
	bool good = bytes % 8 == 0 && bytes / 8 <= 256 &&
		    ledger_metric_count() <= 256;
	static struct ledger_metric metrics[256];

	ledger_metrics_describe(metrics);
	for (unsigned i = 0; i < ledger_metric_count(); i++) {
		const struct ledger_metric *m = &metrics[i];

		if (m->section != section)
			continue;
		for (unsigned w = 0; w < m->count; w++) {
			size_t at = m->offset + 8 * (size_t)w;

			if (at < base || at >= base + bytes || at % 8 != 0)
				good = false;
			else
				seen[(at - base) / 8]++;
		}
	}
	for (size_t w = 0; w < bytes / 8; w++) {
		if (seen[w] != 1)
			tap_line("# word %zu described %u times\n", w, seen[w]);
		good = good && seen[w] == 1;
	}
	ok(good, "each word of %s is described once", what);
}

static void check_texts(void)
{
	const struct ledger_metric *metrics = ledger_rows(LEDGER_METRICS);
	bool unique = true, whole = true;

	for (unsigned i = 0; i < ledger_metric_count(); i++) {
		const struct ledger_metric *m = &metrics[i];
		size_t length = strnlen(m->help, sizeof(m->help));

		unique = unique && ledger_metric_find(m->section, m->name) == m;
		/* Those that were cut would fill it. */
		whole = whole && strlen(m->name) < sizeof(m->name) - 1 &&
			length > 0 && length < sizeof(m->help) - 1 &&
			m->help[length - 1] != '.' && m->kind >= 1 &&
			m->kind <= LEDGER_HISTOGRAM && m->unit >= 1 &&
			m->unit <= LEDGER_UNIT_MS && m->summable <= 1;
	}
	ok(unique, "names are unique in their section");
	ok(whole, "each has a name, a help of one clause, a kind and a unit");
}

int main(void)
{
	const struct ledger_metric *lifetime;

	plan(10);
	check_covered(LEDGER_PROCESS, 0, sizeof(struct process_stats),
		      "process_stats");
	check_covered(LEDGER_ARENAS, 0, sizeof(struct arena_stats),
		      "arena_stats");
	check_covered(LEDGER_ARENA_CLASSES, 0, sizeof(struct class_stats),
		      "class_stats");
	check_covered(LEDGER_THREADS, sizeof(struct ledger_thread),
		      sizeof(struct thread_stats), "thread_stats");
	ledger_boot(1 << 20);
	check_texts();
	ledger_arena(1)->dirty = 4096;
	is_uint(ledger_metric_get(ledger_metric_find(LEDGER_ARENAS, "dirty"),
				  1),
		4096, "an arena's word is read by its name");
	ledger_thread_stats(1)->samples = 7;
	is_uint(ledger_metric_get(ledger_metric_find(LEDGER_THREADS, "samples"),
				  1),
		7, "a thread's word is read by its name");
	lifetime = ledger_metric_find(LEDGER_PROCESS, "sample_lifetime_ns");
	for (unsigned i = 0; i < 3; i++)
		ledger_add_bucket(ledger_process()->sample_lifetime_ns,
				  LEDGER_LIFE_BUCKETS, 1 << 10 | i);
	ledger_add_bucket(ledger_process()->sample_lifetime_ns,
			  LEDGER_LIFE_BUCKETS, 0);
	ledger_add_bucket(ledger_process()->sample_lifetime_ns,
			  LEDGER_LIFE_BUCKETS, UINT64_MAX);
	ok(ledger_metric_word(lifetime, 0, 10) == 3 &&
		   ledger_metric_word(lifetime, 0, 0) == 1 &&
		   ledger_metric_word(lifetime, 0, lifetime->count - 1) == 1,
	   "a histogram counts by the logarithm, the ends taking what is left");
	ok(!ledger_metric_find(LEDGER_PROCESS, "samples"),
	   "a name of another section is not found");
	return done_testing();
}
