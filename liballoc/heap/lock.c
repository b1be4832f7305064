/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mutex: spins a little, since what it guards is short, then sleeps on
 * the futex. Owns the check of ranks and the counts, which cost no atomic
 * operation, and no look at the clock unless a thread sleeps; never allocates.
 *
 * Releasing is a plain store, and then a look at whether anybody sleeps: most
 * locks are free again before another thread wants them, and a locked
 * instruction would cost as much as the rest of taking and releasing one. But
 * the processor may look before others see the store, and who is on the way to
 * sleep while another thread releases and a third one takes the lock is not
 * there to be woken: so nobody sleeps for long at a time, SLEEP_NS at first.
 */
#include "config.h"

#include "liballoc/heap/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/alone.h"
#include "liballoc/heap/os.h"
#include "liballoc/ledger/ledger.h"

#if defined(LIBALLOC_DEBUG) || defined(JEHEAP_DEVELOPER)
/* Bit r: this thread holds a lock of rank r. */
static __thread uint32_t held_ranks;

/* Which others may be giving it: lock_set_rank(). */
static unsigned rank_of(const struct lock *lock)
{
	return __atomic_load_n(&lock->rank, __ATOMIC_RELAXED);
}

static void check_rank(const struct lock *lock)
{
	if (held_ranks >> rank_of(lock))
		os_die("a lock was taken out of order:", lock);
}

static void note_taken(const struct lock *lock)
{
	held_ranks |= 1u << rank_of(lock);
}

static void note_released(const struct lock *lock)
{
	if (!(held_ranks & 1u << rank_of(lock)))
		os_die("a lock was released that was not held:", lock);
	held_ranks &= ~(1u << rank_of(lock));
}
#else
static void check_rank(const struct lock *lock)
{
	(void)lock;
}

static void note_taken(const struct lock *lock)
{
	(void)lock;
}

static void note_released(const struct lock *lock)
{
	(void)lock;
}
#endif

/* A sleep ends by itself after so long, the first one and any. */
#define SLEEP_NS 1000000
#define MOST_SLEEP_NS (16 * SLEEP_NS)

/* Its address stands for the thread. */
static __thread char self;

/* By the lock's holder; read from anywhere. */
static void add(uint64_t *word, uint64_t delta)
{
	__atomic_store_n(word, *word + delta, __ATOMIC_RELAXED);
}

