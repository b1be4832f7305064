/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk: frame by frame as libgcc's, on the main stack, in threads, through
 * qsort, on an alternate signal stack and on a coroutine's; stops cleanly
 * where the stack is garbage; the allocator's own frames do not show.
 */
#include "config.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unwind.h>

#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/unload.h"
#include "liballoc/prof/unwind/rules.h"
#include "liballoc/prof/unwind/unwind.h"
#include "tap/tap.h"
#include "unit/prof/other_stack.h"

#define MOST 200u

const char *malloc_conf = "lg_prof_sample:0";

struct trace {
	uint64_t pc[MOST];
	unsigned depth;
};

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg)
{
	struct trace *trace = arg;
	int exact = 0;
	uint64_t pc = _Unwind_GetIPInfo(context, &exact);

	if (trace->depth < MOST && pc)
		trace->pc[trace->depth++] = pc + (exact != 0);
	return _URC_NO_REASON;
}

static bool same_trace(const struct trace *ours, const struct trace *theirs,
		       unsigned at_least)
{
	/* libgcc's begin with this very function. */
	bool same = ours->depth >= at_least &&
		    ours->depth + 1 == theirs->depth &&
		    memcmp(ours->pc, theirs->pc + 1,
			   ours->depth * sizeof(ours->pc[0])) == 0;

	for (unsigned i = 0; !same && i < ours->depth + 1; i++)
		tap_line("# %u: %#" PRIx64 " %#" PRIx64 "\n", i,
			 i < ours->depth ? ours->pc[i] : 0,
			 i + 1 < theirs->depth ? theirs->pc[i + 1] : 0);
	return same;
}

static unsigned again; /* walks that were said to be the last one again */
static bool bounded;   /* it is known where the stack ends */

/* By the memo; what is said to be the last walk again must be. */
static bool walk_with_memo(struct unwind *unwind, struct trace *ours)
{
	static __thread struct walk_memo memo;
	static __thread struct trace last;
	bool is_again = unwind_is_again(&unwind->registers,
					&unwind->memory.stack, &memo);

	unwind->memo = &memo;
	ours->depth = unwind_walk(unwind, ours->pc, MOST);
	again += is_again;
	bounded = unwind->memory.own;
	if (is_again &&
	    (ours->depth != last.depth ||
	     memcmp(ours->pc, last.pc, last.depth * sizeof(last.pc[0])) != 0))
		return false;
	last = *ours;
	return true;
}

/*
 * The callers' frames, by us and by libgcc: again and again, so that rules
 * become known as libraries do; all at once and frame by frame; by a walk that
 * finds out halfway that it wants all registers.
 */
static __attribute__((noinline)) bool same_stack(unsigned at_least)
{
	struct trace theirs = {.depth = 0};
	bool same = true;

	_Unwind_Backtrace(note, &theirs);
	for (unsigned round = 0; round < 12; round++) {
		struct trace ours = {.depth = 0};
		struct unwind unwind;

		unwind_start(&unwind, NULL);
		if (round % 3 == 0)
			same = walk_with_memo(&unwind, &ours) && same;
		while (round % 3 == 1 && ours.depth < MOST &&
		       unwind_next(&unwind))
			ours.pc[ours.depth++] = unwind_address(&unwind);
		if (round % 3 == 2 &&
		    unwind_walk(&unwind, ours.pc, at_least) == at_least &&
		    unwind_walk_again(&unwind))
			ours.depth = at_least + unwind_walk(&unwind,
							    ours.pc + at_least,
							    MOST - at_least);
		same = same && same_trace(&ours, &theirs, at_least);
		if (unwind.unheard_pc)
			unload_listen(unwind.unheard_pc);
	}
	return same;
}

static volatile bool good;

static __attribute__((noinline)) void recurse(unsigned depth)
{
	if (depth)
		recurse(depth - 1);
	else
		good = same_stack(3);
	__asm__ volatile("");
}

