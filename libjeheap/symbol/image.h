/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF file that is open for reading: its identity, and where its bytes go
 * in memory. Knows nothing of symbols or of where files are looked for.
 */
#ifndef LIBJEHEAP_SYMBOL_IMAGE_H
#define LIBJEHEAP_SYMBOL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <gelf.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/str.h"
#include "libjeheap/profile/profile.h"

/* A PT_LOAD program header. */
struct image_load {
	uint64_t offset, file_bytes; /* in the file */
	uint64_t address;	     /* as linked */
	bool executable;
};

struct image {
	int fd; /* -1: from memory */
	Elf *elf;
	struct str path;     /* as it was opened */
	struct str build_id; /* empty: it has none; lives as long as elf */
	uint64_t bytes;
	struct image_load *loads;
	size_t load_count;
	uint64_t code_start; /* lowest address of an executable load */
};

/* RESOLVED, or why not: NO_FILE or NOT_ELF. Never waits, as on a fifo. */
enum unresolved image_open(struct arena *arena, struct str path,
			   struct image *image);
/* An image that lies in this process's memory, which must outlive it. */
enum unresolved image_open_memory(struct arena *arena, void *data, size_t size,
				  struct image *image);
/* A zeroed image may be closed. */
void image_close(struct image *image);

/* The address as linked of a byte of the file; false if none is loaded. */
bool image_address(const struct image *image, uint64_t offset,
		   uint64_t *address);
/* The section of that name or type (0: any), or NULL. */
Elf_Scn *image_section(const struct image *image, const char *name,
		       uint32_t type, GElf_Shdr *header);
bool image_has_dwarf(const struct image *image);

#endif
