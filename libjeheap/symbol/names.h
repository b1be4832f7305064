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

#endif
