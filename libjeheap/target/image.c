/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads notes and exported symbols of ELF images out of a process's memory.
 * Every count is bounded, every address is the kernel's to refuse.
 */
#include "config.h"

#include "libjeheap/target/image.h"

#include <string.h>

#define NOTES_MAX_BYTES ((uint64_t)64 << 10)
/* Linkers make them of 8 to 20 bytes; by hand they may be longer. */
#define BUILD_ID_MAX_BYTES 64
#define DYNAMIC_MAX 512
/* Symbols looked at in one bucket of a hash table. */
#define CHAIN_MAX 10000

static bool read_quietly(const struct memory_image *image, uint64_t address,
			 void *buffer, size_t size)
{
	struct diag ignored = {0};

	return target_read(image->target, address, buffer, size, &ignored);
}

bool memory_image_read(struct target *target, uint64_t address,
		       struct memory_image *image)
{
	Elf64_Ehdr header;
	bool found = false;

	*image = (struct memory_image){.target = target};
	if (!read_quietly(image, address, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_phentsize != sizeof(Elf64_Phdr) ||
	    header.e_phnum > MEMORY_IMAGE_HEADERS_MAX ||
	    !read_quietly(image, address + header.e_phoff, image->headers,
			  header.e_phnum * sizeof(Elf64_Phdr)))
		return false;
	image->header_count = header.e_phnum;
	for (unsigned i = 0; i < image->header_count && !found; i++) {
		const Elf64_Phdr *p = &image->headers[i];

		if (p->p_type == PT_LOAD && p->p_offset == 0) {
			image->bias = address - p->p_vaddr;
			found = true;
		}
	}
	return found;
}

static uint64_t align_up(uint64_t n, uint64_t alignment)
{
	return (n + alignment - 1) & ~(alignment - 1);
}

/* Searches one PT_NOTE segment, whose bytes are given. */
static bool find_note(const char *bytes, uint64_t size, uint64_t alignment,
		      struct memory_note *wanted)
{
	uint64_t at = 0;
	Elf64_Nhdr header;

	while (size - at >= sizeof(header)) {
		uint64_t name_at = at + sizeof(header), desc_at;
		struct str name;

		memcpy(&header, bytes + at, sizeof(header));
		desc_at = align_up(name_at + header.n_namesz, alignment);
		if (desc_at > size || header.n_descsz > size - desc_at)
			return false;
		name = (struct str){bytes + name_at, header.n_namesz};
		if (header.n_type == wanted->type &&
		    name.len == wanted->name.len + 1 &&
		    str_starts_with(name, wanted->name)) {
			wanted->desc =
				(struct str){bytes + desc_at, header.n_descsz};
			wanted->desc_address += desc_at;
			return true;
		}
		at = align_up(desc_at + header.n_descsz, alignment);
		if (at > size)
			return false;
	}
	return false;
}

bool memory_image_note(const struct memory_image *image, const char *name,
		       uint32_t type, struct arena *arena,
		       struct memory_note *note)
{
	for (unsigned i = 0; i < image->header_count; i++) {
		const Elf64_Phdr *p = &image->headers[i];
		uint64_t size = p->p_memsz;
		char *bytes;

		if (p->p_type != PT_NOTE || size > NOTES_MAX_BYTES)
			continue;
		*note = (struct memory_note){.type = type,
					     .name = str_of(name),
					     .desc_address =
						     image->bias + p->p_vaddr};
		bytes = arena_alloc(arena, size);
		if (read_quietly(image, note->desc_address, bytes, size) &&
		    find_note(bytes, size, p->p_align == 8 ? 8 : 4, note))
			return true;
	}
	return false;
}

bool target_build_id(struct target *target, uint64_t address,
		     struct arena *arena, struct str *id)
{
	struct memory_image image;
	struct memory_note note;
	struct arena scratch = {0};
	bool found = memory_image_read(target, address, &image) &&
		     memory_image_note(&image, "GNU", NT_GNU_BUILD_ID, &scratch,
				       &note) &&
		     note.desc.len && note.desc.len <= BUILD_ID_MAX_BYTES;

	if (found)
		*id = str_copy(arena, note.desc);
	arena_free(&scratch);
	return found;
}

struct dynamic {
	uint64_t symbols, strings, strings_bytes, gnu_hash;
};

/* glibc turns the addresses here into those in memory, musl does not. */
static uint64_t in_memory(const struct memory_image *image, uint64_t address)
{
	return address < image->bias ? address + image->bias : address;
}

static bool read_dynamic(const struct memory_image *image, struct dynamic *d)
{
	Elf64_Dyn entry;
	uint64_t at = 0;

	*d = (struct dynamic){0};
	for (unsigned i = 0; i < image->header_count; i++)
		if (image->headers[i].p_type == PT_DYNAMIC)
			at = image->bias + image->headers[i].p_vaddr;
	for (unsigned i = 0; at && i < DYNAMIC_MAX; i++, at += sizeof(entry)) {
		if (!read_quietly(image, at, &entry, sizeof(entry)) ||
		    entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_SYMTAB)
			d->symbols = in_memory(image, entry.d_un.d_ptr);
		else if (entry.d_tag == DT_STRTAB)
			d->strings = in_memory(image, entry.d_un.d_ptr);
		else if (entry.d_tag == DT_STRSZ)
			d->strings_bytes = entry.d_un.d_val;
		else if (entry.d_tag == DT_GNU_HASH)
			d->gnu_hash = in_memory(image, entry.d_un.d_ptr);
	}
	return d->symbols && d->strings && d->gnu_hash;
}

/* The hash of .gnu.hash: binutils, bfd/elflink.c's format, h * 33 + c. */
static uint32_t gnu_hash(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (unsigned char)*name;
	return h;
}

static bool symbol_named(const struct memory_image *image,
			 const struct dynamic *d, uint64_t index,
			 const char *name, uint64_t *address)
{
	char text[64];
	size_t size = strlen(name) + 1;
	Elf64_Sym symbol;

	if (size > sizeof(text) ||
	    !read_quietly(image, d->symbols + index * sizeof(symbol), &symbol,
			  sizeof(symbol)) ||
	    symbol.st_shndx == SHN_UNDEF || symbol.st_name > d->strings_bytes ||
	    !read_quietly(image, d->strings + symbol.st_name, text, size) ||
	    memcmp(text, name, size) != 0)
		return false;
	*address = image->bias + symbol.st_value;
	return true;
}

bool memory_image_symbol(const struct memory_image *image, const char *name,
			 uint64_t *address)
{
	uint32_t header[4]; /* buckets, first symbol, Bloom words, shift */
	uint32_t hash = gnu_hash(name), index, link;
	uint64_t buckets;
	struct dynamic d;

	if (!read_dynamic(image, &d) ||
	    !read_quietly(image, d.gnu_hash, header, sizeof(header)) ||
	    header[0] == 0)
		return false;
	buckets = d.gnu_hash + sizeof(header) + header[2] * UINT64_C(8);
	if (!read_quietly(image, buckets + hash % header[0] * UINT64_C(4),
			  &index, sizeof(index)) ||
	    index < header[1])
		return false;
	for (unsigned i = 0; i < CHAIN_MAX; i++, index++) {
		uint64_t at = buckets + header[0] * UINT64_C(4) +
			      (index - header[1]) * UINT64_C(4);

		if (!read_quietly(image, at, &link, sizeof(link)))
			return false;
		if ((link | 1) == (hash | 1) &&
		    symbol_named(image, &d, index, name, address))
			return true;
		if (link & 1)
			return false;
	}
	return false;
}
