/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What large objects hold moves whole: by pages where the kernel can, in parts
 * where a part was moved before, by copying else; and realloc of objects that
 * grow keeps every byte, clears what is to be zero, and grows where it is;
 * pages that are given back for it go to its end.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/move.h"
#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"

#define MIB ((size_t)1 << 20)
#define VECTORS 3
#define RUNS 32u
#define RUN_BYTES ((size_t)384 << 10)

/* What the kernel does, or what another one would do. */
static enum {
	THIS_KERNEL,
	PARTED,	  /* refuses what is longer than a MiB: several mappings */
	NO_PLACE, /* unmaps what lies at a fixed place, and then fails */
	REFUSES,  /* whatever is asked */
} kernel;
static unsigned refused;
static bool kernel_moves;
/* An object that grows, and how often pages that are not its own moved. */
static char *grower;
static size_t grower_bytes;
static unsigned idle_moves;

void *mremap(void *from, size_t old, size_t new, int flags, ...)
{
	bool fixed = flags & MREMAP_FIXED;
	void *to = NULL;
	va_list rest;

	va_start(rest, flags);
	to = va_arg(rest, void *);
	va_end(rest);
	if (grower && !fixed && (size_t)((char *)from - grower) >= grower_bytes)
		idle_moves++;
	if (kernel == THIS_KERNEL ||
	    (kernel == PARTED && (fixed || old <= MIB)) ||
	    (kernel == NO_PLACE && !fixed))
		return (void *)syscall(SYS_mremap, from, old, new, flags, to);
	refused++;
	if (kernel == NO_PLACE)
		munmap(to, new);
	errno = kernel == PARTED ? EFAULT : ENOMEM;
	return MAP_FAILED;
}

static char *map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static unsigned char mark_of(size_t at)
{
	return (unsigned char)((at >> 12) * 7 + 1);
}

static void write_marks(char *from, size_t begin, size_t end)
{
	for (size_t at = begin; at < end; at += 1024)
		from[at] = (char)mark_of(at);
}

static bool has_marks(const char *in, size_t begin, size_t end)
{
	for (size_t at = begin; at < end; at += 1024)
		if ((unsigned char)in[at] != mark_of(at))
			return false;
	return true;
}

static bool is_zero(const char *in, size_t bytes)
{
	for (size_t at = 0; at < bytes; at++)
		if (in[at])
			return false;
	return true;
}

static void test_pages(void)
{
	char *from = map(8 * MIB), *to = map(8 * MIB), *third = map(8 * MIB);
	bool emptied;

	write_marks(from, 0, 8 * MIB);
	memset(to, 1, 8 * MIB);
	emptied = move_pages(to, from, 4 * MIB);
	ok(has_marks(to, 0, 4 * MIB), "four MiB are moved");
	ok(!emptied || is_zero(from, 4 * MIB), "and leave zeros behind");
	ok(has_marks(from, 4 * MIB, 8 * MIB) && to[4 * MIB] == 1,
	   "and nothing else is touched");
	write_marks(to, 4 * MIB, 8 * MIB);
	emptied = move_pages(third, to, 8 * MIB);
	ok(has_marks(third, 0, 8 * MIB), "so is what was moved in part before");
	ok(!emptied || is_zero(to, 8 * MIB), "which is left zero too");
	write_marks(from, 0, 8 * MIB);
	mprotect(from + 5 * MIB + 4096, 4096, PROT_READ);
	emptied = move_pages(to, from, 8 * MIB);
	ok(has_marks(to, 0, 8 * MIB) && (!emptied || is_zero(from, 8 * MIB)),
	   "and what several mappings hold, be it by copying");
	emptied = move_pages(third, to, 64 << 10);
	ok(!emptied && has_marks(third, 0, 64 << 10),
	   "what is small is copied");
	munmap(from, 8 * MIB);
	munmap(to, 8 * MIB);
	munmap(third, 8 * MIB);
}

/* True where all is there, and zero is what is said to be. */
static bool moves_right(bool *emptied)
{
	char *from = map(8 * MIB), *to = map(8 * MIB);
	bool right;

	write_marks(from, 0, 8 * MIB);
	memset(to, 1, 8 * MIB);
	refused = 0;
	*emptied = move_pages(to, from, 8 * MIB);
	right = has_marks(to, 0, 8 * MIB) &&
		(!*emptied || is_zero(from, 8 * MIB));
	munmap(from, 8 * MIB);
	munmap(to, 8 * MIB);
	return right;
}

static void test_kernels(void)
{
	bool moved, emptied;

	ok(moves_right(&moved), "this kernel does as it may");
	kernel_moves = moved;
	kernel = PARTED;
	ok(moves_right(&emptied) && emptied == moved && refused >= moved,
	   "what does not go whole goes by parts");
	kernel = NO_PLACE;
	ok(moves_right(&emptied) && emptied == moved && refused >= moved,
	   "what cannot be put in its place is copied there");
	kernel = REFUSES;
	ok(moves_right(&emptied) && !emptied && refused <= 1,
	   "what is refused is copied at once");
	kernel = THIS_KERNEL;
}

