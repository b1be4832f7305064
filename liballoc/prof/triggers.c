/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When and where profiles are dumped: by name or by prof_prefix; at exit, at
 * intervals, at new peaks, on request. One dump at a time: a thread whose
 * allocation finds a dump under way leaves the wish to the one that dumps,
 * and goes on. Whatever fails costs a message and nothing else.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/dump.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/state.h"
#include "liballoc/prof/tables.h"
#include "liballoc/prof/writer.h"

/* The kinds of dump, as their letter in the file's name. */
enum {
	KIND_FINAL = 'f',
	KIND_INTERVAL = 'i',
	KIND_CALL = 'm',
	KIND_PEAK = 'u'
};

#define MOST_ROUNDS 4u

/* Guarded by the dump lock. */
static char prefix[OPTION_PATH_BYTES];
_Static_assert(sizeof(prefix) == sizeof(opt.prof_prefix), "copied whole");
static uint64_t sequence, interval_sequence, call_sequence, peak_sequence;

static uint64_t interval_bytes; /* allocated towards the next dump */
static bool interval_wanted, peak_wanted;

void triggers_boot(void)
{
	memcpy(prefix, opt.prof_prefix, sizeof(prefix));
	prof_gdump_set(opt.prof && opt.prof_gdump);
	prof_thread_active_init_set(opt.prof_thread_active_init);
	if (opt.prof)
		ledger_header()->flags |=
			LEDGER_PROF | (opt.prof_accum ? LEDGER_PROF_ACCUM : 0);
}

void triggers_postfork_child(void)
{
	interval_bytes = 0;
	interval_wanted = peak_wanted = false;
}

static uint64_t *kind_sequence(int kind)
{
	switch (kind) {
	case KIND_INTERVAL:
		return &interval_sequence;
	case KIND_CALL:
		return &call_sequence;
	case KIND_PEAK:
		return &peak_sequence;
	default:
		return NULL;
	}
}

static char *append(char *to, const char *end, const char *text)
{
	while (*text && to < end)
		*to++ = *text++;
	return to;
}

/* <prefix>.<pid>.<seq>.<kind>[<kind's seq>].heap */
static void name_dump(char *name, size_t size, int kind)
{
	char number[PRINT_NUMBER_BYTES], letter[] = {(char)kind, 0};
	uint64_t *own = kind_sequence(kind);
	const char *end = name + size - 1;
	char *to = append(name, end, prefix);

	to = append(to, end, ".");
	to = append(to, end, print_number(number, (uint64_t)getpid()));
	to = append(to, end, ".");
	to = append(to, end, print_number(number, sequence++));
	to = append(to, end, ".");
	to = append(to, end, letter);
	if (own)
		to = append(to, end, print_number(number, (*own)++));
	to = append(to, end, ".heap");
	*to = 0;
}

/* Not strerror(), which may read a catalogue, and allocate. */
static const char *reason(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "permission denied";
	case ENOENT:
		return "no such directory";
	case ENOTDIR:
		return "a part of the path is not a directory";
	case EISDIR:
		return "it is a directory";
	case ENOSPC:
	case EDQUOT:
		return "no space left";
	case EROFS:
		return "read-only file system";
	case EFBIG:
		return "the file would be too large";
	case EMFILE:
	case ENFILE:
		return "too many open files";
	case ENAMETOOLONG:
		return "the name is too long";
	case ENOMEM:
		return "out of memory";
	default:
		return NULL;
	}
}

/* Holding the dump lock. */
static int write_dump(const char *path)
{
	struct process_stats *process = ledger_process();
	int error = dump_write(path, NULL);
	char number[PRINT_NUMBER_BYTES];

	if (error == 0) {
		ledger_add_shared(&process->prof_dumps, 1);
		return 0;
	}
	ledger_add_shared(&process->prof_dump_failures, 1);
	if (reason(error))
		warning("cannot write the profile ", path, ": ", reason(error),
			NULL);
	else
		warning("cannot write the profile ", path, ": error ",
			print_number(number, (uint64_t)error), NULL);
	return error;
}

static int dump_named(int kind)
{
	char path[OPTION_PATH_BYTES + 64];

	name_dump(path, sizeof(path), kind);
	return write_dump(path);
}

static bool take_wish(bool *wish)
{
	return __atomic_exchange_n(wish, false, __ATOMIC_ACQ_REL);
}

/*
 * Serves the wishes of threads that did not wait. Whoever wishes sets the
 * wish first and tries the lock then, so none is left behind: either he gets
 * the lock, or who holds it looks again after giving it back. Nobody dumps
 * for others without end: what is still wanted then waits for the next event.
 */
static void serve_wishes(void)
{
	for (unsigned round = 0; round < MOST_ROUNDS; round++) {
		if (!__atomic_load_n(&interval_wanted, __ATOMIC_ACQUIRE) &&
		    !__atomic_load_n(&peak_wanted, __ATOMIC_ACQUIRE))
			return;
		if (!lock_try(&tables_dump_lock))
			return;
		if (take_wish(&interval_wanted) && prefix[0])
			dump_named(KIND_INTERVAL);
		if (take_wish(&peak_wanted) && prefix[0])
			dump_named(KIND_PEAK);
		lock_release(&tables_dump_lock);
	}
}

/* A dump makes no dumps: reentrancy is up, so nothing is offered to us. */
static void wish(bool *which)
{
	struct thread *thread = thread_peek();
	int kept_errno = errno;

	__atomic_store_n(which, true, __ATOMIC_RELEASE);
	if (thread)
		thread->reentrancy++;
	serve_wishes();
	if (thread)
		thread->reentrancy--;
	errno = kept_errno;
}

void triggers_count(uint64_t bytes)
{
	uint64_t before, every;

	if (!prof_state.ready || opt.lg_prof_interval < 0)
		return;
	every = (uint64_t)1 << opt.lg_prof_interval;
	before = __atomic_fetch_add(&interval_bytes, bytes, __ATOMIC_RELAXED);
	if (before / every != (before + bytes) / every)
		wish(&interval_wanted);
}

void prof_gdump(void)
{
	if (prof_state.ready && prof_gdump_get())
		wish(&peak_wanted);
}

static int dump_now(const char *path, int kind)
{
	int error;

	lock_take(&tables_dump_lock);
	if (path)
		error = write_dump(path);
	else
		error = prefix[0] ? dump_named(kind) : ENOENT;
	lock_release(&tables_dump_lock);
	serve_wishes();
	return error;
}

int prof_dump(const char *path)
{
	struct thread *thread = thread_peek();
	int error, kept_errno = errno;

	if (!prof_state.ready)
		return ENOENT;
	if (thread)
		thread->reentrancy++;
	error = dump_now(path, KIND_CALL);
	if (thread)
		thread->reentrancy--;
	errno = kept_errno;
	return error;
}

int prof_prefix_set(const char *new_prefix)
{
	if (!prof_state.ready)
		return ENOENT;
	if (!new_prefix || strlen(new_prefix) >= sizeof(prefix))
		return EFAULT;
	lock_take(&tables_dump_lock);
	strcpy(prefix, new_prefix);
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
	dump_write(NULL, &totals);
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

void prof_exit(void)
{
	static bool once;

	if (!prof_state.ready || once)
		return;
	once = true;
	if (opt.prof_final)
		dump_now(NULL, KIND_FINAL);
	/* exit(), within exit(): goes on with the handlers that are left. */
	if (opt.prof_leak && report_leaks() && opt.prof_leak_error) {
		message("leaks make the exit status 1 (prof_leak_error)", NULL);
		exit(1);
	}
}
