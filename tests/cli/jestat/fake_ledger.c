/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process with a ledger whose contents are known, among them metrics that
 * no liballoc has: what jestat prints of it can be told in advance. Says
 * "ready" on stdout and waits until its input ends. With an argument N, it
 * then has N further seconds of life behind its start.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/ledger/layout.h"

#define MIB ((uint64_t)1 << 20)
#define PAGE 4096
#define REGION_BYTES ((size_t)1 << 20)
#define ARENAS 2
#define CLASSES 2
#define THREAD_WORDS 2

struct region {
	_Alignas(PAGE) struct ledger_header header;
	struct ledger_control control;
	struct ledger_metric metrics[16];
	uint64_t process[8];
	uint64_t arenas[ARENAS][8];
	struct ledger_class classes[CLASSES];
	uint64_t arena_classes[ARENAS * CLASSES][4];
	struct {
		struct ledger_thread thread;
		uint64_t words[THREAD_WORDS];
	} threads[2];
};

#define ROW(name, kind, unit, summable, section, offset, count)                \
 {                                                                             \
  name, "made up", kind, unit, summable, 0, section, offset, count             \
 }

static const struct ledger_metric metrics[] = {
	ROW("metadata", LEDGER_GAUGE, LEDGER_UNIT_BYTES, 1, LEDGER_PROCESS, 0,
	    1),
	ROW("moon_phase", LEDGER_GAUGE, LEDGER_UNIT_COUNT, 1, LEDGER_PROCESS, 8,
	    1),
	ROW("sizes_seen", LEDGER_HISTOGRAM, LEDGER_UNIT_COUNT, 1,
	    LEDGER_PROCESS, 16, 3),
	ROW("small_allocated", LEDGER_GAUGE, LEDGER_UNIT_BYTES, 1,
	    LEDGER_ARENAS, 0, 1),
	ROW("large_allocated", LEDGER_GAUGE, LEDGER_UNIT_BYTES, 1,
	    LEDGER_ARENAS, 8, 1),
	ROW("active", LEDGER_GAUGE, LEDGER_UNIT_BYTES, 1, LEDGER_ARENAS, 16, 1),
	ROW("dirty", LEDGER_GAUGE, LEDGER_UNIT_BYTES, 1, LEDGER_ARENAS, 24, 1),
	ROW("dirty_decay_ms", LEDGER_GAUGE, LEDGER_UNIT_MS, 0, LEDGER_ARENAS,
	    32, 1),
	ROW("mapped", LEDGER_GAUGE, LEDGER_UNIT_BYTES, 1, LEDGER_ARENAS, 40, 1),
	ROW("nmalloc", LEDGER_COUNTER, LEDGER_UNIT_COUNT, 1,
	    LEDGER_ARENA_CLASSES, 0, 1),
	ROW("ndalloc", LEDGER_COUNTER, LEDGER_UNIT_COUNT, 1,
	    LEDGER_ARENA_CLASSES, 8, 1),
	ROW("curslabs", LEDGER_GAUGE, LEDGER_UNIT_COUNT, 1,
	    LEDGER_ARENA_CLASSES, 16, 1),
	ROW("nmalloc", LEDGER_COUNTER, LEDGER_UNIT_COUNT, 1, LEDGER_THREADS,
	    sizeof(struct ledger_thread), 1),
	ROW("allocated", LEDGER_COUNTER, LEDGER_UNIT_BYTES, 1, LEDGER_THREADS,
	    sizeof(struct ledger_thread) + 8, 1),
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void set_section(struct region *r, unsigned id, const void *rows,
			size_t stride, size_t count)
{
	r->header.sections[id] = (struct ledger_section){
		.offset = (uint64_t)((const char *)rows - (const char *)r),
		.stride = (uint32_t)stride,
		.capacity = (uint32_t)count,
		.count = count,
	};
}

static void set_sections(struct region *r)
{
	set_section(r, LEDGER_METRICS, r->metrics, sizeof(r->metrics[0]),
		    sizeof(metrics) / sizeof(metrics[0]));
	set_section(r, LEDGER_PROCESS, r->process, sizeof(r->process), 1);
	set_section(r, LEDGER_ARENAS, r->arenas, sizeof(r->arenas[0]), ARENAS);
	set_section(r, LEDGER_CLASSES, r->classes, sizeof(r->classes[0]),
		    CLASSES);
	set_section(r, LEDGER_ARENA_CLASSES, r->arena_classes,
		    sizeof(r->arena_classes[0]), ARENAS * CLASSES);
	set_section(r, LEDGER_THREADS, r->threads, sizeof(r->threads[0]), 2);
	set_section(r, LEDGER_STACKS, r + 1, sizeof(struct ledger_stack), 0);
	set_section(r, LEDGER_FRAMES, r + 1, sizeof(uint64_t), 0);
	set_section(r, LEDGER_COUNTS, r + 1, sizeof(struct ledger_count), 0);
	set_section(r, LEDGER_SAMPLES, r + 1, sizeof(struct ledger_sample), 0);
	set_section(r, LEDGER_CONTROL, &r->control, sizeof(r->control), 1);
	set_section(r, LEDGER_LIVES, r + 1, sizeof(struct ledger_life), 0);
}

/* Allocated 3 MiB of 4 active; 1 MiB dirty, half a MiB of metadata. */
static void set_values(struct region *r)
{
	static const uint64_t process[] = {MIB / 2, 7, 1, 2, 3};
	static const uint64_t first[] = {MIB, MIB,   3 * MIB,
					 MIB, 10000, 8 * MIB};
	static const uint64_t second[] = {0, MIB, MIB, 0, (uint64_t)-1, MIB};

	memcpy(r->metrics, metrics, sizeof(metrics));
	memcpy(r->process, process, sizeof(process));
	memcpy(r->arenas[0], first, sizeof(first));
	memcpy(r->arenas[1], second, sizeof(second));
	r->classes[0] = (struct ledger_class){64, 64, PAGE};
	r->classes[1] = (struct ledger_class){65536, 0, 0};
	/* Arena 0: 100 - 36 regions of 64; arena 1: one large, 64 of 64. */
	r->arena_classes[0][0] = 100;
	r->arena_classes[0][1] = 36;
	r->arena_classes[0][2] = 2;
	r->arena_classes[CLASSES][0] = 64;
	r->arena_classes[CLASSES][2] = 2;
	r->arena_classes[CLASSES + 1][0] = 1;
	r->threads[1].thread.state = LEDGER_THREAD_LIVE;
	r->threads[1].words[0] = 5000;
	r->threads[1].words[1] = 100 * MIB;
}

static void set_header(struct region *r, uint64_t age_ns)
{
	r->header.major = LEDGER_VERSION_MAJOR;
	r->header.minor = LEDGER_VERSION_MINOR;
	r->header.header_bytes = sizeof(r->header);
	r->header.region_bytes = REGION_BYTES;
	r->header.pid = getpid();
	r->header.page_bytes = PAGE;
	r->header.start_time_ns = clock_ns(CLOCK_REALTIME) - age_ns;
	r->header.start_monotonic_ns = clock_ns(CLOCK_MONOTONIC) - age_ns;
	r->header.lg_sample = 19;
	strcpy(r->header.version, "99.1");
	r->header.section_count = LEDGER_SECTIONS;
}

/* Between guards, so that the kernel merges it with no other mapping. */
static struct region *map_region(void)
{
	uint8_t *p = mmap(NULL, REGION_BYTES + 2 * PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED ||
	    mprotect(p + PAGE, REGION_BYTES, PROT_READ | PROT_WRITE))
		return NULL;
	return (struct region *)(void *)(p + PAGE);
}

int main(int argc, char **argv)
{
	uint64_t age = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	struct region *r = map_region();

	if (!r)
		return 1;
	set_header(r, age * 1000000000);
	set_sections(r);
	set_values(r);
	__atomic_store_n(&r->header.magic, LEDGER_MAGIC, __ATOMIC_RELEASE);
	if (puts("ready") < 0 || fflush(stdout) != 0)
		return 1;
	while (getchar() != EOF)
		;
	return 0;
}