static void raise_to(uint64_t *word, uint64_t value)
{
	if (value > *word)
		__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static void count_taken(struct lock *lock)
{
	add(&lock->stats.ops, 1);
	if (lock->owner == &self)
		return;
	lock->owner = &self;
	add(&lock->stats.owner_switches, 1);
}

static void count_wait(struct lock *lock, uint64_t ns, unsigned waiters)
{
	struct process_stats *process = ledger_process();

	add(&lock->stats.waits, 1);
	add(&lock->stats.wait_ns, ns);
	raise_to(&lock->stats.max_wait_ns, ns);
	raise_to(&lock->stats.max_waiters, waiters);
	ledger_add_shared(&process->lock_waits, 1);
	ledger_add_shared(&process->lock_wait_ns, ns);
}

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* timeout: of a wait; NULL: none. */
static long futex(struct lock *lock, int operation, uint32_t value,
		  const struct timespec *timeout)
{
	int kept_errno = errno;
	long result =
		syscall(SYS_futex, &lock->word, operation | FUTEX_PRIVATE_FLAG,
			value, timeout, NULL, 0);

	errno = kept_errno;
	return result;
}

static bool try_once(struct lock *lock)
{
	uint32_t expected = 0;

	/* A handler that comes in between takes no lock: thread_busy. */
	if (alone()) {
		if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED))
			return false;
		__atomic_store_n(&lock->word, 1, __ATOMIC_RELAXED);
		return true;
	}
	return __atomic_compare_exchange_n(&lock->word, &expected, 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Somebody may be, from here on: who releases the lock looks for it. */
static void set_asleep(struct lock *lock)
{
	__atomic_store_n(&lock->asleep, 1, __ATOMIC_SEQ_CST);
}

static void wait_for(struct lock *lock)
{
	unsigned waiters =
		__atomic_add_fetch(&lock->waiters, 1, __ATOMIC_RELAXED);
	struct timespec most = {.tv_nsec = SLEEP_NS};
	uint64_t start = os_clock_ns();

	set_asleep(lock);
	while (!try_once(lock)) {
		futex(lock, FUTEX_WAIT, 1, &most);
		if (most.tv_nsec < MOST_SLEEP_NS)
			most.tv_nsec *= 2;
		set_asleep(lock);
	}
	/* This one leaves it set: the next release wakes the next, if any. */
	__atomic_sub_fetch(&lock->waiters, 1, __ATOMIC_RELAXED);
	count_wait(lock, os_clock_ns() - start, waiters);
}

static void take_contended(struct lock *lock)
{
	int64_t most = opt.mutex_max_spin, spins;

	for (spins = 0; most < 0 || spins < most; spins++) {
		if (!__atomic_load_n(&lock->word, __ATOMIC_RELAXED) &&
		    try_once(lock)) {
			add(&lock->stats.spin_acquisitions, 1);
			return;
		}
		relax();
	}
	wait_for(lock);
}

/*
 * Once: until that one sets it again, there is nobody to wake; but who is on
 * the way to sleep is left to the next release.
 */
static __attribute__((noinline)) void wake(struct lock *lock)
{
	if (__atomic_exchange_n(&lock->asleep, 0, __ATOMIC_RELAXED) &&
	    futex(lock, FUTEX_WAKE, 1, NULL) == 0 &&
	    __atomic_load_n(&lock->waiters, __ATOMIC_RELAXED))
		set_asleep(lock);
}

static void release(struct lock *lock)
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
	if (__builtin_expect(__atomic_load_n(&lock->asleep, __ATOMIC_RELAXED),
			     0))
		wake(lock);
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
	*lock = (struct lock)LOCK_INIT((uint8_t)rank);
}

/* In whole, so that who finds the lock free saves no register. */
static __attribute__((noinline)) void wait_and_take(struct lock *lock)
{
	take_contended(lock);
	count_taken(lock);
	note_taken(lock);
}

void lock_take(struct lock *lock)
{
	check_rank(lock);
	if (__builtin_expect(!try_once(lock), 0)) {
		wait_and_take(lock);
		return;
	}
	count_taken(lock);
	note_taken(lock);
}

bool lock_try(struct lock *lock)
{
	if (!try_once(lock))
		return false;
	count_taken(lock);
	note_taken(lock);
	return true;
}

void lock_release(struct lock *lock)
{
	note_released(lock);
	release(lock);
}

void lock_take_for_fork(struct lock *lock)
{
	if (!try_once(lock))
		take_contended(lock);
}

void lock_release_for_fork(struct lock *lock)
{
	release(lock);
}

void lock_reset(struct lock *lock)
{
	lock->waiters = lock->asleep = 0;
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELAXED);
}

void lock_add_stats(const struct lock *lock, struct lock_stats *sum)
{
	const struct lock_stats *stats = &lock->stats;

	sum->ops += ledger_get(&stats->ops);
	sum->waits += ledger_get(&stats->waits);
	sum->spin_acquisitions += ledger_get(&stats->spin_acquisitions);
	sum->owner_switches += ledger_get(&stats->owner_switches);
	sum->wait_ns += ledger_get(&stats->wait_ns);
	raise_to(&sum->max_wait_ns, ledger_get(&stats->max_wait_ns));
	raise_to(&sum->max_waiters, ledger_get(&stats->max_waiters));
}

void lock_clear_stats(struct lock *lock)
{
	lock_take(lock);
	lock->stats = (struct lock_stats){0};
	lock_release(lock);
}
