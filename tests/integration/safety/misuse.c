/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * misuse KIND: makes one mistake with memory, which is to end the process; or
 * none, and prints what is asked of it.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/liballoc.h"

/* What the compiler must not see through. */
static volatile size_t bytes = 100;
static char *volatile object;
static void *volatile kept[400];

__attribute__((noinline)) static char *allocates(void)
{
	object = malloc(bytes);
	memset(object, 1, bytes);
	return object;
}

__attribute__((noinline)) static void frees(void)
{
	free(object);
	__asm__ volatile(""); /* no tail call: the frame is to be seen */
}

/* With a neighbour, so that their pages stay in use. */
static void double_free(void)
{
	kept[0] = malloc(bytes);
	allocates();
	frees();
	frees();
}

static void *free_twice(void *unused)
{
	frees();
	frees();
	return unused;
}

/* Found at the latest when the thread's cache is given back. */
static void thread_double_free(void)
{
	pthread_t thread;

	kept[0] = malloc(bytes);
	allocates();
	if (pthread_create(&thread, NULL, free_twice, NULL) == 0)
		pthread_join(thread, NULL);
}

static void large_double_free(void)
{
	bytes = 1 << 20;
	double_free();
}

static void interior(void)
{
	bytes = 1 << 20;
	object = allocates() + 64;
	frees();
}

static void interior_small(void)
{
	object = allocates() + 8;
	kept[0] = realloc(object, 1000000);
}

static void foreign(void)
{
	static char mine[64];

	object = mine;
	frees();
}

static void wrong_size(void)
{
	bytes = 1 << 20;
	sdallocx(allocates(), 100, 0);
}

static void overflow(void)
{
	allocates();
	for (size_t i = 0; i < 200; i++)
		object[i] = 2;
}

static void small_overflow(void)
{
	allocates()[bytes + 1] = 2;
	frees();
}

/* Now and then an object lies at the beginning of its pages. */
static void read_before(void)
{
	while ((uintptr_t)allocates() % 4096 != 0)
		frees();
	putchar(object[-20]);
}

static void underflow(void)
{
	allocates()[-1] = 2;
	frees();
}

static void read_after_free(void)
{
	allocates();
	frees();
	putchar(object[50]);
}

static void write_after_free(void)
{
	allocates();
	frees();
	object[50] = 7;
	for (unsigned i = 0; i < 400; i++)
		kept[i] = malloc(bytes);
}

static void null_pointer(void)
{
	object = NULL;
	*object = 1;
}

static void on_signal(int number)
{
	static const char text[] = "the program's handler\n";

	(void)number;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(3);
}

/* A handler that comes later has the signal to itself. */
static void handled(void)
{
	signal(SIGSEGV, on_signal);
	overflow();
}

static void in_child(void)
{
	pid_t child;
	int status;

	allocates();
	child = fork();
	if (child == 0) {
		frees();
		object[5] = 1;
		_exit(0);
	}
	waitpid(child, &status, 0);
	frees();
	if (!WIFSIGNALED(status))
		abort();
	fputs("child ended\n", stderr);
	exit(0);
}

static void *on_thread(void *unused)
{
	char stack[1 << 14];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

	sigaltstack(&alternate, NULL);
	overflow();
	return unused;
}

static void alternate_stack(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, on_thread, NULL) == 0)
		pthread_join(thread, NULL);
}

static void filled(void)
{
	unsigned char *fresh;

	object = malloc(bytes);
	fresh = (unsigned char *)object;
	printf("%02x %02x", fresh[0], fresh[malloc_usable_size(object) - 1]);
	frees();
	printf(" %02x", (unsigned char)object[50]);
	fresh = calloc(1, bytes);
	printf(" %02x\n", fresh[99]);
	free(fresh);
	exit(0);
}

static uint64_t allocated(void)
{
	uint64_t epoch = 1;
	size_t value = 0, length = sizeof(value);

	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	mallctl("stats.allocated", &value, &length, NULL, 0);
	return value;
}

/* The same calls, guarded or not, count the same bytes. */
static void harmless(void)
{
	uint64_t before = allocated(), sum = 0;

	for (unsigned i = 0; i < 400; i++) {
		size_t size = i * 37 % 9000 + 1;
		unsigned char *grown;

		kept[i] = i % 3 ? malloc(size) : aligned_alloc(256, size);
		memset(kept[i], (int)i, size);
		if (malloc_usable_size(kept[i]) < size)
			abort();
		grown = realloc(kept[i], size * 2);
		if (!grown || grown[0] != (unsigned char)i ||
		    grown[size - 1] != (unsigned char)i)
			abort();
		kept[i] = grown;
		sum += size;
	}
	printf("%u\n", allocated() - before > sum);
	for (unsigned i = 0; i < 400; i++)
		free(kept[i]);
	/* Freed with the size that it has, which is what sallocx says. */
	for (unsigned i = 0; i < 400; i++) {
		void *aligned = mallocx(i * 37 + 1, MALLOCX_LG_ALIGN(i % 13));

		sdallocx(aligned, sallocx(aligned, 0), 0);
	}
	printf("%d\n", (int)(allocated() - before));
	exit(0);
}

static const struct kind {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{"double-free", double_free},
	{"thread-double-free", thread_double_free},
	{"large-double-free", large_double_free},
	{"interior", interior},
	{"interior-small", interior_small},
	{"foreign", foreign},
	{"wrong-size", wrong_size},
	{"overflow", overflow},
	{"small-overflow", small_overflow},
	{"underflow", underflow},
	{"read-before", read_before},
	{"read-after-free", read_after_free},
	{"write-after-free", write_after_free},
	{"null-pointer", null_pointer},
	{"handled", handled},
	{"in-child", in_child},
	{"alternate-stack", alternate_stack},
	{"filled", filled},
	{"harmless", harmless},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (argc > 1 && strcmp(argv[1], kinds[i].name) == 0)
			kinds[i].run();
	return 0;
}
