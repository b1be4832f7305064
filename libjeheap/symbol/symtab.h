/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names from ELF symbol tables. Only functions name code, and only within
 * their size (one without a size, as in assembly, ends at the next symbol of
 * .symtab): nothing is charged to the nearest symbol.
 */
#ifndef LIBJEHEAP_SYMBOL_SYMTAB_H
#define LIBJEHEAP_SYMBOL_SYMTAB_H

#include <stdbool.h>

#include "libjeheap/symbol/image.h"
#include "libjeheap/symbol/query.h"

/*
 * Names the queries that have no frame yet from .symtab (type SHT_SYMTAB) or
 * .dynsym (SHT_DYNSYM). Returns whether the image has such a table.
 */
bool symtab_resolve(const struct image *image, uint32_t type,
		    struct queries *queries);
/* The same from the symbols packed in .gnu_debugdata, if any. */
bool minidebug_resolve(const struct image *image, struct queries *queries);

#endif
