/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fork in the middle of another thread's purge: the child, where that thread
 * is not, still gives pages back by time.
 */
#include "config.h"

#include "tap/tap.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

const char *malloc_conf = "narenas:1,dirty_decay_ms:0,muzzy_decay_ms:0";

static bool child_gives_back(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		free(malloc(1 << 20));
		_exit(ledger_get(&heap_arena(0)->stats->dirty) != 0);
	}
	waitpid(child, &status, 0);
	return status == 0;
}

int main(void)
{
	struct page_heap *heap;

	plan(2);
	free(malloc(1 << 20));
	heap = &heap_arena(0)->pages;
	ok(child_gives_back(), "a child gives pages back");
	/* As a thread leaves it that is in the kernel with a run. */
	lock_take(&heap->lock);
	heap->purging = true;
	lock_release(&heap->lock);
	ok(child_gives_back(), "also where the parent was about to");
	return done_testing();
}
