/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of guarded objects. Owns a range of address space cut into slots of
 * equal size, each followed by a page that is never opened, and a table of
 * what lies in them. Freed slots wait in order of their freeing; they are used
 * again only where no slot is fresh and a quarter of all waits.
 */
#include "config.h"

#include "liballoc/safety/guard.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/extent.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/heap/thread.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/safety/fault.h"
#include "liballoc/safety/report.h"

#define STACK_FRAMES 48u
/* One object of so many begins at its pages' start rather than ends there. */
#define LEFT_SHARE 8u
/* What fills the pages round the object. */
#define MARGIN 0xc3

enum slot_state {
	SLOT_FRESH,
	SLOT_LIVE,
	SLOT_FREED,
};

struct stack {
	uint32_t count;
	int32_t thread; /* of the kernel's */
	uint64_t frames[STACK_FRAMES];
};

/* extent.base: the object; extent.bytes: what was asked for. */
struct slot {
	struct extent extent;
	uint32_t state; /* enum slot_state */
	uint32_t next;	/* freed: the one freed after it, + 1 */
	void *backing;
	uintptr_t pages; /* that are open: pages_bytes from there */
	size_t pages_bytes;
	struct stack allocated, freed;
};

/* Constant after boot. */
static uintptr_t pool;
static size_t stride;
static unsigned slot_count;
static struct slot *slots;

/* Guards the slots' state and what follows. */
static struct lock lock = LOCK_INIT(LOCK_GUARD);
static uint32_t fresh; /* slots [fresh, slot_count) were never used */
static uint32_t freed_first, freed_last, freed_count; /* + 1 */
static uint64_t asked, given;

static uintptr_t data_of(unsigned index)
{
	return pool + os_page_bytes + index * stride;
}

static size_t pool_bytes(void)
{
	return os_page_bytes + slot_count * stride;
}

