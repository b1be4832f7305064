/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a function is called, where its DWARF lies: the linkage name
 * demangled, or the plain name, qualified where the language has scopes.
 */
#ifndef LIBJEHEAP_SYMBOL_NAMES_H
#define LIBJEHEAP_SYMBOL_NAMES_H

#include <elfutils/libdw.h>

#include "libjeheap/symbol/query.h"

/* Names by the debugging entry that bears them. Zeroed but for the arena. */
struct name_cache {
	struct arena *arena;
	struct name_slot *slots;
	size_t slot_count, used;
};

/* The name of a subprogram or inlined subroutine; NULL: it has none. */
const struct function_name *function_name_of(struct name_cache *cache,
					     Dwarf_Die *die);

/* A file by its number; empty: there is none of that number. */
struct str source_file(Dwarf_Files *files, uint64_t index);

/*
 * A source file's path as DWARF gives it, joined with the folder in which the
 * compiler of `unit` ran, without "./" in it. May share name's bytes.
 */
struct str source_path(struct arena *arena, Dwarf_Die *unit, struct str name);

#endif
