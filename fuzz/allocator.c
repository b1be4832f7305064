/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives the whole API of liballoc from bytes, and holds each call against a
 * model that knows what every live object must be: its least usable size, its
 * alignment, its contents, its arena, and that it overlaps no other. Aborts
 * where liballoc differs. Undefined calls are never made, so that whatever
 * goes wrong is liballoc's fault.
 *
 * Each step is an opcode and as many bytes as it asks for; bytes past the end
 * are 0. State ends with the input, but for arenas, which are few and kept.
 */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"

#define SLOTS 64
#define ARENAS 3
#define CACHES 4
#define MARKED 48 /* bytes at either end of an object that are checked */
#define STEPS_MAX 20000

struct object {
	unsigned char *ptr;
	size_t size;	  /* asked for, or grown to */
	size_t alignment; /* asked for; 0: none */
	size_t exact;	  /* what a sized free must say */
	int arena;	  /* that it is known to lie in; -1: any */
	unsigned char mark;
};

static struct object objects[SLOTS];
static int arenas[ARENAS]; /* indices; 0: not made yet */
static int caches[CACHES]; /* index + 1; 0: none */
static bool failing;	   /* mmap may fail */

/* The compiler would warn of what is meant to overflow. */
static volatile size_t half = SIZE_MAX / 2;

struct input {
	const uint8_t *at, *end;
};

static uint8_t next_byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* Of any magnitude, all up to 64 KiB as likely; at most 4 MiB. */
static size_t next_size(struct input *in)
{
	uint8_t byte = next_byte(in);
	unsigned lg = byte < 240 ? byte % 16u : 16u + byte % 6u;
	size_t low = next_byte(in);

	low |= (size_t)next_byte(in) << 8;
	return ((size_t)1 << lg) + (low & (((size_t)1 << lg) - 1));
}

static void fail(const char *what)
{
	fprintf(stderr, "the model disagrees: %s\n", what);
	abort();
}

static void expect(bool good, const char *what)
{
	if (!good)
		fail(what);
}

static void check_contents(const struct object *o, size_t size)
{
	for (size_t i = 0; i < size && i < MARKED; i++)
		expect(o->ptr[i] == o->mark, "contents at the front");
	if (size == o->size)
		for (size_t i = 0; i < size && i < MARKED; i++)
			expect(o->ptr[size - 1 - i] == o->mark,
			       "contents at the end");
}

static void mark(struct object *o)
{
	static unsigned char next;

	o->mark = ++next;
	for (size_t i = 0; i < o->size && i < MARKED; i++)
		o->ptr[i] = o->ptr[o->size - 1 - i] = o->mark;
}

static void check_zero(const unsigned char *ptr, size_t from, size_t to)
{
	size_t count = to - from;

	ptr += from;
	expect(from >= to || (!*ptr && !memcmp(ptr, ptr + 1, count - 1)),
	       "memory that must be zero");
}

/* What holds of every live object. */
static void check_place(const struct object *o)
{
	uintptr_t at = (uintptr_t)o->ptr;
	size_t usable = malloc_usable_size(o->ptr);
	size_t natural = o->size >= 16 ? 16 : 8;

	expect(usable >= o->size, "the usable size");
	expect(sallocx(o->ptr, 0) == usable, "sallocx");
	expect(at % natural == 0, "the natural alignment");
	expect(!o->alignment || at % o->alignment == 0, "the alignment");
	for (const struct object *p = objects; p < objects + SLOTS; p++)
		expect(p == o || !p->ptr || p->ptr >= o->ptr + usable ||
			       o->ptr >= p->ptr + p->size,
		       "objects that do not overlap");
	if (o->arena >= 0) {
		unsigned index = 0;
		size_t bytes = sizeof(index);

		expect(!mallctl("arenas.lookup", &index, &bytes,
				(void *)(uintptr_t)&o->ptr, sizeof(o->ptr)) &&
			       index == (unsigned)o->arena,
		       "arenas.lookup");
	}
}

/* A call gave ptr for o, which says what was asked for. */
static void take(struct object *o, void *ptr)
{
	o->ptr = ptr;
	if (!ptr) {
		expect(failing && errno == ENOMEM, "no memory, no reason");
		return;
	}
	o->exact = o->size;
	check_place(o);
	mark(o);
}

