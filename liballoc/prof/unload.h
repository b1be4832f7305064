/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which code stays, and to hear of it when code goes: the unwinder may keep
 * rules only for libraries known here. Those that were loaded with the program
 * are never unloaded. Of another the dynamic linker's link map comes from our
 * malloc, and goes back by free after the library was unmapped and before
 * another can be loaded in its place. So the link map is watched, as a sampled
 * object, and its free, which prof_free() sees, is the library's end. Where
 * link maps come from elsewhere, nothing is known, and nothing kept.
 */
#ifndef LIBALLOC_PROF_UNLOAD_H
#define LIBALLOC_PROF_UNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/heap/os.h"

struct fde;

/* Once, before the program can have loaded anything. */
void unload_boot(void);

/*
 * Will the end of the library with this link map (NULL: the program) be heard
 * of? No lock, async-signal-safe.
 */
bool unload_is_heard(const void *map);

/* Is it never unloaded? The same. */
bool unload_never_comes(const void *map);

/*
 * From here on the end of the library that pc lies in is heard of, if that is
 * possible. Takes locks of the heap's; the library is in use by the caller.
 */
void unload_listen(uint64_t pc);

/* ptr is about to be freed: is it a library's end? */
void unload_look(void *ptr);
/* Libraries whose end will be heard of by a free; most programs have none. */
extern uint32_t unload_marked HEAP_HIDDEN;
static inline void unload_freed(void *ptr)
{
	if (__builtin_expect(
		    __atomic_load_n(&unload_marked, __ATOMIC_RELAXED) != 0, 0))
		unload_look(ptr);
}

void unload_prefork(void);
void unload_postfork_parent(void);
void unload_postfork_child(void);

#endif
