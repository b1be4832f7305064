/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a code address to the call frame information that covers it. Takes no
 * lock of the dynamic linker's and allocates nothing.
 */
#ifndef LIBALLOC_PROF_UNWIND_FIND_H
#define LIBALLOC_PROF_UNWIND_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "liballoc/prof/unwind/reader.h"

/* What code was loaded with: [low, high), and its link map, or NULL for the
 * program, which is never unloaded, where the linker does not say. */
struct image {
	const void *map;
	uint64_t low, high;
};

/* A frame description entry with what its CIE says. */
struct fde {
	/* By find_fde() alone; tables: where those begin, NULL: not known, and
	 * the end of their segment. */
	struct image image;
	const uint8_t *tables, *segment_end;
	uint64_t pc_begin, pc_end;
	uint64_t code_align;
	int64_t data_align;
	uint64_t return_column;
	uint8_t encoding; /* of DW_CFA_set_loc */
	uint8_t augmented;
	bool signal_frame;
	struct reader initial;	    /* the CIE's instructions */
	struct reader instructions; /* the FDE's */
};

/* What covers pc; false where nothing does. */
bool find_image(uint64_t pc, struct image *image);
/* The entry that covers pc; false where there is none, or it is garbled. */
bool find_fde(uint64_t pc, struct fde *fde);
/* The same from a given header (.eh_frame_hdr), readable in [low, high). */
bool find_fde_in(uint64_t pc, const uint8_t *header, const uint8_t *low,
		 const uint8_t *high, struct fde *fde);

#endif
