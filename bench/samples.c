/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples [DEPTH...]: what a walk costs for each frame, and what a sampled
 * malloc and free cost, at stacks of so many frames (1, 8, 32, 128), beside
 * libgcc's and libunwind's walks and those by frame pointers. Nanoseconds, the
 * best of some rounds.
 * samples pair DEPTH COUNT [BYTES]: COUNT sampled pairs and nothing else, for
 * counting their instructions.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unwind.h>

#if defined(HAVE_LIBUNWIND)
# define UNW_LOCAL_ONLY
# include <libunwind.h>
#endif

#include "liballoc/prof/prof.h"
#include "liballoc/prof/unload.h"
#include "liballoc/prof/unwind/framed.h"
#include "liballoc/prof/unwind/rules.h"
#include "liballoc/prof/unwind/unwind.h"

enum { MOST = 512, ROUNDS = 15, OBJECTS = 200 };

const char *malloc_conf = "lg_prof_sample:3";

typedef double (*measure)(void);

static struct own_stack own;
static uint64_t frames[MOST];
static unsigned walked, repeats = 300;
static size_t object_bytes = 64;

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/*
 * Sixteen functions that call each other down to the wanted depth, with
 * frames that differ, as those of programs do.
 */
struct descent {
	measure run;
	double result;
	unsigned left;
};

typedef void (*level)(struct descent *descent);
static const level levels[16], framed_levels[16];

#define BODY(table, n, size)                                                   \
 {                                                                             \
  volatile char room[size];                                                    \
                                                                               \
  room[0] = (char)descent->left;                                               \
  if (--descent->left == 0)                                                    \
   descent->result = descent->run();                                           \
  else                                                                         \
   (table)[(n + 5 * descent->left) % 16](descent);                             \
  room[size - 1] = room[0];                                                    \
 }
#define LEVEL(n, size)                                                         \
 static __attribute__((noinline)) void level_##n(struct descent *descent)      \
	 BODY(levels, n, size) static                                          \
	 __attribute__((noinline)) void framed_##n(struct descent *descent)    \
 {                                                                             \
  void *volatile frame = __builtin_frame_address(0);                           \
                                                                               \
  (void)frame;                                                                 \
  BODY(framed_levels, n, size)                                                 \
 }

LEVEL(0, 16)
LEVEL(1, 40)
LEVEL(2, 100)
LEVEL(3, 24)
LEVEL(4, 200)
LEVEL(5, 64)
LEVEL(6, 16)
LEVEL(7, 500)
LEVEL(8, 32)
LEVEL(9, 48)
LEVEL(10, 80)
LEVEL(11, 16)
LEVEL(12, 300)
LEVEL(13, 24)
LEVEL(14, 150)
LEVEL(15, 56)

static const level levels[16] = {level_0,  level_1,  level_2,  level_3,
				 level_4,  level_5,  level_6,  level_7,
				 level_8,  level_9,  level_10, level_11,
				 level_12, level_13, level_14, level_15};
static const level framed_levels[16] = {
	framed_0,  framed_1,  framed_2,	 framed_3, framed_4,  framed_5,
	framed_6,  framed_7,  framed_8,	 framed_9, framed_10, framed_11,
	framed_12, framed_13, framed_14, framed_15};

static double at_depth(unsigned depth, const level *table, measure run)
{
	struct descent descent = {.run = run, .left = depth};

	table[0](&descent);
	return descent.result;
}

/* The best of some rounds of `repeats` walks each, for one frame. */
#define BEST(walk)                                                             \
 do {                                                                          \
  double best = 1e18;                                                          \
                                                                               \
  for (unsigned round = 0; round < ROUNDS; round++) {                          \
   double start = now_ns(), took;                                              \
                                                                               \
   for (unsigned i = 0; i < repeats; i++)                                      \
    walk;                                                                      \
   took = (now_ns() - start) / repeats / walked;                               \
   best = took < best ? took : best;                                           \
  }                                                                            \
  return best;                                                                 \
 } while (0)

static struct walk_memo memo;
static bool uses_memo;

static __attribute__((noinline)) void walk_ours(void)
{
	struct unwind unwind;

	unwind_start(&unwind, &own);
	if (uses_memo)
		unwind.memo = &memo;
	walked = unwind_walk(&unwind, frames, MOST);
	if (unwind.unheard_pc)
		unload_listen(unwind.unheard_pc);
}

static double warm(void)
{
	for (unsigned i = 0; i < 50; i++)
		walk_ours();
	BEST(walk_ours());
}

static double repeated(void)
{
	double took;

	uses_memo = true;
	took = warm();
	uses_memo = false;
	return took;
}

static void walk_forgotten(void)
{
	rules_forget(0, ((uint64_t)1 << 47) - 2);
	walk_ours();
}

/* Emptying the cache is taken off. */
static double cold(void)
{
	double start = now_ns(), empty;

	for (unsigned i = 0; i < 100; i++)
		rules_forget(0, ((uint64_t)1 << 47) - 2);
	empty = (now_ns() - start) / 100;
	walk_ours();
	repeats = 20;
	start = now_ns();
	for (unsigned i = 0; i < 100; i++)
		walk_forgotten();
	repeats = 300;
	return ((now_ns() - start) / 100 - empty) / walked;
}