/* Frames of one size whose callers differ by the bits of the path. */
static void left(unsigned path, unsigned depth);
static void right(unsigned path, unsigned depth);

static void go_on(unsigned path, unsigned depth)
{
	if (depth)
		(path & 1 ? left : right)(path >> 1, depth - 1);
	else
		good = good && same_stack(3);
	__asm__ volatile("");
}

static __attribute__((noinline)) void left(unsigned path, unsigned depth)
{
	go_on(path, depth);
	__asm__ volatile("");
}

static __attribute__((noinline)) void right(unsigned path, unsigned depth)
{
	go_on(path, depth);
	__asm__ volatile("" : : : "memory");
}

static void check_paths(void)
{
	uint64_t random = 88172645463325252;

	good = true;
	for (unsigned i = 0; i < 500; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		/* Now the whole path is another, now its leaves' end alone. */
		go_on((unsigned)(i % 3 ? random & 0xff000 : random),
		      i & 8 ? 20 : 45);
	}
	ok(good, "through callers that change under the same stack pointers");
	if (bounded)
		ok(again > 1000, "and some walks are the last one again (%u)",
		   again);
	else /* as in qemu, which asks otherwise than the kernel */
		skip("some walks are the last one again",
		     "the kernel does not tell what may be read");
}

/* A first walk that does not know how one of the last frames leads on. */
static void check_first_walk(void)
{
	struct own_stack own = {{0, 0}, 0};
	static struct walk_memo memo; /* the frame has to be one for a rule */
	unsigned seen = 0;

	for (unsigned round = 0; round < 8; round++) {
		struct trace ours = {.depth = 0};
		struct unwind unwind;

		unwind_start(&unwind, &own);
		seen += unwind_is_again(&unwind.registers, &own.known, &memo);
		unwind.memo = &memo;
		ours.depth = unwind_walk(&unwind, ours.pc, MOST);
		if (round == 1 && ours.depth > 2)
			rules_forget(ours.pc[ours.depth - 2] - 1,
				     ours.pc[ours.depth - 2]);
		if (round == 1)
			seen = 0;
	}
	if (bounded)
		ok(seen >= 3, "an incomplete first walk is made good (%u)",
		   seen);
	else
		skip("an incomplete first walk is made good",
		     "the kernel does not tell what may be read");
}

static int compare(const void *a, const void *b)
{
	good = same_stack(4);
	return *(const int *)a - *(const int *)b;
}

static void sort(void)
{
	int numbers[] = {2, 1};

	qsort(numbers, 2, sizeof(int), compare);
}

static void *in_thread(void *arg)
{
	recurse(10);
	return arg;
}

static void handler(int number)
{
	(void)number;
	good = same_stack(4);
}

static void on_signal(bool other_stack)
{
	static char room[65536];
	stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)};
	struct sigaction action = {.sa_handler = handler};

	if (other_stack) {
		sigaltstack(&stack, NULL);
		action.sa_flags = SA_ONSTACK;
	}
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static void coroutine(void)
{
	recurse(3);
}

static void switch_stacks(void)
{
	size_t bytes = 65536;
	char *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	run_on(room, bytes, coroutine);
	munmap(room, bytes);
}

static void *call_further_up(void *top)
{
	call_on(top, coroutine);
	return NULL;
}

/* Of a thread whose own stack lies below that one. */
static void go_further_up(void)
{
	size_t own = (size_t)1 << 20, further = 65536;
	char *room = mmap(NULL, own + further, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, room, own);
	if (pthread_create(&thread, &attr, call_further_up,
			   room + own + further) == 0)
		pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	munmap(room, own + further);
}

static unsigned walk_from(uint64_t pc, uint64_t sp, uint64_t fp)
{
	struct unwind unwind = {.exact = true};
	unsigned depth = 0;

	unwind.registers.reg[UNWIND_PC] = pc;
	unwind.registers.reg[UNWIND_SP] = sp;
	unwind.registers.reg[UNWIND_FP] = fp;
	unwind_ready(&unwind, NULL);
	unwind.exact = true;
	while (depth < 1000 && unwind_next(&unwind))
		depth++;
	return depth;
}

