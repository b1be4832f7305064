/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF image as it lies in a process's memory, which may be all there is of
 * it: its file may be deleted or in another container. 64-bit, little-endian
 * only, as are the machines that liballoc runs on.
 */
#ifndef LIBJEHEAP_TARGET_IMAGE_H
#define LIBJEHEAP_TARGET_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "libjeheap/target/target.h"

#define MEMORY_IMAGE_HEADERS_MAX 64

struct memory_image {
	struct target *target;
	uint64_t bias; /* what is added to the addresses as linked */
	Elf64_Phdr headers[MEMORY_IMAGE_HEADERS_MAX];
	unsigned header_count;
};

/* False where no image begins at the address, or it cannot be read. */
bool memory_image_read(struct target *target, uint64_t address,
		       struct memory_image *image);

struct memory_note {
	uint32_t type;
	struct str name; /* without NUL */
	struct str desc;
	uint64_t desc_address; /* in the process */
};

/* The first note of this name and type; its bytes are in the arena. */
bool memory_image_note(const struct memory_image *image, const char *name,
		       uint32_t type, struct arena *arena,
		       struct memory_note *note);
/* The address, in the process, of an exported symbol. */
bool memory_image_symbol(const struct memory_image *image, const char *name,
			 uint64_t *address);

#endif
