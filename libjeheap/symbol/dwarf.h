/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions, inlined frames and lines from DWARF, without .debug_aranges,
 * which many compilers leave out.
 */
#ifndef LIBJEHEAP_SYMBOL_DWARF_H
#define LIBJEHEAP_SYMBOL_DWARF_H

#include <stdbool.h>

#include "libjeheap/symbol/find.h"
#include "libjeheap/symbol/query.h"

/* The DWARF of one file, open while names borrowed from it are in use. */
struct dwarf_file {
	Dwarf *dwarf; /* NULL: none */
	Dwarf *alternate;
	struct image alternate_image;
};

bool dwarf_file_open(const struct finder *finder, const struct image *image,
		     struct dwarf_file *file);
void dwarf_file_close(struct dwarf_file *file);

/*
 * Fills frames and line rows of the queries that this DWARF covers.
 * code_start is where code begins in the image: ranges below are those of
 * functions that the linker discarded. Their strings live in the file.
 */
void dwarf_resolve(struct dwarf_file *file, uint64_t code_start,
		   struct queries *queries);

#endif
