/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sampler: draws intervals, takes samples, forgets them when objects are
 * freed. Owns the life of the profiler's part of each thread. Decides nothing
 * about dumps.
 */
#include "config.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/hooks.h"
#include "liballoc/prof/log.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/random.h"
#include "liballoc/prof/recent.h"
#include "liballoc/prof/signal.h"
#include "liballoc/prof/state.h"
#include "liballoc/prof/tables.h"
#include "liballoc/prof/unload.h"
#include "liballoc/prof/unwind/unwind.h"

/* Where no profile is kept, events serve the heap's statistics alone. */
#define IDLE_INTERVAL ((int64_t)1 << 20)

/* What a reader of the ledger goes by. */
static void tell_readers(void)
{
	uint32_t flags = LEDGER_PROF | (opt.prof_accum ? LEDGER_PROF_ACCUM : 0);

	__atomic_fetch_or(&ledger_header()->flags, flags, __ATOMIC_RELAXED);
}

__attribute__((cold)) void prof_boot(void)
{
	triggers_boot();
	requests_boot();
	if (!opt.prof)
		return;
	random_boot();
	backtrace_boot();
	unload_boot();
	if (!tables_boot()) {
		warning("no memory for the profiler: nothing is sampled", NULL);
		return;
	}
	prof_state_set_rate((unsigned)opt.lg_prof_sample);
	prof_state.ready = true;
	recent_boot();
	log_boot();
	tell_readers();
	prof_active_set(opt.prof_active);
	signal_boot();
}

void prof_thread_start(struct thread *thread)
{
	struct prof_thread *prof = &thread->prof;
	int os_tid = os_thread_id();

	prof->active = prof_thread_active_init_get();
	prof->ledger_row = ledger_thread_new(thread->uid, os_tid);
	if (prof->ledger_row == 0 && prof_state.ready) {
		tables_fold(true);
		prof->ledger_row = ledger_thread_new(thread->uid, os_tid);
	}
	prof_thread_name_follow(thread);
}

void prof_thread_exit(struct thread *thread)
{
	prof_publish_own(thread);
	ledger_thread_exit(thread->prof.ledger_row);
	thread->prof.ledger_row = 0;
	if (prof_state.ready)
		tables_note_exit();
}

void prof_publish(void)
{
	if (prof_state.ready)
		tables_tell_totals();
}

void prof_publish_own(struct thread *thread)
{
	if (prof_state.ready)
		tables_tell_totals_of(thread->prof.ledger_row);
}

int64_t prof_next_interval(struct thread *thread)
{
	struct prof_thread *prof = &thread->prof;
	const uint64_t *random = prof->random;
	int64_t interval;

	if (!prof_state.ready)
		return IDLE_INTERVAL;
	if (!random[0] && !(random[1] | random[2] | random[3]))
		random_seed(prof->random, thread->uid);
	prof->lg_sample = (uint8_t)prof_state_rate();
	interval = random_interval(prof->random, prof->lg_sample);
	/* The distribution has no memory: the rest is drawn when it is due. */
	prof->cut = interval > PROF_INTERVAL_MAX;
	return prof->cut ? PROF_INTERVAL_MAX : interval;
}

/*
 * An interval that was cut ended within this object, at a byte that need not
 * be a sampled one: is there one among the object's bytes from there on?
 */
static bool draw_rest(struct thread *thread, size_t usable_bytes, uint64_t rest)
{
	if (!thread->prof.cut)
		return true;
	if (rest > usable_bytes)
		rest = usable_bytes;
	return (uint64_t)random_interval(thread->prof.random,
					 thread->prof.lg_sample) < rest;
}

bool prof_picks(struct thread *thread, size_t usable_bytes, uint64_t rest_bytes)
{
	bool pick = prof_state.ready && prof_state_active() &&
		    thread->prof.active &&
		    draw_rest(thread, usable_bytes, rest_bytes);

	thread->prof.pick = pick ? PICK_YES : PICK_NO;
	return pick;
}

/* At so many bytes a sample, or fewer, a busy thread's are microseconds apart.
 */
#define NEAR_LG_SAMPLE 15u

/* So are those of one whose objects are so large that most are samples. */
static bool is_often(const struct prof_thread *prof)
{
	return prof->lg_sample <= NEAR_LG_SAMPLE || prof->took_large;
}

