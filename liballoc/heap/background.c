/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The background thread and its life: made by a thread that leaves an
 * allocation (never a free, which libc calls with its own locks held), parked
 * by fork on the lock that it holds while it works, made anew in the child
 * when it is needed there. Never allocates.
 */
#include "config.h"

#include "liballoc/heap/background.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/large_cache.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"

#define STACK_BYTES ((size_t)128 << 10)
/* A signal wakes nobody: whether there was one is looked at so often. */
#define SIGNAL_NS UINT64_C(500000000)
/* Another thread is at what is due: look again. */
#define AGAIN_NS UINT64_C(1000000)
/* The system gave no thread: not asked again for so long. */
#define RETRY_NS UINT64_C(1000000000)

/* A heap that grew by so much will have something to give back. */
#define ENOUGH_BYTES ((size_t)2 << 20)

enum life {
	LIFE_NONE,
	LIFE_CHANGING, /* some thread starts or ends it */
	LIFE_RUNNING,
};

/* Held while the background thread works; fork takes it. */
static struct lock lock = LOCK_INIT(LOCK_BACKGROUND);
static int life;
static bool ready, wanted, stopping, needed;
static uint64_t retry_ns;
static size_t max_threads;
static uint32_t wakes; /* the futex: counts what happened */
static pthread_t background;
/* Of the runs so far: the sum of the sleeps before them. */
static uint64_t slept_ns;

