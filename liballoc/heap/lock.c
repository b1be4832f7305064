/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mutex: spins a little, since what it guards is short, then sleeps on
 * the futex. Owns the check of ranks; never allocates.
 */
#include "config.h"

#include "liballoc/heap/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/os.h"

#if defined(LIBALLOC_DEBUG) || defined(JEHEAP_DEVELOPER)
/* Bit r: this thread holds a lock of rank r. */
static __thread uint32_t held_ranks;

static void check_rank(const struct lock *lock)
{
	if (held_ranks >> lock->rank)
		os_die("a lock was taken out of order:", lock);
}

static void note_taken(const struct lock *lock)
{
	held_ranks |= 1u << lock->rank;
}

static void note_released(const struct lock *lock)
{
	if (!(held_ranks & 1u << lock->rank))
		os_die("a lock was released that was not held:", lock);
	held_ranks &= ~(1u << lock->rank);
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

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void futex(struct lock *lock, int operation, uint32_t value)
{
	int kept_errno = errno;

	syscall(SYS_futex, &lock->word, operation | FUTEX_PRIVATE_FLAG, value,
		NULL, NULL, 0);
	errno = kept_errno;
}

static bool try_once(struct lock *lock)
{
	uint32_t expected = 0;

	return __atomic_compare_exchange_n(&lock->word, &expected, 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void take(struct lock *lock)
{
	int64_t most = opt.mutex_max_spin, spins;

	for (spins = 0; most < 0 || spins < most; spins++) {
		if (!__atomic_load_n(&lock->word, __ATOMIC_RELAXED) &&
		    try_once(lock))
			return;
		relax();
	}
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE))
		futex(lock, FUTEX_WAIT, 2);
}

static void release(struct lock *lock)
{
	if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
		futex(lock, FUTEX_WAKE, 1);
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
	lock->word = 0;
	lock->rank = rank;
}

void lock_take(struct lock *lock)
{
	check_rank(lock);
	if (!try_once(lock))
		take(lock);
	note_taken(lock);
}

bool lock_try(struct lock *lock)
{
	if (!try_once(lock))
		return false;
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
		take(lock);
}

void lock_release_for_fork(struct lock *lock)
{
	release(lock);
}

void lock_reset(struct lock *lock)
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELAXED);
}
