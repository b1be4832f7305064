/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small core file made by hand, for tests of its readers: the notes of the
 * kernel's fs/binfmt_elf.c, a ledger that lies in an anonymous mapping and, if
 * asked for, the mapped program by whose note or symbol it is found.
 */
#ifndef TESTS_UNIT_TARGET_CORE_IMAGE_H
#define TESTS_UNIT_TARGET_CORE_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/procfs.h>

#include "unit/target/region.h"

#define CORE_IMAGE_LEDGER UINT64_C(0x7f0000000000)
#define CORE_IMAGE_PROGRAM UINT64_C(0x400000)
#define CORE_IMAGE_PAGE 4096

/* As they lie in a file: aligned by 4. */
struct files_note {
	Elf64_Nhdr header;
	char name[8];
	uint64_t count, page;
	uint64_t places[2][3];
	char paths[32];
} __attribute__((packed));

struct process_note {
	Elf64_Nhdr header;
	char name[8];
	struct elf_prpsinfo info;
} __attribute__((packed));

struct build_id_note {
	Elf64_Nhdr header;
	char name[4];
	uint8_t id[20];
} __attribute__((packed));

struct ledger_note {
	Elf64_Nhdr header;
	char name[12];
	int64_t distance;
} __attribute__((packed));

/* One symbol in one bucket. */
struct program_image {
	Elf64_Ehdr header;
	Elf64_Phdr headers[3];
	struct build_id_note build_id;
	struct ledger_note note;
	Elf64_Dyn dynamic[5];
	uint32_t hash[4];
	uint64_t bloom[1];
	uint32_t bucket[1], chain[1];
	Elf64_Sym symbols[2];
	char strings[24];
	uint64_t ledger;
};

/* The headers, the notes, and the ledger, whose mapping is longer. */
struct core_image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[5];
	Elf64_Shdr section;
	struct process_note process;
	struct files_note files;
	struct program_image program;
	struct region region;
};

static inline void core_image_fill_notes(struct core_image *image)
{
	static const char paths[] = "/opt/program\0/opt/prog\nram";
	struct process_note *p = &image->process;
	struct files_note *f = &image->files;

	p->header = (Elf64_Nhdr){5, sizeof(p->info), NT_PRPSINFO};
	memcpy(p->name, "CORE", 5);
	p->info.pr_pid = 77;
	memcpy(p->info.pr_fname, "prog\033ram", 9);
	memcpy(p->info.pr_psargs, "program --now ", 15);
	f->header = (Elf64_Nhdr){
		5, sizeof(*f) - offsetof(struct files_note, count), NT_FILE};
	memcpy(f->name, "CORE", 5);
	f->count = 2;
	f->page = CORE_IMAGE_PAGE;
	memcpy(f->places,
	       (uint64_t[2][3]){{0x400000, 0x401000, 0},
				{0x401000, 0x402000, 1}},
	       sizeof(f->places));
	memcpy(f->paths, paths, sizeof(paths));
}

static inline void core_image_fill_segments(struct core_image *image)
{
	image->segments[0] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = offsetof(struct core_image, process),
		.p_filesz = sizeof(image->process) + sizeof(image->files),
	};
	image->segments[1] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = offsetof(struct core_image, region),
		.p_vaddr = CORE_IMAGE_LEDGER,
		.p_filesz = sizeof(image->region),
		.p_memsz = 1 << 20,
	};
	image->segments[2] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = 0x401000,
		.p_memsz = CORE_IMAGE_PAGE,
	};
	/* As the kernel's, of vsyscall. */
	image->segments[3] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = UINT64_C(0xffffffffff600000),
		.p_memsz = CORE_IMAGE_PAGE,
	};
}