/* Flags, and what they mean to the model. */
static int next_flags(struct input *in, struct object *o)
{
	uint8_t byte = next_byte(in);
	int flags = 0;

	o->alignment = 0;
	o->arena = -1;
	if (byte & 1) {
		unsigned lg = next_byte(in) % 18u;

		o->alignment = (size_t)1 << lg;
		flags |= MALLOCX_LG_ALIGN(lg);
	}
	if (byte & 2)
		flags |= MALLOCX_ZERO;
	if ((byte >> 2) % 4 == 1)
		flags |= MALLOCX_TCACHE_NONE;
	if ((byte >> 2) % 4 == 2 && caches[byte % CACHES])
		flags |= MALLOCX_TCACHE(caches[byte % CACHES] - 1);
	if ((byte >> 4) % 4 == 1 && arenas[byte % ARENAS] &&
	    !(flags & MALLOCX_TCACHE(0xffd))) {
		o->arena = arenas[byte % ARENAS];
		flags |= MALLOCX_ARENA((unsigned)o->arena);
	}
	return flags;
}

/* Flags for giving back: a cache or none, never an arena's. */
static int free_flags(struct input *in, const struct object *o)
{
	uint8_t byte = next_byte(in);
	int flags = 0;

	if (byte % 4 == 1)
		flags = MALLOCX_TCACHE_NONE;
	if (byte % 4 == 2 && caches[byte / 4 % CACHES])
		flags = MALLOCX_TCACHE(caches[byte / 4 % CACHES] - 1);
	if (o->alignment > 1)
		flags |= MALLOCX_ALIGN(o->alignment);
	return flags;
}

static void plain(struct object *o, size_t size)
{
	o->size = size;
	o->alignment = 0;
	o->arena = -1;
	errno = 0;
}

static void do_malloc(struct input *in, struct object *o)
{
	plain(o, next_size(in));
	take(o, malloc(o->size));
}

static void do_calloc(struct input *in, struct object *o)
{
	size_t count = next_byte(in) % 16 + 1u;
	unsigned char *ptr;

	plain(o, next_size(in) * count);
	ptr = calloc(count, o->size / count);
	if (ptr)
		check_zero(ptr, 0, o->size);
	take(o, ptr);
}

/* The four that take an alignment, or none that is one. */
static void do_aligned(struct input *in, struct object *o)
{
	size_t alignment = (size_t)1 << next_byte(in) % 20u;
	uint8_t which = next_byte(in) % 5u;
	void *ptr = NULL;
	int error = 0;

	plain(o, next_size(in));
	o->alignment = which == 3 || which == 4 ? os_page_bytes : alignment;
	switch (which) {
	case 0:
		errno = 0;
		error = posix_memalign(&ptr, alignment, o->size);
		expect(errno == 0, "posix_memalign leaves errno alone");
		if (alignment < sizeof(void *)) {
			expect(error == EINVAL, "a small alignment");
			return;
		}
		expect(!error == !!ptr, "its result");
		errno = error;
		break;
	case 1:
		ptr = aligned_alloc(alignment, o->size);
		break;
	case 2:
		ptr = memalign(alignment, o->size);
		break;
	case 3:
		ptr = valloc(o->size);
		break;
	default:
		ptr = pvalloc(o->size);
		expect(!ptr || malloc_usable_size(ptr) >=
				       ((o->size + os_page_bytes - 1) &
					~(os_page_bytes - 1)),
		       "pvalloc's whole pages");
	}
	take(o, ptr);
	if (ptr && which == 4)
		o->exact = 0; /* more was asked for than the model says */
}

static void do_mallocx(struct input *in, struct object *o)
{
	int flags = next_flags(in, o);
	size_t promised;
	void *ptr;

	o->size = next_size(in);
	promised = nallocx(o->size, flags);
	errno = 0;
	ptr = mallocx(o->size, flags);
	if (ptr && flags & MALLOCX_ZERO)
		check_zero(ptr, 0, o->size);
	if (ptr && promised)
		expect(sallocx(ptr, 0) >= o->size && promised >= o->size,
		       "nallocx");
	take(o, ptr);
}

/* Moved or not: the lesser of both sizes must be there. */
static void after_resize(struct object *o, const struct object *want, void *ptr)
{
	size_t least = o->size < want->size ? o->size : want->size;

	if (!ptr) {
		expect(failing && errno == ENOMEM, "no resize, no reason");
		check_contents(o, o->size);
		return;
	}
	o->ptr = ptr;
	if (least > MARKED)
		least = MARKED;
	for (size_t i = 0; i < least; i++)
		expect(o->ptr[i] == o->mark, "contents after a resize");
	o->size = o->exact = want->size;
	o->alignment = want->alignment;
	o->arena = -1;
	check_place(o);
	mark(o);
}

static void do_realloc(struct input *in, struct object *o)
{
	struct object want;
	uint8_t way = next_byte(in) % 4u;

	check_contents(o, o->size);
	plain(&want, next_size(in));
	switch (way) {
	case 0:
		errno = 0;
		expect(!reallocarray(o->ptr, half, 3) && errno == ENOMEM,
		       "an overflow");
		check_contents(o, o->size);
		return;
	case 1:
		want.size &= ~(size_t)7;
		want.size += 8;
		after_resize(o, &want, reallocarray(o->ptr, want.size / 8, 8));
		return;
	default:
		after_resize(o, &want, realloc(o->ptr, want.size));
	}
}

