/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Huge pages are asked for by what the program did with its large objects
 * before, where the kernel gives them to whoever asks.
 */
#include "config.h"

#include "tap/tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/include/liballoc/liballoc.h"

#define MIB ((size_t)1 << 20)
#define OBJECTS 16
#define OBJECT_BYTES (6 * MIB)
#define PAGE 4096

/* So that nothing waits, and each object is made of pages that are clean. */
const char *malloc_conf =
	"thp:filled,dirty_decay_ms:0,muzzy_decay_ms:0,prof:false";

static char *objects[OBJECTS];

/* Was the kernel asked for huge pages at ptr? */
static bool is_asked(const char *ptr)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	uintptr_t at = (uintptr_t)ptr, from, end;
	bool here = false, asked = false;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &end) ==
		    2)
			here = from <= at && at < end;
		else if (here && !strncmp(line, "VmFlags:", 8))
			asked = strstr(line, " hg") != NULL;
	}
	if (maps)
		fclose(maps);
	return asked;
}

static bool kernel_gives_when_asked(void)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
	char text[64] = "";
	bool gives = file && fgets(text, sizeof(text), file) &&
		     strstr(text, "[madvise]");

	if (file)
		fclose(file);
	return gives;
}

/* Emulators of Linux do not pass on what was asked for, or do not tell. */
static bool asking_shows(void)
{
	char *pages = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool shows;

	if (pages == MAP_FAILED)
		return false;
	shows = madvise(pages, 4 * MIB, MADV_HUGEPAGE) == 0 &&
		is_asked(pages + 2 * MIB);
	munmap(pages, 4 * MIB);
	return shows;
}

/* A round of objects, of each of which a share of the pages is written. */
static void make(unsigned share)
{
	for (unsigned i = 0; i < OBJECTS; i++) {
		objects[i] = malloc(OBJECT_BYTES);
		for (size_t j = 0; j < OBJECT_BYTES; j += PAGE)
			if (j / PAGE % 64 < share)
				objects[i][j] = 1;
	}
}

static void free_all(void)
{
	for (unsigned i = 0; i < OBJECTS; i++)
		free(objects[i]);
}

static unsigned count_asked(void)
{
	unsigned asked = 0;

	for (unsigned i = 0; i < OBJECTS; i++)
		asked += is_asked(objects[i] + OBJECT_BYTES / 2);
	return asked;
}

/* Rounds of it; what is asked for in the last one stays. */
static unsigned asked_after(unsigned rounds, unsigned share)
{
	unsigned asked = 0;

	for (unsigned i = 0; i < rounds; i++) {
		make(share);
		asked = count_asked();
		free_all();
	}
	return asked;
}

/* Each of these in a process that has learnt nothing yet. */

static bool hardly_touched(void)
{
	return asked_after(4, 4) == 0;
}

static bool filled(void)
{
	return asked_after(1, 64) == 0 && asked_after(3, 64) >= OBJECTS - 2;
}

static bool tries_without(void)
{
	return asked_after(4, 64) < OBJECTS;
}

static bool changes(void)
{
	return asked_after(4, 64) > 0 && asked_after(6, 4) == 0;
}

static bool changes_back(void)
{
	return changes() && asked_after(1, 64) == 0 &&
	       asked_after(4, 64) >= OBJECTS - 2;
}

static bool grows(void)
{
	char *ptr = NULL;
	bool asked;

	for (size_t size = MIB; size <= 200 * MIB; size += size / 2) {
		ptr = realloc(ptr, size);
		memset(ptr, 1, size);
	}
	asked = is_asked(ptr + 120 * MIB);
	free(ptr);
	return asked;
}

static bool zeros(void)
{
	bool good = true;

	for (unsigned i = 0; i < 4 * OBJECTS; i++) {
		size_t bytes = OBJECT_BYTES + i * MIB / 2;
		unsigned char *ptr = calloc(1, bytes);

		for (size_t j = 0; j < bytes; j += 64)
			good = good && !ptr[j];
		memset(ptr, 0xff, bytes);
		free(ptr);
	}
	return good;
}

static bool in_child(bool (*scenario)(void))
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(!scenario());
	waitpid(child, &status, 0);
	return status == 0;
}

int main(void)
{
	if (!kernel_gives_when_asked())
		return skip_all("the kernel gives huge pages to all or none");
	if (!asking_shows())
		return skip_all("the kernel does not tell what it was asked");
	plan(7);
	ok(in_child(hardly_touched),
	   "nothing is asked for objects that are hardly touched");
	ok(in_child(filled), "huge pages are for objects that are filled");
	ok(in_child(tries_without), "but for one now and then, to learn more");
	ok(in_child(changes), "which tells when they are filled no more");
	ok(in_child(changes_back), "and then it takes more of them");
	ok(in_child(grows), "an object that grows is known by itself");
	ok(in_child(zeros), "what was given back reads as zero");
	return done_testing();
}
