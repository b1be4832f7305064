/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fork: all locks by rank, so that the child finds every structure whole, and
 * fresh locks in the child. Allocation by other fork handlers that run while
 * the locks are held is served by the emergency path.
 */
#include "config.h"

#include "liballoc/heap/arena.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/looks.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/thread.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/export.h"
#include "liballoc/prof/prof.h"
#include "liballoc/safety/guard.h"

void heap_prefork(void)
{
	thread_busy++;
	prof_prefork();
	background_prefork();
	container_prefork();
	arena_prefork();
	cache_list_prefork();
	guard_prefork();
	thread_prefork();
	exchange_prefork();
	arena_prefork_locks();
	metadata_prefork();
	ledger_export_prefork();
}

void heap_postfork_parent(void)
{
	metadata_postfork_parent();
	exchange_postfork_parent();
	thread_postfork_parent();
	guard_postfork_parent();
	cache_list_postfork_parent();
	arena_postfork_parent();
	container_postfork_parent();
	background_postfork_parent();
	prof_postfork_parent();
	thread_busy--;
	heap_run_deferred();
}

void heap_postfork_child(void)
{
	look_postfork_child();
	metadata_postfork_child();
	exchange_postfork_child();
	guard_postfork_child();
	cache_list_postfork_child();
	arena_postfork_child();
	background_postfork_child();
	container_postfork_child();
	waiting_postfork_child();
	thread_postfork_child();
	prof_postfork_child(thread_peek());
	thread_busy--;
	heap_run_deferred();
}
