/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the build-id through the ELF header that the linker names
 * __ehdr_start, so that no lock of the dynamic linker is touched. Never reads
 * a file.
 */
#include "config.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#include "liballoc/ledger/build_id.h"

/* Weak: a program may be linked without its header in a segment. */
extern const ElfW(Ehdr) __ehdr_start
	__attribute__((weak, visibility("hidden")));

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

__attribute__((cold)) uint32_t
build_id_in_notes(const uint8_t *notes, size_t bytes, uint8_t *id, size_t size)
{
	ElfW(Nhdr) note;

	while (bytes >= sizeof(note)) {
		const uint8_t *name = notes + sizeof(note);
		size_t name_bytes, desc_bytes;

		memcpy(&note, notes, sizeof(note));
		name_bytes = align4(note.n_namesz);
		desc_bytes = align4(note.n_descsz);
		if (name_bytes + desc_bytes > bytes - sizeof(note))
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(name, "GNU", 4) == 0 && note.n_descsz <= size) {
			memcpy(id, name + name_bytes, note.n_descsz);
			return note.n_descsz;
		}
		notes = name + name_bytes + desc_bytes;
		bytes -= sizeof(note) + name_bytes + desc_bytes;
	}
	return 0;
}

static uint32_t id_of_image(const ElfW(Ehdr) * header, uint8_t *id, size_t size)
{
	const uint8_t *base = (const uint8_t *)header;
	const uint8_t *table = base + header->e_phoff;
	ElfW(Phdr) segment;
	ElfW(Addr) first = 0;
	uint32_t length = 0;

	/* The header lies in the segment of file offset 0. */
	for (unsigned i = 0; i < header->e_phnum; i++) {
		memcpy(&segment, table + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == PT_LOAD && segment.p_offset == 0)
			first = segment.p_vaddr;
	}
	for (unsigned i = 0; i < header->e_phnum && length == 0; i++) {
		memcpy(&segment, table + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == PT_NOTE)
			length = build_id_in_notes(
				base + (segment.p_vaddr - first),
				segment.p_memsz, id, size);
	}
	return length;
}

__attribute__((cold)) uint32_t build_id_own(uint8_t *id, size_t size)
{
	return &__ehdr_start ? id_of_image(&__ehdr_start, id, size) : 0;
}
