/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens ELF files by libelf and reads their program headers. Never trusts a
 * path: only regular files are read.
 */
#include "config.h"

#include "libjeheap/symbol/image.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>

#include "libjeheap/symbol/symbol.h"

/* More program headers than any linker writes are damage. */
#define LOADS_MAX 256

static void read_loads(struct arena *arena, struct image *image)
{
	size_t count = 0;

	image->code_start = UINT64_MAX;
	if (elf_getphdrnum(image->elf, &count) != 0)
		return;
	if (count > LOADS_MAX)
		count = LOADS_MAX;
	image->loads = ARENA_ARRAY(arena, count, struct image_load);
	for (size_t i = 0; i < count; i++) {
		struct image_load *load = &image->loads[image->load_count];
		GElf_Phdr p;

		if (!gelf_getphdr(image->elf, (int)i, &p) ||
		    p.p_type != PT_LOAD)
			continue;
		*load = (struct image_load){p.p_offset, p.p_filesz, p.p_vaddr,
					    p.p_flags & PF_X};
		image->load_count++;
		if (load->executable && load->address < image->code_start)
			image->code_start = load->address;
	}
}

static enum unresolved read_identity(struct arena *arena, struct image *image)
{
	const void *id;
	ssize_t id_bytes;

	if (!image->elf || elf_kind(image->elf) != ELF_K_ELF) {
		image_close(image);
		return NOT_ELF;
	}
	read_loads(arena, image);
	id_bytes = dwelf_elf_gnu_build_id(image->elf, &id);
	if (id_bytes > 0)
		image->build_id = (struct str){id, (size_t)id_bytes};
	return RESOLVED;
}

/* O_NONBLOCK: a profile may name a fifo. */
static int open_regular(const char *path, uint64_t *bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*bytes = (uint64_t)st.st_size;
		return fd;
	}
	close(fd);
	return -1;
}

enum unresolved image_open(struct arena *arena, struct str path,
			   struct image *image)
{
	const char *name = str_cstring(arena, path);

	*image = (struct image){.fd = -1, .path = str_of(name)};
	elf_version(EV_CURRENT);
	image->fd = open_regular(name, &image->bytes);
	if (image->fd < 0)
		return NO_FILE;
	image->elf = elf_begin(image->fd, ELF_C_READ_MMAP, NULL);
	return read_identity(arena, image);
}

enum unresolved image_open_memory(struct arena *arena, void *data, size_t size,
				  struct image *image)
{
	*image = (struct image){.fd = -1, .bytes = size};
	elf_version(EV_CURRENT);
	image->elf = elf_memory(data, size);
	return read_identity(arena, image);
}

void image_close(struct image *image)
{
	if (image->elf) {
		elf_end(image->elf);
		if (image->fd >= 0)
			close(image->fd);
	} else if (image->fd > 0) {
		close(image->fd);
	}
	image->elf = NULL;
	image->fd = -1;
}

bool image_address(const struct image *image, uint64_t offset,
		   uint64_t *address)
{
	const struct image_load *best = NULL;

	for (size_t i = 0; i < image->load_count; i++) {
		const struct image_load *load = &image->loads[i];

		if (offset - load->offset >= load->file_bytes)
			continue;
		if (!best || load->executable)
			best = load;
	}
	if (!best)
		return false;
	*address = offset - best->offset + best->address;
	return true;
}

Elf_Scn *image_section(const struct image *image, const char *name,
		       uint32_t type, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(image->elf, &names) != 0)
		return NULL;
	while ((section = elf_nextscn(image->elf, section))) {
		const char *text;

		if (!gelf_getshdr(section, header) ||
		    (type && header->sh_type != type))
			continue;
		if (!name)
			return section;
		text = elf_strptr(image->elf, names, header->sh_name);
		if (text && strcmp(text, name) == 0)
			return section;
	}
	return NULL;
}

bool image_has_dwarf(const struct image *image)
{
	GElf_Shdr header;

	return (image_section(image, ".debug_info", 0, &header) &&
		header.sh_type != SHT_NOBITS) ||
	       image_section(image, ".zdebug_info", 0, &header);
}

bool elf_build_id(const char *path, struct arena *arena, struct str *id)
{
	struct image image;
	bool found;

	if (image_open(arena, str_of(path), &image) != RESOLVED)
		return false;
	found = image.build_id.len > 0;
	if (found)
		*id = str_copy(arena, image.build_id);
	image_close(&image);
	return found;
}