static bool is(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

static void wake(void)
{
	int kept_errno = errno;

	__atomic_fetch_add(&wakes, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &wakes, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL,
		NULL, 0);
	errno = kept_errno;
}

/* Until due_ns by the monotonic clock, or a wake-up since seen. */
static void sleep_until(uint32_t seen, uint64_t due_ns)
{
	struct timespec due = {
		.tv_sec = (time_t)(due_ns / 1000000000u),
		.tv_nsec = (long)(due_ns % 1000000000u),
	};

	syscall(SYS_futex, &wakes, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen,
		due_ns == WAITING_NEVER ? NULL : &due, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

static void work(void)
{
	struct process_stats *process = ledger_process();

	lock_take(&lock);
	exchange_trim();
	waiting_decay();
	ledger_add(&process->background_runs, 1);
	ledger_set(&process->background_interval_ns,
		   slept_ns / ledger_get(&process->background_runs));
	lock_release(&lock);
}

/* When the large extents that threads have cached are looked at again. */
struct look {
	uint64_t due_ns;
	bool last; /* none was left, but one may just have been put in */
};

static bool look_is_wanted(const struct look *look)
{
	return look->last ||
	       __atomic_load_n(&large_cache_any, __ATOMIC_RELAXED);
}

static void look_at_large(struct look *look, uint64_t now)
{
	bool any = __atomic_load_n(&large_cache_any, __ATOMIC_RELAXED);

	if (!look_is_wanted(look) || now < look->due_ns)
		return;
	__atomic_store_n(&large_cache_any, false, __ATOMIC_SEQ_CST);
	lock_take(&lock);
	if (thread_steal_large(true))
		__atomic_store_n(&large_cache_any, true, __ATOMIC_RELAXED);
	lock_release(&lock);
	look->last = any;
	look->due_ns = now + IDLE_LOOK_NS;
}

static uint64_t next_due(uint64_t now, const struct look *look)
{
	uint64_t due = __atomic_load_n(&waiting_due_ns, __ATOMIC_SEQ_CST);

	if (look_is_wanted(look) && look->due_ns < due)
		due = look->due_ns;
	if (opt.prof_signal && due > now + SIGNAL_NS)
		return now + SIGNAL_NS;
	return due <= now ? now + AGAIN_NS : due;
}

static void *run(void *unused)
{
	uint64_t before = os_now_ns(), now;
	struct look look = {.due_ns = 0};

	prctl(PR_SET_NAME, "liballoc_purge");
	thread_busy++; /* what a library's hook might ask for: emergency */
	while (!is(&stopping)) {
		uint32_t seen = __atomic_load_n(&wakes, __ATOMIC_SEQ_CST);

		if (__atomic_load_n(&waiting_due_ns, __ATOMIC_SEQ_CST) <=
		    os_now_ns()) {
			now = os_now_ns();
			slept_ns += now - before;
			before = now;
			work();
		}
		look_at_large(&look, os_now_ns());
		if (__atomic_load_n(&prof_wishes, __ATOMIC_RELAXED))
			prof_serve();
		if (!is(&stopping))
			sleep_until(seen, next_due(os_now_ns(), &look));
	}
	return unused;
}

static bool make_thread(void)
{
	sigset_t all, kept;
	pthread_attr_t attributes;
	int error;

	sigfillset(&all);
	if (pthread_attr_init(&attributes))
		return false;
	pthread_sigmask(SIG_SETMASK, &all, &kept);
	error = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (!error)
		error = pthread_create(&background, &attributes, run, NULL);
	/* A program with much thread-local data needs more than that. */
	if (error == EINVAL)
		error = pthread_create(&background, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &kept, NULL);
	pthread_attr_destroy(&attributes);
	return !error;
}

/* From one state to the other, through CHANGING; false: it was not in from. */
static bool change(int from, int to)
{
	return __atomic_compare_exchange_n(&life, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* pthread_create() allocates, and so may come back here: it finds CHANGING. */
static bool start(void)
{
	int kept_errno = errno;
	bool made;

	if (!change(LIFE_NONE, LIFE_CHANGING))
		return true;
	set(&stopping, false);
	made = make_thread();
	__atomic_store_n(&life, made ? LIFE_RUNNING : LIFE_NONE,
			 __ATOMIC_SEQ_CST);
	/* It may have looked and gone to sleep; since then nobody woke it. */
	if (made)
		wake();
	ledger_set(&ledger_process()->background_threads, made);
	errno = kept_errno;
	return made;
}

/* The thread that waits cannot be cancelled meanwhile: others wait for it. */
static void join(void)
{
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_join(background, NULL);
	pthread_setcancelstate(cancel, NULL);
}

static void stop(void)
{
	int kept_errno = errno;

	if (!change(LIFE_RUNNING, LIFE_CHANGING))
		return;
	set(&stopping, true);
	wake();
	join();
	ledger_set(&ledger_process()->background_threads, 0);
	__atomic_store_n(&life, LIFE_NONE, __ATOMIC_SEQ_CST);
	errno = kept_errno;
}

__attribute__((cold)) void background_boot(void)
{
	max_threads = opt.max_background_threads;
	set(&wanted, opt.background_thread);
	set(&ready, true);
}

void background_exit(void)
{
	set(&ready, false);
}

bool background_get(void)
{
	return is(&wanted);
}

bool background_running(void)
{
	return __atomic_load_n(&life, __ATOMIC_RELAXED) == LIFE_RUNNING;
}

/* Another thread may be changing it: his is done first. */
static void await_change(void)
{
	while (__atomic_load_n(&life, __ATOMIC_SEQ_CST) == LIFE_CHANGING)
		sched_yield();
}

bool background_set(bool on)
{
	set(&wanted, on);
	await_change();
	if (!on)
		stop();
	else if (!start())
		set(&wanted, false);
	return !on || background_get();
}

size_t background_max(void)
{
	return __atomic_load_n(&max_threads, __ATOMIC_RELAXED);
}

bool background_set_max(size_t max)
{
	if (!max || max > opt.max_background_threads)
		return false;
	__atomic_store_n(&max_threads, max, __ATOMIC_RELAXED);
	return true;
}

void background_leave(void)
{
	uint64_t now;

	if (!is(&wanted) || background_running())
		return;
	if (!is(&needed) && __atomic_load_n(&waiting_grown_bytes,
					    __ATOMIC_RELAXED) < ENOUGH_BYTES)
		return;
	if (!is(&ready) || !thread_peek())
		return;
	now = os_now_ns();
	if (now < __atomic_load_n(&retry_ns, __ATOMIC_RELAXED))
		return;
	if (!start())
		__atomic_store_n(&retry_ns, now + RETRY_NS, __ATOMIC_RELAXED);
}

void background_wake(void)
{
	if (!is(&needed))
		set(&needed, true);
	if (background_running())
		wake();
}

void background_last_thread(void)
{
	stop();
}

struct lock *background_lock(void)
{
	return &lock;
}

void background_prefork(void)
{
	lock_take_for_fork(&lock);
}

void background_postfork_parent(void)
{
	lock_release_for_fork(&lock);
}

/* It is not here, but what it knew how to do may be wanted again. */
void background_postfork_child(void)
{
	lock_reset(&lock);
	life = LIFE_NONE;
	stopping = needed = false;
	slept_ns = 0;
	ledger_set(&ledger_process()->background_threads, 0);
	ledger_set(&ledger_process()->background_runs, 0);
}