static __attribute__((noinline)) void walk_interpreted(void)
{
	struct unwind unwind;

	unwind_start(&unwind, &own);
	unwind.precise = true;
	walked = unwind_walk(&unwind, frames, MOST);
}

static double interpreted(void)
{
	walk_interpreted();
	BEST(walk_interpreted());
}

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg)
{
	(void)arg;
	frames[walked++ % MOST] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

static void walk_libgcc(void)
{
	walked = 0;
	_Unwind_Backtrace(note, NULL);
}

static double by_libgcc(void)
{
	walk_libgcc();
	BEST(walk_libgcc());
}

#if defined(HAVE_LIBUNWIND)
static void walk_libunwind(void)
{
	static void *addresses[MOST];

	walked = (unsigned)unw_backtrace(addresses, MOST);
}

static double by_libunwind(void)
{
	walk_libunwind();
	BEST(walk_libunwind());
}
#else
static double by_libunwind(void)
{
	return 0;
}
#endif

/* As prof_frame_pointers has it, from the function that walks on. */
static __attribute__((noinline)) void walk_framed(void)
{
	void *volatile frame = __builtin_frame_address(0);
	struct unwind unwind;

	(void)frame;
	unwind_start(&unwind, &own);
	walked = unwind_walk_framed(&unwind, frames, MOST);
}

static double framed(void)
{
	void *volatile frame = __builtin_frame_address(0);

	(void)frame;
	walk_framed();
	BEST(walk_framed());
}

/* No check of anything: the least that any walk could cost. */
static __attribute__((noinline)) void walk_frame_pointers(void)
{
	const uint64_t *frame = __builtin_frame_address(0);

	for (walked = 0; walked < MOST; walked++) {
		const uint64_t *next = (const uint64_t *)(uintptr_t)frame[0];

		frames[walked] = frame[1];
		if (next <= frame || (uintptr_t)next - (uintptr_t)frame > 4096)
			break;
		frame = next;
	}
	walked += walked == 0;
}

static double by_frame_pointer(void)
{
	void *volatile frame = __builtin_frame_address(0);

	(void)frame;
	walk_frame_pointers();
	BEST(walk_frame_pointers());
}

static void *objects[OBJECTS];

static double allocate_all(void)
{
	double start = now_ns();

	for (unsigned i = 0; i < OBJECTS; i++)
		objects[i] = malloc(object_bytes);
	return (now_ns() - start) / OBJECTS;
}

static double free_all(void)
{
	double start = now_ns();

	for (unsigned i = 0; i < OBJECTS; i++)
		free(objects[i]);
	return (now_ns() - start) / OBJECTS;
}

static double allocation(void)
{
	double best = 1e18;

	for (unsigned round = 0; round < 4 * ROUNDS; round++) {
		double took = allocate_all();

		best = took < best ? took : best;
		free_all();
	}
	return best;
}

static void run_pair(void)
{
	void *volatile object = malloc(object_bytes);

	free(object);
}

static double pair(void)
{
	walked = 1;
	for (unsigned i = 0; i < 50; i++)
		run_pair();
	BEST(run_pair());
}

static double large_pair(void)
{
	double took;

	object_bytes = (size_t)1 << 20;
	took = pair();
	object_bytes = 64;
	return took;
}

/* In a thread that has objects of the size at hand, as most have. */
static double pairs(void)
{
	prof_active_set(false);
	run_pair();
	prof_active_set(true);
	for (unsigned i = 0; i < repeats; i++)
		run_pair();
	return 0;
}

static const struct column {
	const char *name;
	measure run;
	const level *table;
} columns[] = {
	{"again", repeated, levels},
	{"warm", warm, levels},
	{"warm,fp", warm, framed_levels},
	{"cold", cold, levels},
	{"cfi", interpreted, levels},
	{"libgcc", by_libgcc, levels},
	{"libunw", by_libunwind, levels},
	{"framed", framed, framed_levels},
	{"fp-walk", by_frame_pointer, framed_levels},
	{"malloc", allocation, levels},
	{"pair", pair, levels},
	{"1MiB", large_pair, levels},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void print_row(unsigned depth)
{
	printf("%6u", depth);
	for (unsigned i = 0; i < COLUMNS; i++)
		printf("  %8.1f",
		       at_depth(depth, columns[i].table, columns[i].run));
	putchar('\n');
}

int main(int argc, char **argv)
{
	static const unsigned depths[] = {1, 8, 32, 128};

	if (argc >= 4 && strcmp(argv[1], "pair") == 0) {
		repeats = (unsigned)strtoul(argv[3], NULL, 10);
		if (argc > 4)
			object_bytes = strtoul(argv[4], NULL, 10);
		at_depth((unsigned)strtoul(argv[2], NULL, 10), levels, pairs);
		return 0;
	}
	puts("ns a frame of each walk, ns a sampled malloc, pair, and pair of "
	     "1 MiB");
	printf("%6s", "frames");
	for (unsigned i = 0; i < COLUMNS; i++)
		printf("  %8s", columns[i].name);
	putchar('\n');
	for (int i = 1; i < argc; i++)
		print_row((unsigned)strtoul(argv[i], NULL, 10));
	for (unsigned i = 0; argc == 1 && i < 4; i++)
		print_row(depths[i]);
	return 0;
}