static uint64_t now_ns(struct thread *thread)
{
	return thread && is_often(&thread->prof)
		       ? near_clock_ns(&thread->prof.clock)
		       : os_clock_ns();
}

/* Of a row that is not shared, as row 0 is, its thread is the only writer. */
static void count_taken(struct thread *thread)
{
	uint32_t row = thread->prof.ledger_row;
	uint64_t *word = &ledger_thread_stats(row)->samples;

	if (row)
		ledger_add(word, 1);
	else
		ledger_add_shared(word, 1);
}

static void count_dropped(size_t usable_bytes)
{
	ledger_add_shared(&ledger_process()->prof_dropped_samples, 1);
	ledger_add_shared(&ledger_process()->prof_dropped_bytes, usable_bytes);
}

/* False where there is none to be had. A hook may say that it is empty. */
static bool take_stack(struct thread *thread,
		       const struct unwind_registers *from,
		       uint64_t frames[BACKTRACE_MAX], unsigned *depth,
		       bool *truncated)
{
	*truncated = false;
	if (hooks_have(PROF_HOOK_BACKTRACE)) {
		*depth = hooks_backtrace(frames, opt.prof_bt_max);
		return true;
	}
	*depth = backtrace_from(from, frames, opt.prof_bt_max,
				&thread->prof.stack, &thread->walk_memo,
				truncated);
	if (*truncated)
		ledger_add_shared(&ledger_process()->prof_truncated_stacks, 1);
	return *depth != 0;
}

void prof_pass_over(struct thread *thread)
{
	thread->prof.pick = PICK_OPEN;
}

static uint32_t add(const struct sampled *what, const uint64_t *frames,
		    unsigned depth, struct tables_place *place)
{
	uint32_t sample = tables_add(what, frames, depth, place);

	if (sample)
		return sample;
	tables_fold(false);
	return tables_add(what, frames, depth, place);
}

/* Not inlined, so that its frame is there only while a stack is taken. */
static __attribute__((noinline)) uint32_t
take_anew(struct thread *thread, const struct sampled *what,
	  const struct unwind_registers *from)
{
	uint64_t frames[BACKTRACE_MAX];
	struct tables_place *place = &thread->prof.place;
	uint32_t sample = 0;
	bool truncated;
	unsigned depth;

	place->stack = 0;
	if (take_stack(thread, from, frames, &depth, &truncated))
		sample = add(what, frames, depth, place);
	/* A walk that is this one again says nothing of these. */
	if (truncated || hooks_have(PROF_HOOK_BACKTRACE))
		place->stack = 0;
	if (sample && hooks_have(PROF_HOOK_SAMPLE))
		hooks_sampled(thread, what, frames, depth);
	return sample;
}

/* Is the stack the one of the last sample, and nobody wants to see it? */
static bool is_again(const struct thread *thread,
		     const struct unwind_registers *from)
{
	return thread->prof.place.stack && !hooks_have(PROF_HOOK_SAMPLE) &&
	       !hooks_have(PROF_HOOK_BACKTRACE) &&
	       unwind_is_again(from, &thread->prof.stack.known,
			       &thread->walk_memo);
}

static uint32_t take(struct thread *thread, const struct sampled *what)
{
	struct unwind_registers here;
	uint32_t sample = 0;

	unwind_capture(&here);
	if (is_again(thread, &here))
		sample = tables_add_again(what, &thread->prof.place);
	return sample ? sample : take_anew(thread, what, &here);
}

static uint32_t sample(struct thread *thread, void *ptr, size_t requested_bytes,
		       size_t usable_bytes, unsigned size_class)
{
	struct sampled what = {
		.address = (uintptr_t)ptr,
		.requested_bytes = requested_bytes,
		.usable_bytes = usable_bytes,
		.thread = thread->prof.ledger_row,
		.size_class = size_class,
		.lg_sample = thread->prof.lg_sample,
	};
	uint32_t taken;

	thread->prof.took_large = usable_bytes >> thread->prof.lg_sample;
	what.birth_ns = now_ns(thread);
	/* It may have been renamed since it started. */
	if (opt.prof_sys_thread_name)
		prof_thread_name_follow(thread);
	taken = take(thread, &what);
	if (taken)
		count_taken(thread);
	else
		count_dropped(usable_bytes);
	return taken;
}

