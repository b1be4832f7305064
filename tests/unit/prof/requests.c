/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests from outside: what is asked for by the rules is done once, and
 * answered; what is not changes nothing.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "tap/tap.h"

/* More than a thread keeps, and less than may wait in any case. */
#define LARGE ((size_t)5 << 20)

const char *malloc_conf = "prof_control:true,prof_prefix:";

static struct ledger_control *control(void)
{
	return ledger_rows(LEDGER_CONTROL);
}

/* A stay in the slow paths. */
static void visit(void)
{
	void *ptr = heap_allocate(LARGE, 0, false, NULL);

	heap_free(ptr, NULL);
}

static uint32_t next_number = 1;

/* The error that it was answered with; -1: it was not. */
static int ask_word(uint64_t request)
{
	uint64_t answer;

	control()->request = request;
	visit();
	answer = control()->answer;
	return answer >> 32 == ledger_request_number(request)
		       ? (int)(uint32_t)answer
		       : -1;
}

static int ask(unsigned command, unsigned value)
{
	return ask_word(ledger_request(next_number++, command, value));
}

static void check_good(void)
{
	uint64_t purged;
	void *object;

	ok(ledger_header()->flags & LEDGER_PROF_CONTROL, "the option is told");
	is_int(ask(LEDGER_SET_ACTIVE, 0), 0, "sampling can be switched off");
	ok(!prof_active_get(), "and is");
	is_int(ask(LEDGER_SET_ACTIVE, 1), 0, "and on");
	ok(prof_active_get(), "and is");
	is_int(ask(LEDGER_SET_LG_SAMPLE, 9), 0, "the rate can be set");
	is_uint(prof_lg_sample_get(), 9, "and is");
	is_int(ask(LEDGER_SET_THREAD_ACTIVE_INIT, 0), 0,
	       "what new threads begin with");
	ok(!prof_thread_active_init_get(), "too");
	is_int(ask(LEDGER_SET_GDUMP, 1), 0, "dumps at peaks");
	ok(prof_gdump_get(), "too");
	prof_gdump_set(false);
	is_int(ask(LEDGER_DUMP, 0), ENOENT, "a dump that has no name fails");
	object = heap_allocate(LARGE + LARGE / 4, 0, false, NULL);
	memset(object, 1, LARGE + LARGE / 4);
	heap_free(object, NULL);
	purged = ledger_arena(0)->dirty_purged;
	is_int(ask(LEDGER_PURGE, 0), 0, "a purge");
	ok(ledger_arena(0)->dirty_purged > purged, "gives pages back");
}

static void check_bad(void)
{
	static const struct {
		unsigned command, value;
	} bad[] = {
		{LEDGER_SET_ACTIVE, 2},
		{LEDGER_SET_LG_SAMPLE, 64},
		{LEDGER_SET_GDUMP, 65535},
		{LEDGER_DUMP, 1},
		{0, 0},
		{7, 0},
		{255, 65535},
	};
	uint64_t good = ledger_request(77, LEDGER_SET_ACTIVE, 0);

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(ask(bad[i].command, bad[i].value) == EINVAL,
		   "command %u with value %u is refused", bad[i].command,
		   bad[i].value);
	is_int(ask_word(good ^ 1), EINVAL, "so is a wrong check");
	is_int(ask_word(good ^ 1 << 16), EINVAL, "or another value under it");
	is_int(ask_word(UINT64_MAX), EINVAL, "or all ones");
	is_int(ask_word(0), -1, "nothing at all is no request");
	ok(prof_active_get() && prof_lg_sample_get() == 9 &&
		   !prof_gdump_get() && ledger_process()->prof_dumps == 0,
	   "and nothing has changed");
}

static void check_once(void)
{
	ask(LEDGER_SET_ACTIVE, 0);
	prof_active_set(true);
	visit();
	ok(prof_active_get(), "a request is done once");
	control()->request = ledger_request(99, LEDGER_SET_ACTIVE, 0);
	thread_get()->reentrancy++;
	visit();
	ok(prof_active_get(), "not while the thread is in the profiler");
	thread_get()->reentrancy--;
	visit();
	ok(!prof_active_get(), "but after");
	prof_active_set(true);
}

/* With the countdown alone: no slow path but the event's. */
static void check_event(void)
{
	struct thread *thread = thread_get();
	uint64_t request = ledger_request(123, LEDGER_SET_ACTIVE, 0);

	control()->request = request;
	thread->reentrancy++;
	prof_sample(thread, &request, 1, 16, 0);
	thread->reentrancy--;
	ok(!prof_active_get(), "an event sees a request as well");
}

static void check_fork(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		prof_active_set(true);
		visit();
		_exit(prof_active_get() ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "the child does not do it again");
}

int main(void)
{
	plan(31);
	heap_boot();
	check_good();
	check_bad();
	check_once();
	check_event();
	check_fork();
	return done_testing();
}
