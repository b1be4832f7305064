/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Core files made by hand: what is read of a good one, and that a cut or
 * garbled one ends in a message.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "libjeheap/profile/read.h"
#include "libjeheap/target/target.h"
#include "tap/tap.h"
#include "unit/target/core_image.h"

static struct core_image image;
static char path[64];
static int fd;

static unsigned naps;

/* In place of the C library's: a core file does not change by waiting. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time;
	(void)left;
	naps++;
	return 0;
}

static void fill(void)
{
	core_image_fill(&image);
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

/* The mapping begins before the ledger, so that its start tells nothing. */
static void test_found(bool by_note, const char *how)
{
	struct diag diag = {0};
	struct profile *p;

	fill();
	core_image_add_program(&image, by_note);
	image.segments[1].p_vaddr -= CORE_IMAGE_PAGE;
	image.segments[1].p_offset -= CORE_IMAGE_PAGE;
	image.segments[1].p_filesz += CORE_IMAGE_PAGE;
	p = read_image(&diag);
	if (!ok(p && p->sample_count == 3, "a ledger is found by %s", how))
		tap_line("# %s\n", diag.text);
	ok(p && p->files[0].build_id.len == sizeof(image.program.build_id.id),
	   "whose file has its build-id");
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
	image.region.header.generation = 7;
	image.region.header.sections[LEDGER_COUNTS].stride = 1;
	ok(refused("stride is wrong") && naps == 0,
	   "tables that were being rewritten, and are damaged, at once");
	fill();
	image.region.header.flags = 0;
	ok(refused("profiling switched off"), "a process without a profile");
}

/* Many segments of notes, each as long as may be, of which none has it. */
static void test_build_id(void)
{
	struct target target;
	struct diag diag = {0};
	struct program_image *program = &image.program;
	struct arena arena = {0};
	struct arena_mark mark;
	struct str id;

	fill();
	core_image_add_program(&image, true);
	image.segments[1].p_vaddr = CORE_IMAGE_PROGRAM + CORE_IMAGE_PAGE;
	image.segments[1].p_filesz = 64 << 10;
	memset(&program->build_id, 0, sizeof(program->build_id));
	program->headers[1].p_vaddr = CORE_IMAGE_PAGE;
	program->headers[1].p_memsz = 64 << 10;
	program->headers[2] = program->headers[1];
	profile_free(read_bytes(sizeof(image), false, &diag));
	if (ftruncate(fd, sizeof(image) + (64 << 10)) != 0)
		exit(99);
	diag_clear(&diag);
	arena_alloc(&arena, 1);
	mark = arena_mark(&arena);
	ok(target_open_core(&target, path, &diag) &&
		   !target_build_id(&target, CORE_IMAGE_PROGRAM, &arena, &id),
	   "a file without a build-id");
	ok(arena.next == mark.next, "which keeps no memory");
	target_close(&target);
	arena_free(&arena);
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
	size_t end = offsetof(struct core_image, region) + 512;
	bool good = true;

	fill();
	core_image_add_program(&image, true);
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
	plan(28);
	alarm(120);
	fd = memfd_create("core", 0);
	if (fd < 0)
		exit(77);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	test_good();
	test_found(true, "the note of a program");
	test_found(false, "the symbol of liballoc.so");
	test_bad();
	test_build_id();
	test_cut();
	test_garbled();
	return done_testing();
}
