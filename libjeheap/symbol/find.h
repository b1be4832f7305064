/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where files are looked for: the file that was mapped, its debug file, and
 * the supplementary file that dwz splits off. What is returned is certain: a
 * file of another build is never taken.
 */
#ifndef LIBJEHEAP_SYMBOL_FIND_H
#define LIBJEHEAP_SYMBOL_FIND_H

#include <stdbool.h>

#include <elfutils/libdw.h>

#include "libjeheap/profile/profile.h"
#include "libjeheap/symbol/image.h"
#include "libjeheap/symbol/symbol.h"

struct finder {
	const struct profile *profile;
	const struct symbol_options *options;
	struct arena *arena; /* for names */
};

/* The mapped file's image; RESOLVED or why there is none. */
enum unresolved find_image(const struct finder *finder, uint32_t file,
			   struct image *image);
/*
 * The separate debug file of an image, by build-id, else by .gnu_debuglink
 * with its CRC. `path` is the image's path as mapped.
 */
bool find_debug_image(const struct finder *finder, const struct image *image,
		      struct str path, struct image *debug);
/* What .gnu_debugaltlink of the DWARF in `image` asks for. */
bool find_alternate_image(const struct finder *finder,
			  const struct image *image, Dwarf *dwarf,
			  struct image *alternate);

#endif
