/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocates from many kinds of call stack and prints, for each, the stack that
 * libgcc's unwinder sees, as "E address..." from the caller of probe() on,
 * then "P low high", where probe()'s code lies. prof_stacks.sh compares.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define MOST 256

static void *volatile sink;
static void *(*volatile allocate)(size_t) = malloc;

struct trace {
	unsigned long pc[MOST];
	int depth;
};

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg)
{
	struct trace *trace = arg;
	int before = 0;
	unsigned long pc = _Unwind_GetIPInfo(context, &before);

	if (trace->depth < MOST && pc)
		trace->pc[trace->depth++] = pc + (before != 0);
	return _URC_NO_REASON;
}

static void print(const struct trace *trace)
{
	char text[MOST * 20];
	size_t n = 0;

	text[n++] = 'E';
	for (int i = 1; i < trace->depth; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %#lx",
				      trace->pc[i]);
	text[n++] = '\n';
	if (write(1, text, n) != (ssize_t)n)
		_exit(3);
}

__attribute__((noinline)) void probe(void)
{
	struct trace trace;

	trace.depth = 0;
	/* Again and again, so that the unwinder comes to know the code. */
	for (int i = 0; i < 6; i++)
		sink = allocate(100);
	_Unwind_Backtrace(note, &trace);
	print(&trace);
}

#define SEQUENCE                                                               \
 do                                                                            \
  __asm__ volatile("");                                                        \
 while (0)

static int compare(const void *a, const void *b)
{
	static int once;

	if (!once++)
		probe();
	SEQUENCE;
	return *(const int *)a - *(const int *)b;
}

static void sort(void)
{
	int numbers[] = {3, 1, 2, 9, 4};

	qsort(numbers, 5, sizeof(int), compare);
	SEQUENCE;
}

static int search(const void *a, const void *b)
{
	static int once;

	if (!once++)
		probe();
	SEQUENCE;
	return *(const int *)a - *(const int *)b;
}

static void with_alloca(unsigned n)
{
	char *room = alloca(n);

	memset(room, 1, n);
	probe();
	SEQUENCE;
	sink = (void *)(unsigned long)room[n / 2];
}

/* A frame whose stack is realigned: its CFA is found by an expression. */
static void aligned(int depth)
{
	char room[64] __attribute__((aligned(64)));

	memset(room, depth, sizeof(room));
	__asm__ volatile("" : : "r"(room) : "memory");
	if (depth > 0)
		aligned(depth - 1);
	else
		probe();
	SEQUENCE;
}

static void recurse(int depth)
{
	if (depth > 0)
		recurse(depth - 1);
	else
		probe();
	SEQUENCE;
}

static void handler(int number)
{
	(void)number;
	probe();
	SEQUENCE;
}

static void raise_on_stack(void)
{
	static char stack[65536];
	stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = handler};

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	sigaltstack(&other, NULL);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	other.ss_flags = SS_DISABLE;
	sigaltstack(&other, NULL);
}

/* Interrupted in the middle of a function: its pc is not a return address. */
static void trap(void)
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(SIGTRAP, &action, NULL);
#if defined(__x86_64__)
	__asm__ volatile("int3" : : : "memory");
#endif
}

static void *thread(void *arg)
{
	recurse(3);
	sort();
	with_alloca(777);
	raise(SIGUSR1);
	SEQUENCE;
	return arg;
}

static ucontext_t outside, inside;

static void coroutine(void)
{
	recurse(2);
	SEQUENCE;
}

static void switch_stacks(void)
{
	static char stack[65536];

	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = sizeof(stack);
	inside.uc_link = &outside;
	makecontext(&inside, coroutine, 0);
	swapcontext(&outside, &inside);
}

static void in_library(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void (*call)(void (*)(void));

	if (!library)
		return;
	*(void **)&call = dlsym(library, "call_back");
	call(probe);
	SEQUENCE;
}

#ifdef __cplusplus
extern "C" void cxx_probe(void (*call)(void));
#endif
void cxx_throw(void (*call)(void));

__attribute__((noinline)) static void run(const char *library)
{
	int key = 2, numbers[] = {1, 2, 3};
	pthread_t other;

	probe();
	recurse(20);
	sort();
	bsearch(&key, numbers, 3, sizeof(int), search);
	with_alloca(333);
	aligned(3);
	raise_on_stack();
	trap();
	switch_stacks();
	in_library(library);
	cxx_throw(probe);
	pthread_create(&other, NULL, thread, NULL);
	pthread_join(other, NULL);
}

int main(int argc, char **argv)
{
	int (*mallctl)(const char *, void *, size_t *, void *, size_t);
	const char *path = argv[2];

	if (argc < 3)
		return 2;
	run(argv[1]);
	printf("P %#lx %#lx\n", (unsigned long)probe,
	       (unsigned long)probe + 512);
	fflush(stdout);
	*(void **)&mallctl = dlsym(RTLD_DEFAULT, "mallctl");
	return mallctl("prof.dump", NULL, NULL, &path, sizeof(path)) != 0;
}
