/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Core files made by hand: what is read of a good one, and that a cut or
 * garbled one ends in a message.
 */
#include "config.h"

#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <unistd.h>

#include "libjeheap/profile/read.h"
#include "tap/tap.h"
#include "unit/target/region.h"

#define LEDGER_AT UINT64_C(0x7f0000000000)
#define PAGE 4096

static const char path_text[] = "/opt/program\0/opt/prog\nram";

/* As they lie in a file: aligned by 4. */
struct files_note {
	Elf64_Nhdr header;
	char name[8];
	uint64_t count, page;
	uint64_t places[2][3];
	char paths[28];
} __attribute__((packed));

struct process_note {
	Elf64_Nhdr header;
	char name[8];
	struct elf_prpsinfo info;
} __attribute__((packed));

/* The headers, the notes, and the ledger, whose mapping is longer. */
static struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[4];
	Elf64_Shdr section;
	struct process_note process;
	struct files_note files;
	struct region region;
} image;

static char path[64];
static int fd;

static void fill_notes(void)
{
	struct process_note *p = &image.process;
	struct files_note *f = &image.files;

	p->header = (Elf64_Nhdr){5, sizeof(p->info), NT_PRPSINFO};
	memcpy(p->name, "CORE", 5);
	p->info.pr_pid = 77;
	memcpy(p->info.pr_fname, "prog\033ram", 9);
	memcpy(p->info.pr_psargs, "program --now ", 15);
	f->header = (Elf64_Nhdr){
		5, sizeof(*f) - offsetof(struct files_note, count), NT_FILE};
	memcpy(f->name, "CORE", 5);
	f->count = 2;
	f->page = PAGE;
	memcpy(f->places,
	       (uint64_t[2][3]){{0x400000, 0x401000, 0},
				{0x401000, 0x402000, 1}},
	       sizeof(f->places));
	memcpy(f->paths, path_text, sizeof(path_text));
}

static void fill(void)
{
	Elf64_Ehdr *h = &image.header;

	memset(&image, 0, sizeof(image));
	memcpy(h->e_ident, ELFMAG, SELFMAG);
	h->e_ident[EI_CLASS] = ELFCLASS64;
	h->e_ident[EI_DATA] = ELFDATA2LSB;
	h->e_type = ET_CORE;
	h->e_phoff = offsetof(struct image, segments);
	h->e_shoff = offsetof(struct image, section);
	h->e_phentsize = sizeof(Elf64_Phdr);
	h->e_phnum = 4;
	image.section.sh_info = 4;
	image.segments[0] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = offsetof(struct image, process),
		.p_filesz = sizeof(image.process) + sizeof(image.files),
	};
	image.segments[1] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = offsetof(struct image, region),
		.p_vaddr = LEDGER_AT,
		.p_filesz = sizeof(image.region),
		.p_memsz = 1 << 20,
	};
	image.segments[2] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = 0x401000,
		.p_memsz = PAGE,
	};
	/* As the kernel's, of vsyscall. */
	image.segments[3] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = UINT64_C(0xffffffffff600000),
		.p_memsz = PAGE,
	};
	fill_notes();
	region_fill(&image.region);
}

static struct profile *read_bytes(size_t size, bool at_peak, struct diag *diag)
{
	diag_clear(diag);
	if (ftruncate(fd, 0) != 0 ||
	    pwrite(fd, &image, size, 0) != (ssize_t)size)
		exit(99);
	return at_peak ? profile_read_peak(path, diag)
		       : profile_read(path, diag);
}

static struct profile *read_image(struct diag *diag)
{
	return read_bytes(sizeof(image), false, diag);
}

