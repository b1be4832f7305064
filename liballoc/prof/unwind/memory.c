/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which memory may be read. The thread's own stack is checked once, from its
 * stack pointer to its end; all else page by page, by asking the kernel.
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
/* A deeper stack is walked page by page rather than checked as a whole. */
#define MOST_CHECKED (UINT64_C(4) << 20)

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

static bool probe_all(uint64_t low, uint64_t high)
{
	for (uint64_t at = low & ~(GRAIN - 1); at < high; at += GRAIN)
		if (!probe(at))
			return false;
	return true;
}

/*
 * Where the stack that holds sp may end: the C library keeps a thread's
 * control block above its stack, and the kernel its random bytes above the
 * first thread's. A guess, which probing confirms.
 */
static uint64_t stack_end(uint64_t sp)
{
	uint64_t control_block = (uintptr_t)__builtin_thread_pointer();
	uint64_t random = getauxval(AT_RANDOM);

	if (sp < control_block && control_block - sp <= MOST_CHECKED)
		return control_block;
	if (sp < random && random - sp <= MOST_CHECKED)
		return random;
	return 0;
}

/* Of a stack pointer beyond the bounds; walks seldom begin at one. */
static __attribute__((cold)) void find_bounds(struct stack_bounds *bounds,
					      uint64_t sp)
{
	uint64_t end = stack_end(sp);

	if (end == 0)
		return;
	if (end == bounds->high && sp < bounds->low) {
		if (probe_all(sp, bounds->low))
			bounds->low = sp & ~(GRAIN - 1);
		return;
	}
	if (probe_all(sp, end)) {
		bounds->low = sp & ~(GRAIN - 1);
		bounds->high = end & ~UINT64_C(7);
	}
}

static bool is_within(const struct stack_bounds *bounds, uint64_t sp)
{
	return sp >= bounds->low && sp < bounds->high;
}

void unwind_memory_start(struct unwind_memory *memory, uint64_t sp,
			 struct stack_bounds *bounds)
{
	struct stack_bounds none = {0, 0};

	if (!bounds)
		bounds = &none;
	if (!is_within(bounds, sp))
		find_bounds(bounds, sp);
	memory->page_count = 0;
	/* On another stack the bounds say nothing of where this one lies. */
	memory->stack = is_within(bounds, sp)
				? (struct stack_bounds){sp, bounds->high}
				: (struct stack_bounds){0, 0};
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
	return true;
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