static inline void core_image_fill(struct core_image *image)
{
	Elf64_Ehdr *h = &image->header;

	memset(image, 0, sizeof(*image));
	memcpy(h->e_ident, ELFMAG, SELFMAG);
	h->e_ident[EI_CLASS] = ELFCLASS64;
	h->e_ident[EI_DATA] = ELFDATA2LSB;
	h->e_type = ET_CORE;
	h->e_phoff = offsetof(struct core_image, segments);
	h->e_shoff = offsetof(struct core_image, section);
	h->e_phentsize = sizeof(Elf64_Phdr);
	h->e_phnum = 4;
	image->section.sh_info = 4;
	core_image_fill_segments(image);
	core_image_fill_notes(image);
	region_fill(&image->region);
}

static inline void program_image_fill_notes(struct program_image *p)
{
	p->build_id.header =
		(Elf64_Nhdr){4, sizeof(p->build_id.id), NT_GNU_BUILD_ID};
	memcpy(p->build_id.name, "GNU", 4);
	memset(p->build_id.id, 0xab, sizeof(p->build_id.id));
	p->note.header =
		(Elf64_Nhdr){sizeof(LEDGER_NOTE_NAME), sizeof(p->note.distance),
			     LEDGER_NOTE_TYPE};
	memcpy(p->note.name, LEDGER_NOTE_NAME, sizeof(LEDGER_NOTE_NAME));
	p->note.distance = offsetof(struct program_image, ledger) -
			   offsetof(struct program_image, note.distance);
}

#define PROGRAM_IMAGE_AT(field)                                                \
 (CORE_IMAGE_PROGRAM + offsetof(struct program_image, field))

/* As linked to address 0, its table of the dynamic linker relocated. */
static inline void program_image_fill_symbol(struct program_image *p)
{
	uint32_t hash = 5381;

	for (const char *c = LEDGER_SYMBOL; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	p->dynamic[0] = (Elf64_Dyn){DT_SYMTAB, {PROGRAM_IMAGE_AT(symbols)}};
	p->dynamic[1] = (Elf64_Dyn){DT_STRTAB, {PROGRAM_IMAGE_AT(strings)}};
	p->dynamic[2] = (Elf64_Dyn){DT_STRSZ, {sizeof(p->strings)}};
	p->dynamic[3] = (Elf64_Dyn){DT_GNU_HASH, {PROGRAM_IMAGE_AT(hash)}};
	p->hash[0] = p->hash[1] = p->hash[2] = 1;
	p->bucket[0] = 1;
	p->chain[0] = hash | 1;
	p->symbols[1] =
		(Elf64_Sym){.st_name = 1,
			    .st_shndx = 1,
			    .st_value = offsetof(struct program_image, ledger)};
	memcpy(p->strings + 1, LEDGER_SYMBOL, sizeof(LEDGER_SYMBOL));
}

/*
 * The program, of the first mapped file: with no note of its ledger it is
 * found as liballoc.so's symbol.
 */
static inline void core_image_add_program(struct core_image *image,
					  bool by_note)
{
	struct program_image *p = &image->program;
	Elf64_Ehdr *h = &p->header;

	image->header.e_phnum = 5;
	image->segments[4] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = offsetof(struct core_image, program),
		.p_vaddr = CORE_IMAGE_PROGRAM,
		.p_filesz = sizeof(*p),
		.p_memsz = CORE_IMAGE_PAGE,
	};
	*h = image->header;
	h->e_type = ET_DYN;
	h->e_phoff = offsetof(struct program_image, headers);
	h->e_phnum = 3;
	p->headers[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_memsz = sizeof(*p)};
	p->headers[1] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_vaddr = offsetof(struct program_image, build_id),
		.p_memsz = sizeof(p->build_id) + sizeof(p->note)};
	p->headers[2] = (Elf64_Phdr){
		.p_type = PT_DYNAMIC,
		.p_vaddr = offsetof(struct program_image, dynamic)};
	program_image_fill_notes(p);
	program_image_fill_symbol(p);
	p->ledger = CORE_IMAGE_LEDGER;
	if (by_note)
		return;
	p->note.header.n_type++;
	memcpy(image->files.paths, "/opt/liballoc.so\0/opt/program", 30);
}

#endif
