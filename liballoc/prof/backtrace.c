/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes call stacks and cuts the allocator's own frames off. In a shared
 * library those are the frames within it; in a program that liballoc is linked
 * into, those up to the outermost function of its API.
 */
#include "config.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "liballoc/api/api.h"
#include "liballoc/api/cplusplus.h"
#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/unload.h"
#include "liballoc/prof/unwind/find.h"
#include "liballoc/prof/unwind/framed.h"
#include "liballoc/prof/unwind/unwind.h"

/* Not weak: clang asks the GOT for a weak one, and ld leaves a 0 there. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

#define ANSWERS 128u

static uint64_t own_low, own_high; /* the library's code; 0: linked in */

__attribute__((cold)) void backtrace_boot(void)
{
	const uint8_t *base = (const uint8_t *)&__ehdr_start;
	const ElfW(Phdr) * segments;

	/* Compilers take the symbol for one header: it begins an image. */
	__asm__("" : "+r"(base));
	segments = (const void *)(base + __ehdr_start.e_phoff);
	if (getauxval(AT_PHDR) == (uintptr_t)segments)
		return;
	for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
		if (segments[i].p_type != PT_LOAD ||
		    !(segments[i].p_flags & PF_X))
			continue;
		own_low = (uintptr_t)base + segments[i].p_vaddr;
		own_high = own_low + segments[i].p_memsz;
	}
}

static bool is_api(uint64_t function)
{
	const uint64_t api[] = {
		(uintptr_t)malloc,	    (uintptr_t)calloc,
		(uintptr_t)realloc,	    (uintptr_t)reallocarray,
		(uintptr_t)posix_memalign,  (uintptr_t)aligned_alloc,
		(uintptr_t)memalign,	    (uintptr_t)valloc,
		(uintptr_t)pvalloc,	    (uintptr_t)mallocx,
		(uintptr_t)rallocx,	    (uintptr_t)xallocx,
		(uintptr_t)heap_allocate,   (uintptr_t)heap_reallocate,
		(uintptr_t)heap_resize,	    (uintptr_t)api_allocate,
		(uintptr_t)api_reallocate,  (uintptr_t)api_mallocx,
		(uintptr_t)api_rallocx,	    (uintptr_t)api_allocate_counted,
		(uintptr_t)api_move,	    (uintptr_t)free,
		(uintptr_t)free_sized,	    (uintptr_t)free_aligned_sized,
		(uintptr_t)dallocx,	    (uintptr_t)sdallocx,
		(uintptr_t)heap_free,	    (uintptr_t)heap_free_sized,
		(uintptr_t)heap_check_size, (uintptr_t)heap_allocate_counted,
		(uintptr_t)api_dallocx,	    (uintptr_t)api_sdallocx,
	};

	for (unsigned i = 0; i < sizeof(api) / sizeof(api[0]); i++)
		if (api[i] == function)
			return true;
	return cplusplus_is_operator(function);
}

/*
 * Is the frame in a function of the API? What was found is kept: a frame and
 * its answer in a word. The API is never unloaded, and no other code of any
 * time can be at its addresses.
 */
static bool is_in_api(uint64_t frame)
{
	static uint64_t known[ANSWERS][4] __attribute__((aligned(4096)));
	static unsigned turn;
	uint64_t *set = known[(frame ^ frame >> 6) % ANSWERS], word;
	struct fde fde;

	for (unsigned i = 0; i < 4; i++) {
		word = __atomic_load_n(&set[i], __ATOMIC_RELAXED);
		if (word >> 1 == frame)
			return word & 1;
	}
	word = frame << 1 | (find_fde(frame - 1, &fde) && is_api(fde.pc_begin));
	__atomic_store_n(
		&set[__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % 4], word,
		__ATOMIC_RELAXED);
	return word & 1;
}

static unsigned count_linked_in(const uint64_t *frames, unsigned depth)
{
	unsigned own = 0;

	for (unsigned i = 0; i < depth && i < BACKTRACE_OWN; i++)
		if (is_in_api(frames[i]))
			own = i + 1;
	return own;
}

static unsigned count_own(const uint64_t *frames, unsigned depth)
{
	unsigned own = 0;

	if (own_high == 0)
		return count_linked_in(frames, depth);
	while (own < depth && own < BACKTRACE_OWN && frames[own] > own_low &&
	       frames[own] <= own_high)
		own++;
	return own;
}

static bool is_own(uint64_t frame)
{
	return own_high == 0 ? is_in_api(frame)
			     : frame > own_low && frame <= own_high;
}

/*
 * The allocator itself keeps no frame pointers: up to its caller the tables
 * are used. Linked in, it is not told from the program, so for as many frames
 * as it may have.
 */
static unsigned walk_framed(struct unwind *unwind, uint64_t *all, unsigned max)
{
	unsigned n = 0;

	do {
		if (!unwind_walk(unwind, all + n, 1))
			return n;
	} while (++n < BACKTRACE_OWN && (own_high == 0 || is_own(all[n - 1])));
	return n + unwind_walk_framed(unwind, all + n, max - n);
}

/* From where unwind is ready to start. */
static unsigned walk_frames(struct unwind *unwind,
			    uint64_t frames[BACKTRACE_MAX], unsigned max,
			    struct walk_memo *memo, bool *truncated)
{
	uint64_t all[BACKTRACE_MAX + BACKTRACE_OWN];
	unsigned depth, own;

	if (max > BACKTRACE_MAX)
		max = BACKTRACE_MAX;
	if (opt.prof_frame_pointers) {
		depth = walk_framed(unwind, all, max + BACKTRACE_OWN);
	} else {
		unwind->memo = memo;
		depth = unwind_walk(unwind, all, max + BACKTRACE_OWN);
	}
	own = count_own(all, depth);
	depth -= own;
	*truncated = depth > max;
	if (depth > max)
		depth = max;
	memcpy(frames, all + own, depth * sizeof(frames[0]));
	return depth;
}

unsigned backtrace_from(const struct unwind_registers *from,
			uint64_t frames[BACKTRACE_MAX], unsigned max,
			struct own_stack *own, struct walk_memo *memo,
			bool *truncated)
{
	struct unwind unwind;
	unsigned depth;

	unwind.registers = *from;
	unwind_ready(&unwind, own);
	depth = walk_frames(&unwind, frames, max, memo, truncated);
	if (unwind.unheard_pc)
		unload_listen(unwind.unheard_pc);
	return depth;
}

unsigned backtrace_hooked(uint64_t frames[BACKTRACE_MAX], unsigned max)
{
	uint64_t all[BACKTRACE_MAX + 2 * BACKTRACE_OWN];
	unsigned depth, own = 0;
	struct unwind unwind;

	if (max > BACKTRACE_MAX)
		max = BACKTRACE_MAX;
	unwind_start(&unwind, NULL);
	depth = unwind_walk(&unwind, all, max + 2 * BACKTRACE_OWN);
	for (unsigned i = 0; i < depth && i < 2 * BACKTRACE_OWN; i++)
		if (is_own(all[i]))
			own = i + 1;
	depth -= own;
	if (depth > max)
		depth = max;
	memcpy(frames, all + own, depth * sizeof(frames[0]));
	return depth;
}

unsigned backtrace_peek(uint64_t frames[BACKTRACE_MAX], unsigned max)
{
	struct unwind unwind;
	bool truncated;

	unwind_start(&unwind, NULL);
	return walk_frames(&unwind, frames, max, NULL, &truncated);
}
