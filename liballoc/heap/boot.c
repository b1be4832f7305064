/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot of liballoc, by whichever thread asks first, be it before any
 * constructor; then the constructor, which registers the fork handlers and the
 * work at exit.
 */
#include "config.h"

#include "liballoc/heap/heap.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "liballoc/ctl/ctl.h"
#include "liballoc/ctl/options.h"
#include "liballoc/heap/arena.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/export.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/safety/guard.h"

enum boot_phase {
	BOOT_NONE,
	BOOT_BUSY,
	BOOT_DONE,
};

static int phase;
static __thread bool booting; /* this thread is the one that boots */

bool heap_is_booted(void)
{
	return __atomic_load_n(&phase, __ATOMIC_ACQUIRE) == BOOT_DONE;
}

static void boot_once(void)
{
	page_map_boot();
	conf_boot();
	os_boot();
	ledger_boot(opt.prof_ledger_bytes);
	size_class_boot();
	thread_boot();
	prof_boot();
	guard_boot();
}

static void boot(void)
{
	static bool once;
	int kept_errno = errno;
	bool good;

	booting = true;
	thread_busy++;
	if (!once)
		boot_once();
	once = true;
	good = arena_boot();
	if (good)
		ledger_export_boot();
	thread_busy--;
	booting = false;
	errno = kept_errno;
	__atomic_store_n(&phase, good ? BOOT_DONE : BOOT_NONE,
			 __ATOMIC_RELEASE);
}

/* A boot that found no memory for its first arena is tried again. */
__attribute__((cold)) void heap_boot(void)
{
	int expected = BOOT_NONE;

	if (heap_is_booted() || booting)
		return;
	if (__atomic_compare_exchange_n(&phase, &expected, BOOT_BUSY, false,
					__ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
		boot();
		return;
	}
	while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) == BOOT_BUSY)
		sched_yield();
}

static void at_exit(void)
{
	background_exit();
	ctl_exit();
	prof_exit(); /* last: prof_leak_error may end the process here */
}

/*
 * Handlers before a fork run last registered first: these come first of all, so
 * that others, which may wait for a thread that allocates, run while nothing is
 * locked here. So the library is the one that is initialised first, before libc
 * is, where the linker can say so.
 */
__attribute__((constructor(101))) static void construct(int argc, char **argv,
							char **environment)
{
	(void)argc;
	(void)argv;
	conf_environment = environment;
	heap_boot();
	pthread_atfork(heap_prefork, heap_postfork_parent, heap_postfork_child);
	atexit(at_exit);
	background_boot();
}
