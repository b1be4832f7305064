/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profiler's hooks: what they are told, that they may allocate and free,
 * and what mallctl takes for one.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/prof/hooks.h"
#include "tap/tap.h"

const char *malloc_conf = "lg_prof_sample:0";

struct call {
	unsigned count;
	const void *ptr;
	size_t requested, usable;
	unsigned depth;
	void *frames[128];
};

static struct call sampled, freed;
static void *spare; /* a sample that the hook for frees frees in turn */
static char dumped[64];
static bool was_there;

static void on_sample(const void *ptr, size_t requested, void **frames,
		      unsigned depth, size_t usable)
{
	void *volatile own = malloc(100);

	sampled.count++;
	sampled.ptr = ptr;
	sampled.requested = requested;
	sampled.usable = usable;
	sampled.depth = depth;
	memcpy(sampled.frames, frames, depth * sizeof(frames[0]));
	free(own);
	errno = 99;
}

static void on_free(const void *ptr, size_t usable)
{
	void *also = spare;

	spare = NULL;
	free(also);
	freed.count++;
	freed.ptr = ptr;
	freed.usable = usable;
	errno = 99;
}

static void on_dump(const char *path)
{
	was_there = access(path, R_OK) == 0;
	free(malloc(100));
	snprintf(dumped, sizeof(dumped), "%s", path);
}

static void two_frames(void **frames, unsigned *depth, unsigned max)
{
	free(malloc(100));
	*depth = max >= 2 ? 2 : 0;
	frames[0] = (void *)0x1234;
	frames[1] = (void *)0x5678;
}

static void too_many(void **frames, unsigned *depth, unsigned max)
{
	frames[max - 1] = (void *)0x99;
	*depth = max + 1000;
}

static void no_frame(void **frames, unsigned *depth, unsigned max)
{
	(void)frames;
	(void)max;
	*depth = 0;
}

static void (*liballocs_own)(void **, unsigned *, unsigned);

static void pass_on(void **frames, unsigned *depth, unsigned max)
{
	liballocs_own(frames, depth, max);
}

static int set(const char *name, void *hook)
{
	return mallctl(name, NULL, NULL, &hook, sizeof(hook));
}

static void *get(const char *name)
{
	void *hook = (void *)1;
	size_t size = sizeof(hook);

	return mallctl(name, &hook, &size, NULL, 0) ? (void *)2 : hook;
}

#define BACKTRACE "experimental.hooks.prof_backtrace"
#define DUMP "experimental.hooks.prof_dump"
#define SAMPLE "experimental.hooks.prof_sample"
#define SAMPLE_FREE "experimental.hooks.prof_sample_free"

/* The same place each time, so that stacks can be compared. */
static __attribute__((noinline)) void *allocate(size_t bytes)
{
	void *ptr = malloc(bytes);

	__asm__ volatile("" : : "r"(ptr) : "memory");
	return ptr;
}

static void check_control(void)
{
	void *old = NULL, *fresh = (void *)on_dump;
	size_t size = sizeof(old);

	ok(get(BACKTRACE) && get(BACKTRACE) != (void *)2,
	   "there is a function for stacks");
	ok(!get(DUMP) && !get(SAMPLE) && !get(SAMPLE_FREE), "and no other");
	is_int(set(BACKTRACE, NULL), EINVAL, "which must not be NULL");
	is_int(mallctl(DUMP, NULL, NULL, NULL, 0), EINVAL,
	       "neither read nor written");
	is_int(mallctl(DUMP, NULL, NULL, &fresh, 4), EINVAL, "half a pointer");
	ok(!get(DUMP), "sets nothing");
	is_int(set(DUMP, fresh), 0, "a hook is set");
	fresh = NULL;
	is_int(mallctl(DUMP, &old, &size, &fresh, sizeof(fresh)), 0,
	       "and taken off");
	ok(old == (void *)on_dump && !get(DUMP), "which tells what it was");
}

static void check_samples(void)
{
	void *ptr;
	int error;

	set(SAMPLE, (void *)on_sample);
	set(SAMPLE_FREE, (void *)on_free);
	errno = 7;
	ptr = allocate(1000);
	error = errno;
	ok(sampled.count == 1 && sampled.ptr == ptr &&
		   sampled.requested == 1000 && sampled.usable == 1024,
	   "a sample is told, what the hook allocates is none");
	ok(sampled.depth > 0, "with its stack");
	is_int(error, 7, "errno is kept");
	spare = allocate(3000);
	errno = 8;
	free(ptr);
	error = errno;
	ok(freed.count == 2 && freed.ptr == ptr && freed.usable == 1024,
	   "so are its free, and frees in it");
	is_int(error, 8, "errno is kept again");
	spare = NULL;
}

/* In one loop, from one call, which no compiler unrolls: the same stacks. */
static void check_stacks(void)
{
	volatile unsigned count = 5;
	void *hooks[] = {get(BACKTRACE), (void *)pass_on, (void *)two_frames,
			 (void *)too_many, (void *)no_frame};
	struct call seen[5];

	liballocs_own = (void (*)(void **, unsigned *, unsigned))hooks[0];
	for (unsigned i = 0; i < count; i++) {
		set(BACKTRACE, hooks[i]);
		sampled.count = 0;
		free(allocate(500));
		seen[i] = sampled;
	}
	set(BACKTRACE, hooks[0]);
	ok(!hooks_have(PROF_HOOK_BACKTRACE) && get(BACKTRACE) == hooks[0],
	   "the first hook is nobody's");
	ok(seen[1].depth == seen[0].depth && seen[0].depth > 1 &&
		   !memcmp(seen[1].frames, seen[0].frames,
			   seen[0].depth * sizeof(void *)),
	   "called from a hook it leaves the hook out (%u and %u frames)",
	   seen[0].depth, seen[1].depth);
	ok(seen[2].depth == 2 && seen[2].frames[1] == (void *)0x5678,
	   "a hook's stack is taken");
	ok(seen[3].depth == 128 && seen[3].frames[127] == (void *)0x99,
	   "as far as there was room");
	ok(seen[4].count == 1 && seen[4].depth == 0, "be it empty");
}

static void check_dump(void)
{
	char path[] = "hooks.XXXXXX";
	const char *name = path;
	int fd = mkstemp(path);

	set(DUMP, (void *)on_dump);
	is_int(mallctl("prof.dump", NULL, NULL, &name, sizeof(name)), 0,
	       "a dump");
	is_string(dumped, path, "is told by name");
	ok(was_there, "when it is there");
	dumped[0] = 0;
	name = "/nowhere/at/all";
	is_int(mallctl("prof.dump", NULL, NULL, &name, sizeof(name)), EFAULT,
	       "one that fails");
	is_string(dumped, "", "is not");
	close(fd);
	unlink(path);
}

int main(void)
{
	plan(24);
	check_control();
	check_samples();
	check_stacks();
	check_dump();
	return done_testing();
}
