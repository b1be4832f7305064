/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that are kept for a library do not outlive it: another library with
 * other frames, loaded where the first was, is walked by its own. And a
 * library's rules are kept at all.
 */
#include "config.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <unwind.h>

#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/unwind/rules.h"
#include "liballoc/prof/unwind/unwind.h"
#include "tap/tap.h"

#define MOST 100u
#define ROUNDS 300u

static struct own_stack own;
static struct walk_memo memo;
static unsigned wrong, kept;
static uint64_t in_library;

struct trace {
	uint64_t pc[MOST];
	unsigned depth;
};

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg)
{
	struct trace *trace = arg;

	if (trace->depth < MOST && _Unwind_GetIP(context))
		trace->pc[trace->depth++] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

/* Called by the library: the frames above are its own and main's. */
static __attribute__((noinline)) void compare(void)
{
	uint64_t frames[BACKTRACE_MAX];
	struct trace theirs = {.depth = 0};
	struct unwind_registers here;
	bool truncated;
	unsigned depth;

	_Unwind_Backtrace(note, &theirs);
	/* libgcc's first frame is this function, ours its caller. */
	for (unsigned i = 0; i < 8; i++) {
		unwind_capture(&here);
		depth = backtrace_from(&here, frames, MOST, &own, &memo,
				       &truncated);
		if (depth + 1 != theirs.depth ||
		    memcmp(frames, theirs.pc + 1, depth * 8) != 0)
			wrong++;
	}
	in_library = rule_key(theirs.pc[1] - 1);
	kept += rule_find(in_library, rule_cache_mask) != RULE_NONE;
}

static void name_library(char *path, const char *name)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[n < 0 ? 0 : n] = 0;
	for (char *slash = strrchr(path, '/'); slash; slash = NULL)
		snprintf(slash, (size_t)(path + PATH_MAX - slash),
			 "/.libs/%s.so", name);
}

/* Runs call_back in the library; where that was. */
static void *visit(const char *name)
{
	static char path[PATH_MAX];
	void (*call)(void (*)(void));
	void *library, *at;

	name_library(path, name);
	library = dlopen(path, RTLD_NOW);
	if (!library) {
		tap_line("Bail out! %s\n", dlerror());
		exit(2);
	}
	at = dlsym(library, "call_back");
	*(void **)&call = at;
	call(compare);
	dlclose(library);
	return at;
}

int main(void)
{
	unsigned same_place = 0;
	void *last = NULL;

	plan(4);
	free(malloc(1));
	for (unsigned i = 0; i < ROUNDS; i++) {
		void *at = visit(i % 2 ? "frame_small" : "frame_large");

		same_place += at == last;
		last = at;
	}
	is_uint(wrong, 0, "stacks are libgcc's each time");
	is_uint(kept, ROUNDS, "by rules that are kept");
	ok(same_place > ROUNDS / 2, "in the same place (%u times)", same_place);
	is_uint(rule_find(in_library, rule_cache_mask), RULE_NONE,
		"and forgotten in the end");
	return done_testing();
}
