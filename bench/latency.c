/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency [PERCENT]: prints lines "NAME NANOSECONDS" of malloc and free on one
 * thread: pairs of one size, stacks, random order and random sizes, timed as a
 * whole; and percentiles of single calls over mixed sizes, timed one by one by
 * the counter of cycles, whose own price is subtracted. PERCENT (100) scales
 * the work. Each figure of a whole is the best of several runs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	RUNS = 5,
	STACK = 1000,
	SET = 10000,
	CALLS = 400000,
	KIB = 1024,
};

static uint64_t state = 88172645463325252;
static void *set[SET];
static uint32_t malloc_ticks[CALLS], free_ticks[CALLS];

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Keeps the compiler from removing a pair whose memory is never read. */
static void *opaque(void *memory)
{
	__asm__ volatile("" : "+r"(memory)::"memory");
	return memory;
}

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uint64_t ticks(void)
{
#if defined(__x86_64__)
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence"
			 : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
	uint64_t count;

	__asm__ volatile("isb; mrs %0, cntvct_el0; isb"
			 : "=r"(count)::"memory");
	return count;
#else
	return (uint64_t)now_ns();
#endif
}

/* Half up to 128 bytes, most of the rest below 1 KiB, one in 64 to 32 KiB. */
static size_t mixed_size(void)
{
	uint64_t random = next_random();
	unsigned kind = random >> 40 & 63;

	if (kind == 0)
		return 1024 + random % (31 * KIB);
	if (kind < 32)
		return 128 + random % 896;
	return 8 + random % 120;
}

static void pairs(size_t bytes, size_t count)
{
	while (count--)
		free(opaque(malloc(bytes)));
}

static void stacks(size_t bytes, size_t count)
{
	for (; count >= STACK; count -= STACK) {
		for (unsigned i = 0; i < STACK; i++)
			set[i] = opaque(malloc(bytes));
		for (unsigned i = STACK; i-- > 0;)
			free(set[i]);
	}
}

/* Replaces objects at random; 0 bytes stands for mixed sizes. */
static void replace(size_t bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t place = next_random() % SET;

		free(set[place]);
		set[place] = opaque(malloc(bytes ? bytes : mixed_size()));
	}
	for (size_t i = 0; i < SET; i++) {
		free(set[i]);
		set[i] = NULL;
	}
}

static const struct whole {
	const char *name;
	void (*run)(size_t bytes, size_t count);
	size_t bytes, count;
} wholes[] = {
	{"pair-16", pairs, 16, 8000000},
	{"pair-64", pairs, 64, 8000000},
	{"pair-1k", pairs, KIB, 8000000},
	{"pair-32k", pairs, 32 * KIB, 2000000},
	{"pair-1m", pairs, KIB *KIB, 100000},
	{"lifo-64", stacks, 64, 6000000},
	{"random-64", replace, 64, 3000000},
	{"random-mixed", replace, 0, 3000000},
};

static void print_whole(const struct whole *whole, unsigned percent)
{
	size_t count = whole->count / 100 * percent;
	double least = 0;

	for (unsigned i = 0; i < RUNS; i++) {
		double start = now_ns(), each;

		whole->run(whole->bytes, count);
		each = (now_ns() - start) / (double)count;
		if (i == 0 || each < least)
			least = each;
	}
	printf("%s %.2f\n", whole->name, least);
	for (size_t i = 0; i < STACK; i++)
		set[i] = NULL;
}

static int compare(const void *one, const void *two)
{
	const uint32_t *a = one, *b = two;

	return (*a > *b) - (*a < *b);
}

/* The median price of reading the counter twice. */
static uint32_t timer_ticks(void)
{
	enum { READS = 10001 };

	for (unsigned i = 0; i < READS; i++) {
		uint64_t start = ticks();

		malloc_ticks[i] = (uint32_t)(ticks() - start);
	}
	qsort(malloc_ticks, READS, sizeof(malloc_ticks[0]), compare);
	return malloc_ticks[READS / 2];
}

static double ticks_per_ns(void)
{
	double start = now_ns(), end;
	uint64_t first = ticks();

	do {
		end = now_ns();
	} while (end < start + 2e7);
	return (double)(ticks() - first) / (end - start);
}

static void print_percentiles(const char *name, uint32_t *calls, size_t count,
			      uint32_t timer, double per_ns)
{
	static const struct {
		const char *name;
		double share;
	} marks[] = {{"p50", .5}, {"p99", .99}, {"p99.9", .999}};

	qsort(calls, count, sizeof(calls[0]), compare);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t place = (size_t)((double)count * marks[i].share);
		uint32_t call = calls[place];

		call = call > timer ? call - timer : 0;
		printf("%s-%s %.1f\n", name, marks[i].name,
		       (double)call / per_ns);
	}
}

static void time_calls(size_t count)
{
	double per_ns = ticks_per_ns();
	uint32_t timer = timer_ticks();

	for (size_t i = 0; i < count; i++) {
		size_t place = next_random() % SET, bytes = mixed_size();
		uint64_t start = ticks(), middle;

		free(set[place]);
		middle = ticks();
		set[place] = opaque(malloc(bytes));
		malloc_ticks[i] = (uint32_t)(ticks() - middle);
		free_ticks[i] = (uint32_t)(middle - start);
	}
	print_percentiles("malloc", malloc_ticks, count, timer, per_ns);
	print_percentiles("free", free_ticks, count, timer, per_ns);
	printf("timer %.1f\n", (double)timer / per_ns);
}

int main(int argc, char **argv)
{
	unsigned percent = argc > 1 ? (unsigned)atoi(argv[1]) : 100;

	if (percent < 1 || percent > 100) {
		fputs("Usage: latency [PERCENT]\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
		print_whole(&wholes[i], percent);
	time_calls(CALLS / 100 * percent);
	return 0;
}
