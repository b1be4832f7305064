/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocates once from each function of the API, each from a caller of its own
 * name, then dumps the heap profile to PATH and sleeps until it is killed.
 *
 *	everything PATH
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <liballoc/liballoc.h>

#define BYTES 5000

static void *volatile kept;

#define CALLER(name, expression)                                               \
 static __attribute__((noinline)) void name(void)                              \
 {                                                                             \
  kept = (expression);                                                         \
  __asm__ volatile("" ::: "memory");                                           \
 }

CALLER(by_malloc, malloc(BYTES))
CALLER(by_calloc, calloc(1, BYTES))
CALLER(by_realloc, realloc(NULL, BYTES))
CALLER(by_reallocarray, reallocarray(NULL, 1, BYTES))
CALLER(by_growing, realloc(kept, 10 * BYTES))
CALLER(by_aligned_alloc, aligned_alloc(64, BYTES))
CALLER(by_memalign, memalign(64, BYTES))
CALLER(by_valloc, valloc(BYTES))
CALLER(by_mallocx, mallocx(BYTES, MALLOCX_ALIGN(128)))
CALLER(by_rallocx, rallocx(kept, 10 * BYTES, 0))

static __attribute__((noinline)) void by_posix_memalign(void)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, BYTES) == 0)
		kept = p;
}

int main(int argc, char **argv)
{
	const char *path = argv[argc - 1];

	setbuf(stdout, NULL);
	by_malloc();
	by_calloc();
	by_realloc();
	by_growing();
	by_reallocarray();
	by_aligned_alloc();
	by_memalign();
	by_valloc();
	by_posix_memalign();
	by_mallocx();
	by_rallocx();
	by_mallocx();
	if (mallctl("prof.dump", NULL, NULL, &path, sizeof(path)))
		return 1;
	puts("ready");
	pause();
	return 0;
}