static void test_good(void)
{
	struct diag diag = {0};
	struct profile *p;
	const struct stack *stack;

	fill();
	p = read_image(&diag);
	if (!ok(p && profile_is_valid(p), "a core file is read")) {
		tap_line("# %s\n", diag.text);
		exit(1);
	}
	is_uint(p->sample_count, 3, "it has the ledger's samples");
	is_int(p->pid, 4321, "the pid as the process saw it");
	ok(str_equal(p->command, STR("program --now")), "its command line");
	ok(str_ends_with(p->source, STR(" (prog?ram)")),
	   "its name, without control characters");
	stack = &p->stacks[p->samples[0].stack];
	is_uint(p->locations[p->frames[stack->first]].offset, 0x1000,
		"frames are offsets in its files");
	ok(str_equal(p->files[0].path, STR("/opt/program")) ||
		   str_equal(p->files[0].path, STR("/opt/prog?ram")),
	   "which have their paths");
	ok(p->time_ns == 0 && p->start_time_ns != 0,
	   "when it was written is not known");
	profile_free(p);
	p = read_bytes(sizeof(image), true, &diag);
	ok(p && p->peak_bytes == 1000000 && p->sample_count == 3,
	   "it has the profile of the peak");
	profile_free(p);
	image.header.e_phnum = PN_XNUM;
	p = read_image(&diag);
	ok(p && p->sample_count == 3, "so many segments as fit no header");
	profile_free(p);
	image.region.header.generation = 7;
	p = read_image(&diag);
	ok(p && p->unsettled, "tables that were being rewritten are told");
	profile_free(p);
}

static bool refused(const char *why)
{
	struct diag diag;
	struct profile *p = read_image(&diag);
	bool good = !p && strstr(diag.text, why);

	if (!good)
		tap_line("# got \"%s\"\n", p ? "a profile" : diag.text);
	profile_free(p);
	return good;
}

static void test_bad(void)
{
	fill();
	image.header.e_type = ET_DYN;
	ok(refused("is a program"), "a program is none");
	fill();
	image.header.e_phnum = PN_XNUM;
	image.section.sh_info = UINT32_MAX;
	ok(refused("program headers are not there"), "segments without end");
	fill();
	image.header.e_phoff = UINT64_MAX - 8;
	ok(refused("program headers are not there"), "beyond all files");
	fill();
	image.region.header.magic++;
	ok(refused("is not of a program on liballoc"), "no ledger");
	fill();
	image.segments[1].p_offset = 1 << 20;
	ok(refused("is cut off"), "a ledger behind the end of the file");
	fill();
	image.segments[1].p_filesz = 1024;
	ok(refused("does not have the memory at"),
	   "a ledger of which a part was not written");
	fill();
	image.region.header.sections[LEDGER_COUNTS].stride = 65528;
	image.region.header.sections[LEDGER_COUNTS].count = 16000;
	image.region.header.sections[LEDGER_COUNTS].capacity = 16000;
	image.region.header.region_bytes = UINT64_C(1) << 40;
	ok(refused("it is cut short"), "a table larger than the file");
	fill();
	image.region.header.flags = 0;
	ok(refused("profiling switched off"), "a process without a profile");
}

/* Whatever is not there or not so: a profile, or one line. */
static bool ends_well(size_t size)
{
	struct diag diag;
	struct profile *p = read_bytes(size, false, &diag);
	bool good =
		p ? profile_is_valid(p) : diag.set && !strchr(diag.text, '\n');

	profile_free(p);
	return good;
}

static void test_cut(void)
{
	bool good = true;

	fill();
	for (size_t size = 0; size < sizeof(image); size += 24)
		good &= ends_well(size);
	ok(good, "cut anywhere, it ends in a message");
}

static void test_garbled(void)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	size_t end = offsetof(struct image, region) + 512;
	bool good = true;

	fill();
	for (size_t at = 0; at < end; at++)
		for (unsigned i = 0; i < sizeof(masks); i++) {
			((uint8_t *)&image)[at] ^= masks[i];
			good &= ends_well(sizeof(image));
			((uint8_t *)&image)[at] ^= masks[i];
		}
	ok(good, "garbled anywhere, it does no harm");
}

int main(void)
{
	plan(21);
	alarm(120);
	fd = memfd_create("core", 0);
	if (fd < 0)
		exit(77);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	test_good();
	test_bad();
	test_cut();
	test_garbled();
	return done_testing();
}
