/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When profiles are dumped: at exit, at intervals, at new peaks, above limits,
 * on request, on a signal. One dump at a time: a thread whose allocation finds
 * a dump under way leaves the wish to the one that dumps, and goes on. Whatever
 * fails costs a message and nothing else.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/dump.h"
#include "liballoc/prof/files.h"
#include "liballoc/prof/hooks.h"
#include "liballoc/prof/limits.h"
#include "liballoc/prof/live.h"
#include "liballoc/prof/log.h"
#include "liballoc/prof/peak.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/state.h"
#include "liballoc/prof/tables.h"

/* More than there are kinds of wishes. */
#define MOST_ROUNDS 8u

uint32_t prof_wishes;

static uint64_t interval_bytes; /* allocated towards the next dump */

__attribute__((cold)) void triggers_boot(void)
{
	files_boot();
	prof_gdump_set(opt.prof && opt.prof_gdump);
	prof_thread_active_init_set(opt.prof_thread_active_init);
	if (opt.prof)
		ledger_header()->flags |=
			LEDGER_PROF | (opt.prof_accum ? LEDGER_PROF_ACCUM : 0);
}

void triggers_postfork_child(void)
{
	interval_bytes = 0;
	prof_wishes = 0;
	files_postfork_child();
	limits_postfork_child();
}

/* With no lock held: the program may take the message, and call us. */
static void complain(const char *path, int error)
{
	char reason[FILES_REASON_BYTES];

	warning("cannot write the profile ", path, ": ",
		files_reason(reason, error), NULL);
}

/* Holding the dump lock. */
static int write_dump(const char *path, bool asked_for, enum dump_kind kind)
{
	struct process_stats *process = ledger_process();
	int error = dump_write(path, asked_for, kind == DUMP_PEAK);

	ledger_add_shared(
		error ? &process->prof_dump_failures : &process->prof_dumps, 1);
	return error;
}

/*
 * Holding the dump lock, which it gives back. path: NULL for the next name of
 * the kind. No cancellation of the thread comes through, since the program
 * has asked for memory only.
 */
static int dump_and_release(const char *path, enum dump_kind kind)
{
	char name[DUMP_NAME_BYTES];
	int error = ENOENT, cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	if (!path && !files_have_no_name()) {
		files_name(name, kind);
		path = name;
	}
	if (path)
		error = write_dump(path, path != name, kind);
	if (path == name && !error)
		files_written(kind);
	lock_release(&tables_dump_lock);
	if (path && error)
		complain(path, error);
	else if (path)
		hooks_dumped(thread_peek(), path);
	pthread_setcancelstate(cancel, NULL);
	return error;
}

static bool any_wish(void)
{
	return __atomic_load_n(&prof_wishes, __ATOMIC_RELAXED) != 0;
}

/* Holding the dump lock. False: another thread has seen to it meanwhile. */
static bool take_wish(enum dump_kind *kind)
{
	uint32_t wishes = __atomic_load_n(&prof_wishes, __ATOMIC_ACQUIRE);

	if (!wishes)
		return false;
	*kind = (enum dump_kind)__builtin_ctz(wishes);
	__atomic_fetch_and(&prof_wishes, ~(UINT32_C(1) << *kind),
			   __ATOMIC_ACQ_REL);
	return true;
}

/*
 * Serves the wishes of threads that did not wait. Whoever wishes sets the
 * wish first and tries the lock then, so none is left behind: either he gets
 * the lock, or who holds it looks again after giving it back. Nobody dumps
 * for others without end: what is still wanted then waits for the next look.
 */
static void serve_wishes(void)
{
	enum dump_kind kind;

	for (unsigned round = 0; round < MOST_ROUNDS && any_wish(); round++) {
		if (!lock_try(&tables_dump_lock))
			return;
		if (take_wish(&kind))
			dump_and_release(NULL, kind);
		else
			lock_release(&tables_dump_lock);
	}
}

/* A dump makes no dumps: reentrancy is up, so nothing is offered to us. */
static void serve(struct thread *thread)
{
	int kept_errno = errno;

	if (thread)
		thread->reentrancy++;
	serve_wishes();
	if (thread)
		thread->reentrancy--;
	errno = kept_errno;
}