/* Every start that makes no sense ends, and soon. */
static void check_garbage(void)
{
	uint64_t random = 88172645463325252, stack[64];
	uint64_t here = (uintptr_t)stack, code = (uintptr_t)check_garbage;
	unsigned deepest = 0;

	for (unsigned round = 0; round < 5000; round++) {
		uint64_t pc, sp, fp;
		unsigned depth;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		for (unsigned i = 0; i < 64; i++)
			stack[i] = i % 3 ? code + (random >> i) % 4096
					 : here + (random >> i) % 512;
		pc = round % 4 ? code + random % 65536 : random;
		sp = round % 3 ? here + random % 256 / 8 * 8 : random;
		fp = round % 5 ? here + random % 512 : random;
		depth = walk_from(pc, sp, fp);
		deepest = depth > deepest ? depth : deepest;
	}
	ok(deepest < 200, "garbage ends (after %u frames at most)", deepest);
	is_uint(walk_from(here, here, here - 8), 0,
		"a frame pointer below the stack pointer is not believed");
}

static uint64_t sampled_leaf(const void *ptr)
{
	const struct ledger_sample *samples = ledger_rows(LEDGER_SAMPLES);
	const struct ledger_count *counts = ledger_rows(LEDGER_COUNTS);
	const struct ledger_stack *stacks = ledger_rows(LEDGER_STACKS);
	const uint64_t *frames = ledger_rows(LEDGER_FRAMES);
	uint64_t rows = ledger_header()->sections[LEDGER_SAMPLES].count;

	for (uint64_t i = 0; i < rows; i++)
		if (samples[i].address == (uintptr_t)ptr)
			return frames[stacks[counts[samples[i].count].stack]
					      .first_frame];
	return 0;
}

/* Is the leaf of ptr's stack in this very function, after the call? */
#define LEAF_IS_HERE(call, what)                                               \
 do {                                                                          \
  void *volatile at = (call);                                                  \
  uint64_t leaf = sampled_leaf(at);                                            \
                                                                               \
  ok(leaf > (uintptr_t)check_leaves && leaf < (uintptr_t)check_leaves + 4096,  \
     what " shows its caller first");                                          \
  free(at);                                                                    \
 } while (0)

static __attribute__((noinline)) void check_leaves(void)
{
	void *aligned = NULL;

	LEAF_IS_HERE(malloc(50), "malloc");
	LEAF_IS_HERE(malloc(5000000), "a large malloc");
	LEAF_IS_HERE(calloc(5, 50), "calloc");
	LEAF_IS_HERE(realloc(NULL, 50), "realloc");
	LEAF_IS_HERE(realloc(malloc(10), 3000), "a realloc that moves");
	LEAF_IS_HERE(aligned_alloc(64, 640), "aligned_alloc");
	LEAF_IS_HERE(valloc(100), "valloc");
	LEAF_IS_HERE((posix_memalign(&aligned, 256, 100), aligned),
		     "posix_memalign");
}

int main(void)
{
	pthread_t thread;

	plan(21);
	recurse(0);
	ok(good, "a plain stack");
	recurse(100);
	ok(good, "a deep stack");
	check_paths();
	check_first_walk();
	sort();
	ok(good, "through qsort");
	good = false;
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
	ok(good, "in a thread");
	good = false;
	on_signal(false);
	ok(good, "from a signal handler");
	good = false;
	on_signal(true);
	ok(good, "from a signal handler on its own stack");
	good = false;
	switch_stacks();
	ok(good, "on a coroutine's stack");
	good = false;
	go_further_up();
	ok(good, "on a stack above the thread's own");
	check_garbage();
	check_leaves();
	return done_testing();
}
