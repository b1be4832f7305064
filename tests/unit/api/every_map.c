/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Nth mmap fails, once or from there on, for every N until one is beyond
 * all that the workload does. Each N has a process of its own, whose heap is
 * fresh: every call gives memory or says ENOMEM, nothing is damaged, and once
 * there is memory again nothing fails.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

#define SLOTS 120
#define MOST 2000 /* far beyond what the workload maps */

/* What a process found, as its exit status. */
enum finding {
	ALL_MAPPED, /* no mmap call was the Nth */
	RECOVERED,  /* one failed, and no call of the API did */
	SOME_FAILED,
	WRONG_ERRNO,
	DAMAGED,
	FAILS_FOR_GOOD,
	FINDINGS,
};

static bool failed;
static unsigned char *slots[SLOTS];
static size_t sizes[SLOTS];

static void *note(void *ptr)
{
	if (ptr)
		return ptr;
	if (errno != ENOMEM)
		_exit(WRONG_ERRNO);
	failed = true;
	return NULL;
}

static void keep(unsigned i, void *ptr, size_t size)
{
	slots[i] = note(ptr);
	sizes[i] = size;
	if (!ptr)
		return;
	memset(ptr, (int)i + 1, size < 4096 ? size : 4096);
	slots[i][size - 1] = (unsigned char)(i + 1);
}

static void check(unsigned i)
{
	unsigned char mark = (unsigned char)(i + 1);

	if (slots[i] && (slots[i][0] != mark || slots[i][sizes[i] - 1] != mark))
		_exit(DAMAGED);
}

static int set(const char *name, const void *value, size_t bytes)
{
	/* mallctl reads it only. */
	return mallctl(name, NULL, NULL, (void *)(uintptr_t)value, bytes);
}

static void allocate(unsigned i, int flags)
{
	size_t size = i % 5 ? (size_t)24 << i % 13 : (size_t)(i + 1) << 15;
	void *ptr = NULL;

	errno = 0;
	switch (i % 6) {
	case 0:
		ptr = calloc(1, size);
		if (ptr && ((char *)ptr)[size - 1])
			_exit(DAMAGED);
		break;
	case 1:
		ptr = mallocx(size, flags);
		break;
	case 2:
		ptr = mallocx(size, flags | MALLOCX_ALIGN(65536));
		break;
	case 3:
		errno = posix_memalign(&ptr, 256, size);
		break;
	case 4:
		ptr = mallocx(size, MALLOCX_TCACHE_NONE | MALLOCX_ZERO);
		break;
	default:
		ptr = malloc(size);
	}
	keep(i, ptr, size);
}

static void resize(unsigned i)
{
	size_t size = sizes[i] * (i % 4 + 1);
	unsigned char *moved;

	if (!slots[i])
		return;
	if (i % 3 == 0) {
		xallocx(slots[i], size, 1 << 20, 0);
		check(i);
		return;
	}
	errno = 0;
	moved = note(i % 3 == 1 ? realloc(slots[i], size)
				: rallocx(slots[i], size, 0));
	if (moved)
		slots[i] = moved;
	check(i); /* moved or not, what it held is there */
}

static void workload(void)
{
	unsigned arena = 0, cache = 0, i;
	size_t bytes = sizeof(unsigned);
	int flags = 0;

	if (!mallctl("arenas.create", &arena, &bytes, NULL, 0))
		flags = MALLOCX_ARENA(arena);
	else
		failed = true;
	if (!mallctl("tcache.create", &cache, &bytes, NULL, 0))
		flags |= MALLOCX_TCACHE(cache);
	else
		failed = true;
	for (i = 0; i < SLOTS; i++)
		allocate(i, flags);
	for (i = 0; i < SLOTS; i += 2)
		resize(i);
	for (i = 0; i < SLOTS; i++) {
		check(i);
		free(slots[i]);
	}
	if (flags & MALLOCX_TCACHE(cache))
		set("tcache.destroy", &cache, sizeof(cache));
	malloc_trim(0);
}

static void *workload_of_thread(void *unused)
{
	workload();
	return unused;
}

static void run_with_failures(unsigned n, bool forever)
{
	pthread_t thread;

	alarm(60);
	os_fail_map(n, forever);
	workload();
	if (pthread_create(&thread, NULL, workload_of_thread, NULL) == 0)
		pthread_join(thread, NULL);
	os_fail_map(0, false);
}

static enum finding find(unsigned n, bool forever)
{
	uint64_t before = ledger_process()->map_failures;
	bool had_failed, hit;

	run_with_failures(n, forever);
	had_failed = failed;
	hit = ledger_process()->map_failures != before;
	failed = false;
	workload();
	if (failed)
		return FAILS_FOR_GOOD;
	if (had_failed)
		return SOME_FAILED;
	return hit ? RECOVERED : ALL_MAPPED;
}

static enum finding find_in_child(unsigned n, bool forever)
{
	int status = -1;
	pid_t child = fork();

	if (!child)
		_exit((int)find(n, forever));
	if (child < 0 || waitpid(child, &status, 0) != child ||
	    !WIFEXITED(status)) {
		tap_line("# N = %u: status %#x\n", n, (unsigned)status);
		return DAMAGED;
	}
	return (enum finding)WEXITSTATUS(status);
}

static void sweep(bool forever, const char *kind)
{
	unsigned counts[FINDINGS] = {0}, n;

	for (n = 1; n < MOST && !counts[ALL_MAPPED]; n++) {
		enum finding finding = find_in_child(n, forever);

		counts[finding < FINDINGS ? finding : DAMAGED]++;
		if (finding > SOME_FAILED)
			tap_line("# N = %u: %u\n", n, (unsigned)finding);
	}
	tap_line("# up to N = %u; %u made up for, %u told\n", n - 1,
		 counts[RECOVERED], counts[SOME_FAILED]);
	ok(counts[ALL_MAPPED] && n > 15, "%s: to the last N", kind);
	is_uint(counts[WRONG_ERRNO], 0, "each failure is ENOMEM");
	is_uint(counts[DAMAGED], 0, "nothing is damaged");
	is_uint(counts[FAILS_FOR_GOOD], 0, "and memory is had again");
	ok(!forever || counts[SOME_FAILED] > 5, "some calls were told");
}

int main(void)
{
	plan(10);
	sweep(false, "once");
	sweep(true, "for good");
	return done_testing();
}
