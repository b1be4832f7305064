/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which memory may be read. Of the thread's own stack it is known where it
 * lies; all else is checked, page by page, by asking the kernel.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liballoc/prof/unwind/memory.h"

/* The smallest page there is: a finer grain costs a call more at most. */
#define GRAIN UINT64_C(4096)
/*
 * How far the first stack may have grown since it was looked at last; what else
 * is mapped lies further off, and would be asked for in vain each time.
 */
#define MOST_GROWN (UINT64_C(64) << 20)
/*
 * The C library's thread descriptor begins or, on aarch64, ends where the
 * thread pointer points to, and is about as large.
 */
#define DESCRIPTOR_BYTES UINT64_C(2304)
#define LEAST_STACK (UINT64_C(16) << 10) /* PTHREAD_STACK_MIN, at the least */
/* Above the thread pointer lie the descriptor or thread-local data, no more. */
#define MOST_ABOVE (UINT64_C(64) << 10)

/*
 * The kernel reads the signal set before it looks at how, which is wrong here:
 * EFAULT tells memory that cannot be read, at the price of a short call; any
 * other error but EINVAL, that we may not ask.
 */
static bool probe(uint64_t address)
{
	int kept_errno = errno;
	bool readable = syscall(SYS_rt_sigprocmask, ~0,
				(void *)(uintptr_t)(address & ~UINT64_C(7)),
				NULL, (size_t)8) == -1 &&
			errno == EINVAL;

	errno = kept_errno;
	return readable;
}

static bool all_readable(uint64_t at, uint64_t end)
{
	while (at < end && probe(at))
		at += GRAIN;
	return at >= end;
}

/* glibc's, in its struct pthread, in this order: see nptl/descr.h there. */
struct block {
	uint64_t base, bytes;
	uint64_t guard_bytes, reported_guard_bytes;
};

/*
 * Of the first thread the base is 0: that stack is the kernel's. Other words
 * may look like a base and a size, but not end where the descriptor does.
 */
static bool is_block(const struct block *block, uint64_t thread)
{
	uint64_t end = block->base + block->bytes;

	return block->base >= GRAIN && block->base < thread &&
	       block->bytes >= LEAST_STACK && end > thread &&
	       end - thread <= MOST_ABOVE &&
	       block->guard_bytes <= block->bytes &&
	       block->reported_guard_bytes <= block->bytes;
}

/*
 * What the running thread was given for its stack and, above that, for its
 * descriptor, which says so: looked for there, since pthread_getattr_np()
 * allocates. False where no words say so.
 */
static bool find_block(struct block *block)
{
	uint64_t thread = (uintptr_t)__builtin_thread_pointer();
#if defined(__aarch64__)
	uint64_t at = thread - DESCRIPTOR_BYTES, end = thread;
#else
	uint64_t at = thread, end = thread + DESCRIPTOR_BYTES;
#endif
	uint64_t sure = thread & ~(GRAIN - 1);

	/* It may lie in two pages, or be shorter and end before the second. */
	if (at < sure && !probe(at))
		at = sure;
	if (end > sure + GRAIN && !probe(sure + GRAIN))
		end = sure + GRAIN;
	for (; at + sizeof(*block) <= end; at += sizeof(uint64_t)) {
		memcpy(block, (const void *)(uintptr_t)at, sizeof(*block));
		if (is_block(block, thread))
			return true;
	}
	return false;
}

/* Where it lies; none of it is known yet. */
static __attribute__((cold)) void find_own(struct own_stack *own)
{
	struct block block;

	if (find_block(&block)) {
		own->base = block.base;
		own->known.high = (block.base + block.bytes) & ~UINT64_C(7);
	} else {
		/* The kernel's random bytes lie above the first stack. */
		own->base = 0;
		own->known.high = getauxval(AT_RANDOM) & ~UINT64_C(7);
	}
	own->known.low = own->known.high;
}

static bool is_within(const struct stack_bounds *bounds, uint64_t sp)
{
	return sp >= bounds->low && sp < bounds->high;
}

/*
 * Of a stack pointer beyond what is known. Where the stack was given, all above
 * it is there. In one that grows it is, if nothing lies between; a place below
 * it must not be asked for, since the stack would grow there.
 */
static __attribute__((cold)) void extend(struct own_stack *own, uint64_t sp)
{
	struct stack_bounds *known = &own->known;
	uint64_t page = sp & ~(GRAIN - 1);

	if (sp >= known->high || sp < own->base)
		return;
	if (own->base ||
	    (known->low - sp <= MOST_GROWN && all_readable(page, known->low)))
		known->low = page > own->base ? page : own->base;
}

static bool page_readable(struct unwind_memory *memory, uint64_t address)
{
	uint64_t page = address & ~(GRAIN - 1);

	for (unsigned i = 0; i < UNWIND_PAGES && i < memory->page_count; i++)
		if (memory->pages[i] == page)
			return true;
	if (page == 0 || !probe(page))
		return false;
	memory->pages[memory->page_count++ % UNWIND_PAGES] = page;
	if (!memory->own && page == memory->stack.high)
		memory->stack.high += GRAIN;
	return true;
}

void unwind_memory_start(struct unwind_memory *memory, uint64_t sp,
			 struct own_stack *own)
{
	struct own_stack none = {{0, 0}, 0};
	uint64_t page = sp & ~(GRAIN - 1);

	if (!own)
		own = &none;
	if (!own->known.high)
		find_own(own);
	if (!is_within(&own->known, sp))
		extend(own, sp);
	memory->page_count = 0;
	memory->own = is_within(&own->known, sp);
	memory->stack = (struct stack_bounds){0, 0};
	if (memory->own)
		memory->stack = (struct stack_bounds){sp, own->known.high};
	else if (page_readable(memory, sp))
		memory->stack = (struct stack_bounds){sp, page + GRAIN};
}

bool unwind_read(struct unwind_memory *memory, uint64_t address, void *to,
		 size_t size)
{
	const struct stack_bounds *stack = &memory->stack;
	uint64_t last = address + size - 1;

	if (last < address)
		return false;
	if (!(address >= stack->low && last < stack->high) &&
	    !(page_readable(memory, address) && page_readable(memory, last)))
		return false;
	memcpy(to, (const void *)(uintptr_t)address, size);
	return true;
}