/*
 * So many moves that the mappings are counted on the way, if they can be; where
 * nothing moves, a few. Was each right, and was the last one more than a copy?
 */
static bool many_are_right(bool *emptied)
{
	char *at[2] = {map(MIB), map(MIB)};
	unsigned i, most = kernel_moves ? 9000 : 10;
	bool right = true;

	if (access("/proc/thread-self/maps", R_OK))
		most = 10;
	for (i = 0; i < most && right; i++) {
		char *from = at[i % 2], *to = at[(i + 1) % 2];

		from[0] = (char)(i | 1);
		*emptied = move_pages(to, from, MOVE_MIN_BYTES);
		right = to[0] == (char)(i | 1) && (!*emptied || !from[0]);
	}
	munmap(at[0], MIB);
	munmap(at[1], MIB);
	return right;
}

static void test_many(void)
{
	bool emptied = false;

	ok(many_are_right(&emptied), "many moves in a row are right");
	ok(emptied == kernel_moves, "and the last is one if the first was");
}

/* As where a program has as many files open as it may. */
static void test_uncountable(void)
{
	struct rlimit files, none;
	bool emptied = false;

	getrlimit(RLIMIT_NOFILE, &files);
	none = files;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	ok(many_are_right(&emptied),
	   "so are many while the mappings cannot be counted");
	setrlimit(RLIMIT_NOFILE, &files);
	if (access("/proc/thread-self/maps", R_OK))
		skip("and copies in the end", "there is no /proc");
	else
		ok(!emptied, "and copies in the end");
	ok(moves_right(&emptied) && emptied == kernel_moves,
	   "once they can be again the next is a move");
}

static void test_idle_pages(void)
{
	char *from = map(2 * MIB), *to = map(2 * MIB);
	enum os_moved wanted = kernel_moves ? OS_MOVED : OS_MOVE_REFUSED;

	memset(from, 1, 2 * MIB);
	memset(to, 2, 2 * MIB);
	ok(move_idle_pages(to, from, MIB) == wanted,
	   "pages that are worth nothing move if any do");
	ok(to[MIB] == 2 && from[MIB] == 1 &&
		   (!kernel_moves || is_zero(from, MIB)),
	   "those alone, and leave zeros behind");
	ok(move_idle_pages(to, from + MIB, MOVE_IDLE_MIN_BYTES - 4096) ==
			   OS_MOVE_REFUSED &&
		   from[MIB] == 1,
	   "few of them do not");
	if (mlock(from + MIB, 4096))
		skip("pages that are locked are left", "nothing is locked");
	else
		ok(move_idle_pages(to, from + MIB, MIB) == OS_MOVE_REFUSED &&
			   from[MIB] == 1,
		   "pages that are locked are left");
	munlock(from + MIB, 4096);
	kernel = REFUSES;
	ok(move_idle_pages(to, from + MIB, MIB) == OS_MOVE_REFUSED &&
		   from[MIB] == 1,
	   "nor what the kernel refuses");
	kernel = THIS_KERNEL;
	munmap(from, 2 * MIB);
	munmap(to, 2 * MIB);
}

static void test_aligned(void)
{
	bool right = true;

	for (size_t lg = 12; lg <= 23; lg++) {
		size_t usable;
		char *object = mallocx(MIB, MALLOCX_LG_ALIGN((int)lg));

		for (size_t size = 2 * MIB; size < 40 * MIB; size *= 2) {
			usable = malloc_usable_size(object);
			memset(object, (int)lg, usable);
			object = rallocx(object, size,
					 MALLOCX_LG_ALIGN((int)lg));
			right &= !((uintptr_t)object & ((1ul << lg) - 1)) &&
				 object[usable - 1] == (char)lg;
		}
		dallocx(object, 0);
	}
	ok(right, "what is aligned stays aligned as it grows");
}

static void test_growth(void)
{
	size_t sizes[VECTORS] = {0};
	char *vectors[VECTORS] = {NULL};
	bool right = true;

	for (unsigned round = 0; round < 14; round++)
		for (unsigned i = 0; i < VECTORS; i++) {
			size_t size = (sizes[i] * 3 / 2 + 100000) & ~1023ul;

			vectors[i] = realloc(vectors[i], size);
			right &= has_marks(vectors[i], 0, sizes[i]);
			write_marks(vectors[i], sizes[i], size);
			sizes[i] = size;
		}
	ok(right && sizes[0] > 40 * MIB,
	   "objects that grow side by side keep what they hold");
	for (unsigned i = 0; i < VECTORS; i++)
		free(vectors[i]);
}

/*
 * An object grows beside runs that wait, and of which fewer may wait from now
 * on: what goes then goes to its end. False: something was not right.
 */