void prof_serve(void)
{
	struct thread *thread = thread_peek();

	if (!thread || !thread->reentrancy)
		serve(thread);
}

static void wish(enum dump_kind kind)
{
	__atomic_fetch_or(&prof_wishes, UINT32_C(1) << kind, __ATOMIC_ACQ_REL);
}

static __attribute__((noinline)) void count_interval(uint64_t bytes)
{
	uint64_t before, every;

	every = (uint64_t)1 << opt.lg_prof_interval;
	before = __atomic_fetch_add(&interval_bytes, bytes, __ATOMIC_RELAXED);
	if (before / every != (before + bytes) / every)
		wish(DUMP_INTERVAL);
}

/* Not inlined, so that what most events do stays short. */
static __attribute__((noinline)) void look(void)
{
	uint64_t live = live_bytes();

	if (opt.prof_peak)
		peak_look(live);
	if (limits_any() && limits_look(live))
		wish(DUMP_ABOVE);
}

void triggers_count(struct thread *thread, uint64_t bytes)
{
	if (!prof_state.ready)
		return;
	if (opt.lg_prof_interval >= 0)
		count_interval(bytes);
	if ((opt.prof_peak || limits_any()) &&
	    live_is_due(bytes, &thread->prof.untold_bytes))
		look();
	if (any_wish())
		serve(thread);
}

void prof_gdump(void)
{
	if (prof_state.ready && prof_gdump_get())
		wish(DUMP_GDUMP);
}

void prof_tight(void)
{
	if (prof_state.ready && limits_tight())
		wish(DUMP_TIGHT);
}

static int dump_now(const char *path, enum dump_kind kind)
{
	int error;

	lock_take(&tables_dump_lock);
	error = dump_and_release(path, kind);
	serve_wishes();
	return error;
}

static int dump_on_call(const char *path, enum dump_kind kind)
{
	struct thread *thread = thread_peek();
	int error, kept_errno = errno;

	if (!prof_state.ready)
		return ENOENT;
	if (thread)
		thread->reentrancy++;
	error = dump_now(path, kind);
	if (thread)
		thread->reentrancy--;
	errno = kept_errno;
	return error;
}

int prof_dump(const char *path)
{
	return dump_on_call(path, DUMP_CALL);
}

int prof_dump_peak(const char *path)
{
	return peak_is_known() ? dump_on_call(path, DUMP_PEAK) : ENOENT;
}

int prof_prefix_set(const char *new_prefix)
{
	if (!prof_state.ready)
		return ENOENT;
	if (!new_prefix || strlen(new_prefix) >= OPTION_PATH_BYTES)
		return EFAULT;
	lock_take(&tables_dump_lock);
	files_set_prefix(new_prefix);
	lock_release(&tables_dump_lock);
	return 0;
}

/* True where anything leaked. */
static bool report_leaks(void)
{
	char bytes[PRINT_NUMBER_BYTES], objects[PRINT_NUMBER_BYTES];
	char contexts[PRINT_NUMBER_BYTES];
	struct dump_totals totals = {0};

	lock_take(&tables_dump_lock);
	dump_sum(&totals);
	lock_release(&tables_dump_lock);
	if (totals.contexts == 0)
		return false;
	message("Leak approximation summary: ~",
		print_number(bytes, totals.bytes),
		totals.bytes == 1 ? " byte, ~" : " bytes, ~",
		print_number(objects, totals.objects),
		totals.objects == 1 ? " object, >= " : " objects, >= ",
		print_number(contexts, totals.contexts),
		totals.contexts == 1 ? " context" : " contexts", NULL);
	return true;
}

__attribute__((cold)) void prof_exit(void)
{
	static bool once;

	if (!prof_state.ready || once)
		return;
	once = true;
	log_exit();
	if (opt.prof_final)
		dump_now(NULL, DUMP_FINAL);
	if (opt.prof_peak_final && peak_is_known())
		dump_now(NULL, DUMP_PEAK);
	/* exit(), within exit(): goes on with the handlers that are left. */
	if (opt.prof_leak && report_leaks() && opt.prof_leak_error) {
		message("leaks make the exit status 1 (prof_leak_error)", NULL);
		exit(1);
	}
}