static void do_rallocx(struct input *in, struct object *o)
{
	struct object want;
	int flags = next_flags(in, &want);
	size_t usable = sallocx(o->ptr, 0);
	unsigned char *ptr;

	check_contents(o, o->size);
	want.size = next_size(in);
	errno = 0;
	ptr = rallocx(o->ptr, want.size, flags);
	if (ptr && flags & MALLOCX_ZERO && want.size > usable)
		check_zero(ptr, usable, want.size);
	after_resize(o, &want, ptr);
}

static void do_xallocx(struct input *in, struct object *o)
{
	size_t usable = sallocx(o->ptr, 0), size = next_size(in), got;
	size_t extra = next_byte(in) % 2u ? next_size(in) : 0;
	int flags = next_byte(in) % 2u ? MALLOCX_ZERO : 0;
	void *ptr = o->ptr;

	check_contents(o, o->size);
	if (o->alignment > 1)
		flags |= MALLOCX_ALIGN(o->alignment);
	got = xallocx(o->ptr, size, extra, flags);
	expect(got == sallocx(ptr, 0), "xallocx says what is usable");
	expect(got == usable || got >= size, "a resize that is enough");
	if (flags & MALLOCX_ZERO && got > usable)
		check_zero(ptr, usable, got);
	for (size_t i = 0; i < MARKED && i < o->size && i < got; i++)
		expect(o->ptr[i] == o->mark, "contents after xallocx");
	o->size = got < size ? (got < o->size ? got : o->size) : size;
	o->exact = 0;
	check_place(o);
	mark(o);
}

static void do_free(struct input *in, struct object *o)
{
	uint8_t way = next_byte(in) % 6u;
	size_t exact = o->exact ? o->exact : sallocx(o->ptr, 0);
	int flags = free_flags(in, o);

	check_contents(o, o->size);
	check_place(o);
	errno = 77;
	switch (way) {
	case 0:
		dallocx(o->ptr, flags);
		break;
	case 1:
		sdallocx(o->ptr, exact, flags);
		break;
	case 2:
		if (o->alignment > 1)
			free_aligned_sized(o->ptr, o->alignment, exact);
		else
			free_sized(o->ptr, exact);
		break;
	case 3:
		expect(!realloc(o->ptr, 0), "a size of 0 frees");
		break;
	default:
		free(o->ptr);
	}
	expect(errno == 77 || way == 3, "errno, which free keeps");
	o->ptr = NULL;
}

static void do_tcache(struct input *in)
{
	uint8_t byte = next_byte(in);
	int *cache = &caches[byte % CACHES];
	unsigned index = (unsigned)*cache - 1;
	size_t bytes = sizeof(index);

	if (!*cache) {
		int error = mallctl("tcache.create", &index, &bytes, NULL, 0);

		expect(!error || failing, "tcache.create");
		if (!error)
			*cache = (int)index + 1;
	} else if (byte & 128) {
		expect(!mallctl("tcache.destroy", NULL, NULL, &index, bytes),
		       "tcache.destroy");
		*cache = 0;
	} else {
		expect(!mallctl("tcache.flush", NULL, NULL, &index, bytes),
		       "tcache.flush");
	}
}

static void do_arena(struct input *in)
{
	static const char *const actions[] = {"purge", "decay"};
	uint8_t byte = next_byte(in);
	int *arena = &arenas[byte % ARENAS];
	unsigned index = 0;
	size_t bytes = sizeof(index);
	char name[40];

	if (!*arena) {
		int error = mallctl("arenas.create", &index, &bytes, NULL, 0);

		expect(!error || failing, "arenas.create");
		if (!error)
			*arena = (int)index;
		return;
	}
	snprintf(name, sizeof(name), "arena.%d.%s", *arena,
		 actions[byte / ARENAS % 2]);
	expect(!mallctl(name, NULL, NULL, NULL, 0), name);
}

static void do_thread(struct input *in)
{
	uint8_t byte = next_byte(in);
	bool on = byte & 1;
	unsigned arena =
		arenas[byte % ARENAS] > 0 ? (unsigned)arenas[byte % ARENAS] : 0;

	switch (byte >> 1 & 3) {
	case 0:
		expect(!mallctl("thread.tcache.enabled", NULL, NULL, &on,
				sizeof(on)),
		       "thread.tcache.enabled");
		break;
	case 1:
		mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
		break;
	case 2:
		expect(!mallctl("thread.arena", NULL, NULL, &arena,
				sizeof(arena)) ||
			       failing,
		       "thread.arena");
		break;
	default:
		mallctl("thread.idle", NULL, NULL, NULL, 0);
	}
}