static bool grow_beside_waiting(int flags)
{
	char *runs[RUNS], *walls[RUNS];
	size_t size = 8 * MIB;
	bool right = true;

	/* The others' would be taken first. */
	mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
	for (unsigned i = 0; i < RUNS; i++) {
		runs[i] = malloc(RUN_BYTES);
		walls[i] = malloc(RUN_BYTES / 4);
		memset(runs[i], 1, RUN_BYTES);
	}
	grower = malloc(size);
	write_marks(grower, 0, size);
	for (unsigned i = 0; i < RUNS; i++)
		free(runs[i]);
	opt.dirty_limit = MIB;
	while (size < 24 * MIB) {
		size_t next = size + 2 * MIB;

		grower_bytes = malloc_usable_size(grower);
		grower = rallocx(grower, next, flags);
		right &= has_marks(grower, 0, size) &&
			 (!flags || is_zero(grower + size, next - size));
		write_marks(grower, size, next);
		size = next;
	}
	opt.dirty_limit = 0;
	free(grower);
	grower = NULL;
	for (unsigned i = 0; i < RUNS; i++)
		free(walls[i]);
	return right;
}

/*
 * The same once, in an arena where the object has to move: how many runs went
 * to it then.
 */
static unsigned move_beside_waiting(size_t bytes, bool *right)
{
	size_t length = sizeof(unsigned);
	char *runs[RUNS], *was, name[32];
	unsigned arena, gone;
	int flags;

	if (mallctl("arenas.create", &arena, &length, NULL, 0))
		return 0;
	flags = MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
	for (unsigned i = 0; i < RUNS; i++) {
		runs[i] = mallocx(RUN_BYTES, flags);
		memset(runs[i], 1, RUN_BYTES);
		mallocx(RUN_BYTES / 4, flags);
	}
	grower = was = mallocx(bytes, flags);
	grower_bytes = malloc_usable_size(grower);
	write_marks(grower, 0, bytes);
	/* What is free behind it is no more. */
	for (unsigned i = 0; i < 256; i++)
		mallocx(64 << 10, flags);
	for (unsigned i = 0; i < RUNS; i++)
		dallocx(runs[i], flags);
	opt.dirty_limit = MIB;
	idle_moves = 0;
	grower = rallocx(grower, bytes * 2, flags);
	gone = grower != was ? idle_moves : 0;
	opt.dirty_limit = 0;
	*right &= has_marks(grower, 0, bytes);
	grower = NULL;
	snprintf(name, sizeof(name), "arena.%u.destroy", arena);
	mallctl(name, NULL, NULL, NULL, 0);
	return gone;
}

static void test_moved_beside_waiting(void)
{
	unsigned gone = 0;
	bool right = true;

	for (size_t bytes = 6 * MIB; bytes < 12 * MIB; bytes += MIB)
		gone += move_beside_waiting(bytes, &right);
	printf("# %u moves to objects that moved\n", gone);
	ok(right, "an object that moves keeps its bytes beside them");
	ok(!kernel_moves || gone > 0, "and gets them at its end");
}

static void test_waiting(void)
{
	ok(grow_beside_waiting(0), "an object that grows keeps its bytes");
	printf("# %u moves of pages that waited\n", idle_moves);
	ok(!kernel_moves || idle_moves > 0, "and gets pages that waited");
	idle_moves = 0;
	ok(grow_beside_waiting(MALLOCX_ZERO), "and zeros where it wants them");
	printf("# %u moves of pages that waited\n", idle_moves);
	kernel = NO_PLACE;
	ok(grow_beside_waiting(0) && grow_beside_waiting(MALLOCX_ZERO),
	   "so it does where they cannot be put in place");
	kernel = REFUSES;
	ok(grow_beside_waiting(0), "and where they cannot be moved");
	kernel = THIS_KERNEL;
}

static void test_zero(void)
{
	char *object = malloc(5 * MIB), *wall;
	size_t usable = malloc_usable_size(object);

	memset(object, 1, usable);
	wall = malloc(5 * MIB);
	object = rallocx(object, 11 * MIB, MALLOCX_ZERO);
	ok(object && object[0] == 1 && object[usable - 1] == 1,
	   "an object that is moved keeps its bytes");
	ok(is_zero(object + usable, malloc_usable_size(object) - usable),
	   "and what comes is zero where that is asked for");
	free(wall);
	free(object);
}

/* Resizes that end between pages' worth of what the extent has. */
static void test_left_over(void)
{
	char *object = malloc(4 * MIB), *wall = malloc(4 * MIB);
	size_t usable;

	memset(object, 1, 4 * MIB);
	object = realloc(object, 4 * MIB - (16 << 10));
	usable = malloc_usable_size(object);
	object = rallocx(object, 9 * MIB, MALLOCX_ZERO);
	ok(object[usable - 1] == 1 &&
		   is_zero(object + usable, 9 * MIB - usable),
	   "what it had beyond its end does not come back");
	free(wall);
	free(object);
}

int main(void)
{
	heap_boot();
	opt.memory_limit = -1;
	plan(33);
	test_pages();
	test_kernels();
	test_many();
	test_uncountable();
	test_idle_pages();
	test_aligned();
	test_growth();
	test_waiting();
	test_moved_beside_waiting();
	test_zero();
	test_left_over();
	return done_testing();
}
