/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small ledger made by hand, after liballoc/ledger/layout.h alone, for tests
 * of its readers: two threads, two stacks, three size classes.
 */
#ifndef TESTS_UNIT_TARGET_REGION_H
#define TESTS_UNIT_TARGET_REGION_H

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "liballoc/ledger/layout.h"

#define REGION_LG_SAMPLE 12

/* The rows, where the header's sections say they are. */
struct region {
	alignas(4096) struct ledger_header header;
	struct ledger_metric metrics[6];
	/* prof_dropped_samples, prof_dropped_bytes, and of the peak. */
	uint64_t process[5];
	uint64_t arenas[2][4];
	struct ledger_class classes[3];
	struct ledger_thread threads[3];
	struct ledger_stack stacks[2];
	uint64_t frames[5];
	struct ledger_count counts[4];
	struct ledger_sample samples[4];
	struct ledger_control control[1];
	struct ledger_life lives[2]; /* fewer than counts */
};

static inline void region_section(struct region *r, unsigned id, size_t offset,
				  size_t bytes, uint32_t stride)
{
	r->header.sections[id] = (struct ledger_section){
		.offset = offset,
		.stride = stride,
		.capacity = (uint32_t)(bytes / stride),
		.count = bytes / stride,
	};
}

#define REGION_SECTION(r, id, field)                                           \
 region_section((r), (id), offsetof(struct region, field), sizeof((r)->field), \
		sizeof((r)->field[0]))

static inline void region_metric(struct ledger_metric *m, const char *name,
				 uint32_t section, uint32_t offset)
{
	memset(m, 0, sizeof(*m));
	strncpy(m->name, name, sizeof(m->name) - 1);
	m->kind = LEDGER_COUNTER;
	m->unit = LEDGER_UNIT_COUNT;
	m->summable = 1;
	m->section = section;
	m->offset = offset;
	m->count = 1;
}

static inline void region_fill_tables(struct region *r)
{
	region_metric(&r->metrics[0], "prof_dropped_samples", LEDGER_PROCESS,
		      0);
	region_metric(&r->metrics[1], "prof_dropped_bytes", LEDGER_PROCESS, 8);
	region_metric(&r->metrics[2], "active", LEDGER_ARENAS, 16);
	region_metric(&r->metrics[3], "prof_peaks", LEDGER_PROCESS, 16);
	region_metric(&r->metrics[4], "prof_peak_bytes", LEDGER_PROCESS, 24);
	region_metric(&r->metrics[5], "prof_peak_ns", LEDGER_PROCESS, 32);
	r->process[2] = 9;
	r->process[3] = 1000000;
	r->process[4] = 5000;
	r->process[0] = 7;
	r->process[1] = 7000;
	r->arenas[0][2] = 100;
	r->arenas[1][2] = 23;
	r->classes[0] = (struct ledger_class){64, 64, 4096};
	r->classes[1] = (struct ledger_class){1024, 16, 16384};
	r->classes[2] = (struct ledger_class){1 << 20, 0, 0};
	r->threads[0] = (struct ledger_thread){LEDGER_OTHER_THREADS, 0,
					       LEDGER_THREAD_LIVE, "other", 0};
	r->threads[1] =
		(struct ledger_thread){0, 100, LEDGER_THREAD_LIVE, "main", 2};
	r->threads[2] = (struct ledger_thread){5, 105, LEDGER_THREAD_EXITED,
					       "worker", 2};
}

static inline void region_fill_samples(struct region *r)
{
	static const uint64_t frames[] = {0x401001, 0x401101, 0x401201,
					  0x401301, 0x401101};

	memcpy(r->frames, frames, sizeof(frames));
	r->stacks[0] = (struct ledger_stack){1, 0, 3};
	r->stacks[1] = (struct ledger_stack){2, 3, 2};
	/*
	 * Small ones, of which one is free; large ones; an empty row. The
	 * second has not changed since the last peak, but since another; the
	 * third has.
	 */
	r->counts[0] = (struct ledger_count){
		1, 1, 0, REGION_LG_SAMPLE, 3, 192, 1, 64, 180, 1, 0, 0, 0,
		0, 0, 0};
	r->lives[0].words[5] = 1;
	r->counts[1] = (struct ledger_count){
		0, 2, 1, REGION_LG_SAMPLE, 2, 2048, 0, 0, 2000, 0, 8, 1, 1024,
		0, 0, 0};
	r->counts[2] = (struct ledger_count){
		0, 1, 2, REGION_LG_SAMPLE, 2, 1500000, 0, 0, 1499000,
		0, 9, 3, 2700000,	   0, 0,       0};
	for (unsigned i = 0; i < 3; i++) {
		struct ledger_sample *s = &r->samples[i];

		*s = (struct ledger_sample){
			0x7f0000001000 + i * 64, 64, 60, 1000 + i, 0, 0};
		s->check = ledger_sample_check(s);
	}
}

static inline void region_fill(struct region *r)
{
	struct ledger_header *h = &r->header;

	memset(r, 0, sizeof(*r));
	h->major = LEDGER_VERSION_MAJOR;
	h->minor = LEDGER_VERSION_MINOR;
	h->header_bytes = sizeof(*h);
	h->region_bytes = sizeof(*r);
	h->pid = 4321;
	h->page_bytes = 4096;
	h->start_time_ns = UINT64_C(1700000000000000000);
	h->generation = 2;
	h->flags = LEDGER_PROF | LEDGER_PROF_ACTIVE | LEDGER_PROF_ACCUM;
	h->lg_sample = REGION_LG_SAMPLE;
	strncpy(h->version, "1.2.3", sizeof(h->version) - 1);
	h->section_count = LEDGER_SECTIONS;
	REGION_SECTION(r, LEDGER_METRICS, metrics);
	region_section(r, LEDGER_PROCESS, offsetof(struct region, process),
		       sizeof(r->process), sizeof(r->process));
	REGION_SECTION(r, LEDGER_ARENAS, arenas);
	REGION_SECTION(r, LEDGER_CLASSES, classes);
	region_section(r, LEDGER_ARENA_CLASSES, offsetof(struct region, arenas),
		       0, 8);
	REGION_SECTION(r, LEDGER_THREADS, threads);
	REGION_SECTION(r, LEDGER_STACKS, stacks);
	REGION_SECTION(r, LEDGER_FRAMES, frames);
	REGION_SECTION(r, LEDGER_COUNTS, counts);
	REGION_SECTION(r, LEDGER_SAMPLES, samples);
	REGION_SECTION(r, LEDGER_LIVES, lives);
	REGION_SECTION(r, LEDGER_CONTROL, control);
	region_fill_tables(r);
	region_fill_samples(r);
	h->magic = LEDGER_MAGIC;
}

#endif
