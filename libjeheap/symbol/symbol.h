/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for addresses: fills the lines of a profile's locations from ELF and
 * DWARF. The only user of libdw and libelf. A missing symbol is data (the
 * location's `unresolved` says why), never an error.
 */
#ifndef LIBJEHEAP_SYMBOL_SYMBOL_H
#define LIBJEHEAP_SYMBOL_SYMBOL_H

#include <stdbool.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/profile/profile.h"

struct symbol_options {
	const char *program;	/* used for the main program's path; or NULL */
	const char *lib_prefix; /* comma-separated prefixes to try for paths */
	const char *const *debug_dirs; /* NULL-terminated; NULL: the default
					  /usr/lib/debug */
	bool no_inlines; /* also of locations that have their lines already */
	int pid;	 /* > 0: try /proc/PID/root and map_files too */
};

struct symbol_stats {
	size_t resolved, unresolved;		/* locations */
	double unresolved_bytes[NOT_TRIED + 1]; /* INUSE_SPACE of the leaf, by
						   enum unresolved */
};

/* Symbolizes every location that has no lines yet. */
void symbolize(struct profile *profile, const struct symbol_options *options,
	       struct symbol_stats *stats);

/* "operator new(unsigned long)" for "_Znwm"; the name itself if unmangled. */
struct str demangle(struct arena *arena, struct str name);

/* The build-id of an ELF file; false where it has none or is no ELF file. */
bool elf_build_id(const char *path, struct arena *arena, struct str *id);

#endif
