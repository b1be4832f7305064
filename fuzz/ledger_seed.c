/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_seed PID ROWS: writes the ledger of a process to stdout with at most
 * ROWS rows of each section, close together, as a seed for ledger_reader.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "libjeheap/target/target.h"

#define WANT_ALL (LEDGER_WANT_STATS | LEDGER_WANT_PROFILE)

static bool write_seed(struct ledger_view *view, uint64_t most)
{
	struct ledger_header *h = &view->header;
	uint64_t end = sizeof(*h);

	for (unsigned i = 0; i < LEDGER_SECTIONS; i++) {
		struct ledger_section *s = &h->sections[i];

		s->count = view->count[i] < most ? view->count[i] : most;
		if (i == LEDGER_METRICS || i == LEDGER_CLASSES)
			s->count = view->count[i];
		s->capacity = (uint32_t)s->count;
		s->offset = end;
		end += s->count * s->stride;
	}
	h->header_bytes = sizeof(*h);
	h->section_count = LEDGER_SECTIONS;
	h->region_bytes = end;
	if (fwrite(h, sizeof(*h), 1, stdout) != 1)
		return false;
	for (unsigned i = 0; i < LEDGER_SECTIONS; i++) {
		size_t bytes = h->sections[i].count * h->sections[i].stride;

		if (bytes && fwrite(view->rows[i], bytes, 1, stdout) != 1)
			return false;
	}
	return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	struct arena arena = {0};
	struct ledger_view view;
	struct diag diag = {0};
	struct target target;
	bool good;

	if (argc != 3)
		return 2;
	if (!target_open(&target, atoi(argv[1]), &diag)) {
		diag_print("ledger_seed", &diag);
		return 2;
	}
	good = target_read_ledger(&target, WANT_ALL, &arena, &view, &diag);
	if (good)
		good = write_seed(&view, strtoull(argv[2], NULL, 0));
	else
		diag_print("ledger_seed", &diag);
	target_close(&target);
	arena_free(&arena);
	return good ? 0 : 2;
}