/* Any name at all: an answer, and no more written than there was room for. */
static void do_control(struct input *in)
{
	char name[48];
	uint64_t old[3] = {0, 0, 0x5a5a5a5a5a5a5a5a};
	size_t length = next_byte(in) % 17u, depth = next_byte(in) % 9u;
	size_t mib[9] = {0}, i;
	unsigned count = next_byte(in) % sizeof(name);

	for (i = 0; i < count; i++)
		name[i] = (char)next_byte(in);
	name[count] = '\0';
	/* What it would do to the process is no test of the model. */
	if (strncmp(name, "prof.", 5) == 0 || strncmp(name, "arena", 5) == 0 ||
	    strncmp(name, "tcache", 6) == 0)
		return;
	mallctl(name, old, &length, NULL, 0);
	expect(old[2] == 0x5a5a5a5a5a5a5a5a, "mallctl's room");
	if (!mallctlnametomib(name, mib, &depth)) {
		length = sizeof(uint64_t);
		mallctlbymib(mib, depth, old, &length, NULL, 0);
	}
}

static void discard_text(void *opaque, const char *text)
{
	*(size_t *)opaque += strlen(text);
}

static void do_whole(struct input *in)
{
	uint8_t byte = next_byte(in);
	size_t length = 0;
	char letters[2] = {(char)('a' + byte / 8 % 26), '\0'};

	switch (byte % 8) {
	case 0:
		malloc_trim(0);
		break;
	case 1:
		malloc_stats_print(discard_text, &length, letters);
		expect(length > 0, "malloc_stats_print");
		break;
	case 2:
		expect(mallinfo2().uordblks <= mallinfo2().arena, "mallinfo2");
		break;
	case 3:
		failing = true;
		os_fail_map(next_byte(in) + 1u, byte & 8);
		break;
	case 4:
		os_fail_map(0, false);
		failing = false;
		break;
	default:
		errno = 0;
		expect(!calloc(half, 3) && errno == ENOMEM,
		       "an overflow of calloc");
		expect(!nallocx(SIZE_MAX / 2 + 2, 0), "nallocx of too much");
	}
}

/* Of 16 opcodes: those that make an object, that need one, and others. */
static void step(struct input *in)
{
	static void (*const makers[])(struct input *, struct object *) = {
		do_malloc, do_calloc, do_aligned, do_mallocx};
	static void (*const users[])(struct input *, struct object *) = {
		do_realloc, do_rallocx, do_xallocx, do_free};
	static void (*const others[])(struct input *) = {
		do_tcache, do_arena, do_thread, do_control, do_whole};
	uint8_t opcode = next_byte(in);
	struct object *o;

	if (opcode >= 236) {
		others[opcode % 5](in);
		return;
	}
	o = &objects[next_byte(in) % SLOTS];
	if (o->ptr)
		users[opcode % 4](in, o);
	else
		makers[opcode % 4](in, o);
}

/* As it was before, so that one input does not depend on the last. */
static void clean_up(void)
{
	bool on = true;
	unsigned arena = 0;

	os_fail_map(0, false);
	failing = false;
	for (struct object *o = objects; o < objects + SLOTS; o++) {
		if (!o->ptr)
			continue;
		check_contents(o, o->size);
		free(o->ptr);
		o->ptr = NULL;
	}
	for (unsigned i = 0; i < CACHES; i++) {
		unsigned index = (unsigned)caches[i] - 1;

		if (caches[i])
			mallctl("tcache.destroy", NULL, NULL, &index,
				sizeof(index));
		caches[i] = 0;
	}
	mallctl("thread.tcache.enabled", NULL, NULL, &on, sizeof(on));
	mallctl("thread.arena", NULL, NULL, &arena, sizeof(arena));
}

/* What is left in an arena of ours must be nothing, once none of it is kept. */
static void check_books(void)
{
	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	for (unsigned i = 0; i < ARENAS; i++) {
		static const char *const kinds[] = {"small", "large"};
		char name[48];

		for (unsigned k = 0; k < 2 && arenas[i]; k++) {
			size_t left = 1, bytes = sizeof(left);

			snprintf(name, sizeof(name),
				 "stats.arenas.%d.%s.allocated", arenas[i],
				 kinds[k]);
			mallctl(name, &left, &bytes, NULL, 0);
			expect(left == 0, name);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	unsigned steps = 0;

	while (in.at < in.end && steps++ < STEPS_MAX)
		step(&in);
	clean_up();
	check_books();
	return 0;
}