uint32_t prof_sample(struct thread *thread, void *ptr, size_t requested_bytes,
		     size_t usable_bytes, unsigned size_class)
{
	uint64_t passed =
		(uint64_t)(thread->countdown_start - thread->countdown);
	int kept_errno = errno;
	uint32_t taken = 0;

	if (thread->prof.pick == PICK_OPEN)
		prof_picks(thread, usable_bytes, -(uint64_t)thread->countdown);
	if (thread->prof.pick == PICK_YES)
		taken = sample(thread, ptr, requested_bytes, usable_bytes,
			       size_class);
	thread->prof.pick = PICK_OPEN;
	triggers_count(thread, passed);
	/* A thread that reuses large objects comes by here alone. */
	if (prof_request_waits())
		requests_serve();
	errno = kept_errno;
	return taken;
}

/* Does anybody want to know where the object is freed? */
static bool is_traced(uint64_t address)
{
	return log_is_on() || (recent_is_on() && recent_has(address));
}

/* Not inlined: room for a stack is wanted while its free is traced only. */
static __attribute__((noinline)) bool forget_traced(struct thread *thread,
						    uint32_t sample,
						    uint64_t address,
						    struct sampled *was)
{
	uint64_t frames[BACKTRACE_MAX];
	struct freed_by by = {.thread = thread->prof.ledger_row,
			      .now_ns = now_ns(thread),
			      .frames = frames};
	struct unwind_registers here;
	bool truncated, known;
	int kept_errno = errno;

	unwind_capture(&here);
	/* A hook for stacks may allocate. */
	thread->reentrancy++;
	if (!take_stack(thread, &here, frames, &by.depth, &truncated))
		by.frames = NULL;
	thread->reentrancy--;
	known = tables_remove_by(sample, address, &by, was);
	errno = kept_errno;
	return known;
}

static bool forget(struct thread *thread, uint32_t sample, uint64_t address,
		   struct sampled *was)
{
	struct freed_by by = {
		.thread = thread ? thread->prof.ledger_row : 0,
		.now_ns = now_ns(thread),
	};

	return tables_remove_by(sample, address, &by, was);
}

/* Not inlined, so that what most frees do need not make room. */
static __attribute__((noinline)) void
forget_and_tell(struct thread *thread, void *ptr, uint32_t sample)
{
	uintptr_t address = (uintptr_t)ptr;
	struct sampled was;
	bool known;

	if (thread && is_traced(address))
		known = forget_traced(thread, sample, address, &was);
	else
		known = forget(thread, sample, address, &was);
	if (known && hooks_have(PROF_HOOK_SAMPLE_FREE))
		hooks_freed(thread, ptr, was.usable_bytes);
}

void prof_free(struct thread *thread, void *ptr, uint32_t sample)
{
	if (!prof_state.ready)
		return;
	unload_freed(ptr);
	if (!sample)
		return;
	if (hooks_have(PROF_HOOK_SAMPLE_FREE) || log_is_on() || recent_is_on())
		forget_and_tell(thread, ptr, sample);
	else
		forget(thread, sample, (uintptr_t)ptr, NULL);
}

unsigned prof_peek(uint32_t sample, uint64_t address, uint64_t *requested_bytes,
		   uint64_t *frames, unsigned max)
{
	return prof_state.ready && sample
		       ? tables_peek(sample, address, requested_bytes, frames,
				     max)
		       : 0;
}

void prof_prefork(void)
{
	if (!prof_state.ready)
		return;
	tables_prefork();
	unload_prefork();
}

void prof_postfork_parent(void)
{
	if (!prof_state.ready)
		return;
	unload_postfork_parent();
	tables_postfork_parent();
}

void prof_postfork_child(struct thread *thread)
{
	if (prof_state.ready) {
		unload_postfork_child();
		tables_postfork_child();
		random_boot();
		triggers_postfork_child();
	}
	ledger_postfork_child(thread ? thread->prof.ledger_row : 0,
			      os_thread_id());
	/* The interval under way was drawn by the parent: it is as good. */
	if (thread)
		for (unsigned i = 0; i < 4; i++)
			thread->prof.random[i] = 0;
}