__attribute__((cold)) void guard_boot(void)
{
	size_t table;
	void *base;

	if (!opt.prof_guard || !opt.prof)
		return;
	stride = GUARD_MAX_BYTES + os_page_bytes;
	slot_count = opt.prof_guard_max;
	table = slot_count * sizeof(struct slot);
	table = (table + os_page_bytes - 1) & ~(os_page_bytes - 1);
	base = mmap(NULL, pool_bytes(), PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return;
	if (!page_map_cover((uintptr_t)base, pool_bytes()) ||
	    !(slots = os_map(table, false))) {
		warning("no memory to guard samples", NULL);
		return;
	}
	pool = (uintptr_t)base;
	fault_boot();
}

static bool is_ours(uintptr_t address)
{
	return slots && address - pool < pool_bytes();
}

static struct slot *slot_at(uintptr_t address)
{
	if (!is_ours(address) || address < pool + os_page_bytes)
		return NULL;
	return &slots[(address - pool - os_page_bytes) / stride];
}

/* The next slot to use, or NULL; not to be guarded is the rule. */
static struct slot *choose(void)
{
	struct slot *slot;

	if (asked++ % opt.prof_guard)
		return NULL;
	if (fresh < slot_count)
		return &slots[fresh++];
	if (!freed_first || freed_count < slot_count / 4)
		return NULL;
	slot = &slots[freed_first - 1];
	freed_first = slot->next;
	freed_count--;
	return slot;
}

static void append_freed(struct slot *slot)
{
	uint32_t index = (uint32_t)(slot - slots) + 1;

	slot->next = 0;
	if (freed_first)
		slots[freed_last - 1].next = index;
	else
		freed_first = index;
	freed_last = index;
	freed_count++;
}

static bool protect(const struct slot *slot, int protection)
{
	int kept_errno = errno;
	void *pages = (void *)slot->pages;
	bool done = mprotect(pages, slot->pages_bytes, protection) == 0;

	/* At once, so that what is in quarantine costs no memory. */
	if (done && protection == PROT_NONE)
		madvise(pages, slot->pages_bytes, MADV_DONTNEED);
	errno = kept_errno;
	return done;
}

static void take_stack(struct stack *stack)
{
	uint64_t frames[BACKTRACE_MAX];

	stack->count = backtrace_peek(frames, STACK_FRAMES);
	stack->thread = os_thread_id();
	memcpy(stack->frames, frames, stack->count * sizeof(frames[0]));
}

static size_t natural_alignment(size_t bytes)
{
	return bytes > 8 ? 16 : 8;
}

/* Places the object in the slot's pages; which are yet to be opened. */
static void place(struct slot *slot, size_t bytes, size_t alignment)
{
	uintptr_t data = data_of((unsigned)(slot - slots));
	uintptr_t object = data, end = data + GUARD_MAX_BYTES;

	if (alignment < natural_alignment(bytes))
		alignment = natural_alignment(bytes);
	if (given++ % LEFT_SHARE != LEFT_SHARE - 1)
		object = (end - bytes) & -alignment;
	slot->extent.base = object;
	slot->extent.bytes = slot->extent.usable = bytes;
	slot->pages = object & -os_page_bytes;
	slot->pages_bytes = (object + bytes - slot->pages + os_page_bytes - 1) &
			    -os_page_bytes;
}

static void fill_margins(const struct slot *slot)
{
	uintptr_t object = slot->extent.base, end = object + slot->extent.bytes;

	memset((void *)slot->pages, MARGIN, object - slot->pages);
	memset((void *)end, MARGIN, slot->pages + slot->pages_bytes - end);
}

static uintptr_t find_damage(uintptr_t from, uintptr_t to)
{
	for (; from < to; from++)
		if (*(const uint8_t *)from != MARGIN)
			return from;
	return 0;
}

static void check_margins(const struct slot *slot)
{
	uintptr_t object = slot->extent.base, end = object + slot->extent.bytes;
	uintptr_t damage = find_damage(slot->pages, object);

	if (damage)
		report_error("underflow of an object, found when it is freed: "
			     "a write at",
			     (void *)damage);
	damage = find_damage(end, slot->pages + slot->pages_bytes);
	if (damage)
		report_error("overflow of an object, found when it is freed: "
			     "a write at",
			     (void *)damage);
}

static struct slot *take_slot(void *backing, size_t bytes, size_t alignment)
{
	struct slot *slot;

	lock_take(&lock);
	slot = choose();
	if (slot) {
		place(slot, bytes, alignment);
		slot->backing = backing;
		slot->state = SLOT_FRESH;
	}
	lock_release(&lock);
	return slot;
}

/* Who allocates alone knows the slot until it is live. */
void *guard_take(void *backing, size_t bytes, size_t alignment)
{
	struct slot *slot;
	uint64_t word;

	if (!slots || bytes > GUARD_MAX_BYTES || alignment > os_page_bytes)
		return NULL;
	thread_busy++;
	slot = take_slot(backing, bytes, alignment);
	if (slot && !protect(slot, PROT_READ | PROT_WRITE)) {
		lock_take(&lock);
		slot->state = SLOT_FREED;
		append_freed(slot);
		lock_release(&lock);
		slot = NULL;
	}
	thread_busy--;
	if (!slot)
		return NULL;
	fill_margins(slot);
	take_stack(&slot->allocated);
	slot->freed.count = 0;
	slot->extent.arena =
		page_word_extent(page_map_get((uintptr_t)backing))->arena;
	slot->extent.state = EXTENT_GUARDED;
	word = page_word(&slot->extent, SIZE_CLASSES - 1,
			 PAGE_LIVE | PAGE_LARGE | PAGE_SAMPLED | PAGE_UNCACHED);
	__atomic_store_n(&slot->state, SLOT_LIVE, __ATOMIC_RELEASE);
	page_map_set(slot->extent.base, word);
	return (void *)slot->extent.base;
}

static bool retire(struct slot *slot)
{
	bool live;

	lock_take(&lock);
	live = slot->state == SLOT_LIVE;
	slot->state = SLOT_FREED;
	lock_release(&lock);
	return live;
}

void *guard_give(void *ptr, bool quarantine)
{
	struct slot *slot = slot_at((uintptr_t)ptr);
	void *backing;

	if (!slot || slot->extent.base != (uintptr_t)ptr || !retire(slot))
		report_error("double free of", ptr);
	if (quarantine) {
		take_stack(&slot->freed);
		check_margins(slot);
	}
	backing = slot->backing;
	page_map_set(slot->extent.base, 0);
	thread_busy++;
	protect(slot, PROT_NONE);
	lock_take(&lock);
	append_freed(slot);
	lock_release(&lock);
	thread_busy--;
	return backing;
}

const void *guard_backing(const void *ptr)
{
	const struct slot *slot = slot_at((uintptr_t)ptr);

	return slot && slot->state == SLOT_LIVE ? slot->backing : ptr;
}

bool guard_was_freed(const void *ptr)
{
	const struct slot *slot = slot_at((uintptr_t)ptr);

	return slot && slot->state == SLOT_FREED &&
	       slot->extent.base == (uintptr_t)ptr;
}

/* It lies in the closed page between two slots: is it closer to the second? */
static bool is_before(uintptr_t address, const struct slot *slot,
		      const struct slot *next)
{
	uintptr_t closed = data_of((unsigned)(slot - slots)) + GUARD_MAX_BYTES;

	if (address < closed || next->pages != closed + os_page_bytes)
		return false;
	return slot->pages + slot->pages_bytes != closed ||
	       next->extent.base - address <
		       address - slot->extent.base - slot->extent.bytes;
}

/*
 * Whose address is it? Of the slot that it lies in; of the closed page between
 * two, that of the object which touches it, or is nearer.
 */
static const struct slot *owner(uintptr_t address)
{
	const struct slot *slot = slot_at(address);

	if (!slot)
		return is_ours(address) && slots[0].pages_bytes ? &slots[0]
								: NULL;
	if (slot + 1 < slots + slot_count && is_before(address, slot, slot + 1))
		return slot + 1;
	return slot->pages_bytes ? slot : NULL;
}

static void describe_place(struct print *out, const struct slot *slot,
			   uintptr_t address)
{
	uintptr_t object = slot->extent.base, end = object + slot->extent.bytes;

	print_text(out, "  it lies ");
	if (address < object) {
		print_unsigned(out, object - address);
		print_text(out, " bytes before");
	} else if (address >= end) {
		print_unsigned(out, address - end);
		print_text(out, " bytes past the end of");
	} else {
		print_unsigned(out, address - object);
		print_text(out, " bytes into");
	}
	print_text(out, slot->state == SLOT_LIVE ? " a guarded object of "
						 : " a freed guarded object "
						   "of ");
	print_unsigned(out, slot->extent.bytes);
	print_text(out, " bytes at 0x");
	print_hex(out, object);
	print_text(out, "\n");
}

static void describe_stack(struct print *out, const char *title,
			   const struct stack *stack)
{
	if (!stack->count)
		return;
	print_text(out, "  thread ");
	print_signed(out, stack->thread);
	print_text(out, "\n");
	report_stack(out, title, stack->frames, stack->count);
}

bool guard_describe(struct print *out, uintptr_t address)
{
	const struct slot *slot = owner(address);

	if (!slot)
		return false;
	describe_place(out, slot, address);
	describe_stack(out, "allocated by", &slot->allocated);
	describe_stack(out, "freed by", &slot->freed);
	return true;
}

bool guard_explain(uintptr_t address, const char **what)
{
	const struct slot *slot = owner(address);

	if (!slot)
		return false;
	if (slot->state == SLOT_FREED)
		*what = "use after free at";
	else if (address < slot->extent.base)
		*what = "underflow of an object at";
	else
		*what = "overflow of an object at";
	return true;
}

void guard_prefork(void)
{
	lock_take_for_fork(&lock);
}

void guard_postfork_parent(void)
{
	lock_release_for_fork(&lock);
}

void guard_postfork_child(void)
{
	lock_reset(&lock);
}
