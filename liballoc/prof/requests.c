/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests from outside (opt.prof_control): looks at the word of the ledger
 * that they are written to, checks them, does them, answers. One thread does
 * each; whatever it asks for, mallctl could have asked for too.
 */
#include "config.h"

#include <errno.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/files.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/state.h"

/* Before boot, and without the option, the word is its own answer. */
uint64_t prof_request_seen;
const uint64_t *prof_request = &prof_request_seen;

static struct ledger_control *control(void)
{
	return ledger_rows(LEDGER_CONTROL);
}

void requests_boot(void)
{
	if (!opt.prof_control)
		return;
	__atomic_store_n(&prof_request, &control()->request, __ATOMIC_RELAXED);
	__atomic_fetch_or(&ledger_header()->flags, LEDGER_PROF_CONTROL,
			  __ATOMIC_RELEASE);
}

static int set_active(unsigned value)
{
	prof_active_set(value);
	return 0;
}

static int set_thread_active_init(unsigned value)
{
	prof_thread_active_init_set(value);
	return 0;
}

static int set_gdump(unsigned value)
{
	prof_gdump_set(value);
	return 0;
}

/* Unlike prof.reset it forgets nothing: rows of counts know their rate. */
static int set_rate(unsigned value)
{
	prof_state_set_rate(value);
	return 0;
}

static int dump(unsigned value)
{
	int error = prof_dump(NULL);

	(void)value;
	/* ENOENT is for who keeps no profile, not for a missing folder. */
	return error == ENOENT && !files_have_no_name() ? EIO : error;
}

static int purge(unsigned value)
{
	(void)value;
	for (unsigned i = 0; i < heap_arena_count(); i++) {
		struct arena *arena = heap_arena(i);

		if (arena)
			heap_arena_purge(arena);
	}
	return 0;
}

static const struct {
	int (*act)(unsigned value);
	unsigned most; /* of the value */
	bool needs_prof;
} acts[] = {
	[LEDGER_SET_ACTIVE] = {set_active, 1, true},
	[LEDGER_SET_THREAD_ACTIVE_INIT] = {set_thread_active_init, 1, true},
	[LEDGER_SET_LG_SAMPLE] = {set_rate, 63, true},
	[LEDGER_SET_GDUMP] = {set_gdump, 1, true},
	[LEDGER_DUMP] = {dump, 0, true},
	[LEDGER_PURGE] = {purge, 0, false},
};

static int act(uint64_t request)
{
	unsigned command = ledger_request_command(request);
	unsigned value = ledger_request_value(request);

	if (request != ledger_request(ledger_request_number(request), command,
				      value) ||
	    command >= sizeof(acts) / sizeof(acts[0]) || !acts[command].act ||
	    value > acts[command].most)
		return EINVAL;
	if (acts[command].needs_prof && !prof_state.ready)
		return ENOENT;
	return acts[command].act(value);
}

static void answer(uint64_t request, int error)
{
	uint64_t number = ledger_request_number(request);

	__atomic_store_n(&control()->answer, number << 32 | (uint32_t)error,
			 __ATOMIC_RELEASE);
}

void requests_serve(void)
{
	int kept_errno = errno;
	uint64_t seen, request;

	seen = __atomic_load_n(&prof_request_seen, __ATOMIC_RELAXED);
	request = __atomic_load_n(prof_request, __ATOMIC_ACQUIRE);
	if (request == seen ||
	    !__atomic_compare_exchange_n(&prof_request_seen, &seen, request,
					 false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return;
	if (request != 0)
		answer(request, act(request));
	errno = kept_errno;
}

/* Inside the profiler a request could wait for what this thread holds. */
void prof_request_serve(void)
{
	struct thread *thread = thread_peek();

	if (thread && !thread->reentrancy)
		requests_serve();
}
