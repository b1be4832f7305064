/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last so many sampled allocations, and what became of them
 * (opt.prof_recent_alloc_max, experimental.prof_recent.*). Kept in metadata
 * memory, all together no more than opt.prof_ledger_bytes: of a larger number,
 * or of -1, that many are kept. Stacks are rows of the ledger, so prof.reset
 * forgets all.
 */
#ifndef LIBALLOC_PROF_RECENT_H
#define LIBALLOC_PROF_RECENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "liballoc/heap/lock.h"
#include "liballoc/heap/os.h"

struct sampled;

/* Guards the records. Taken under a shard of the tables. */
extern struct lock recent_lock;

void recent_boot(void);
/* A number, or -1: as many as there is room for. */
ssize_t recent_max(void);
/* Forgets the oldest where there are more; returns what it was. */
ssize_t recent_set_max(ssize_t max);

/* Is anything kept? For those who would else take a stack for nothing. */
extern ssize_t recent_wanted HEAP_HIDDEN;
static inline bool recent_is_on(void)
{
	return __atomic_load_n(&recent_wanted, __ATOMIC_RELAXED) != 0;
}
/* Is the object at address one of them, in use? No lock held. */
bool recent_has(uint64_t address);
/* Holding the sample's shard; stack: its row. */
void recent_add(const struct sampled *what, uint32_t stack);
/* The same; stack: where it is freed, or TABLES_NONE; thread: by whom. */
void recent_freed(uint64_t address, uint32_t stack, uint32_t thread,
		  uint64_t now_ns);
/* All samples are forgotten. */
void recent_reset(void);

/*
 * Hands jemalloc's JSON, with the mappings added, to write(opaque, text), in
 * pieces, with no lock held; NULL: to malloc_message. False where there is no
 * memory.
 */
bool recent_dump(void (*write)(void *opaque, const char *text), void *opaque);

void recent_prefork(void);
void recent_postfork_parent(void);
void recent_postfork_child(void);

#endif
