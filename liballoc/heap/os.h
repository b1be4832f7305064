/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What liballoc asks of the kernel: address space, giving pages back, the
 * clock. None of these calls can reach malloc, and all of them keep errno.
 */
#ifndef LIBALLOC_HEAP_OS_H
#define LIBALLOC_HEAP_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Variables that fast paths read, with no detour by the global offset table */
#define HEAP_HIDDEN __attribute__((visibility("hidden")))

/* The kernel's page: 4 KiB to 64 KiB. Set by os_boot(), then constant. */
extern size_t os_page_bytes;

void os_boot(void);

/*
 * Maps bytes (a multiple of the page) of zeroed private memory; NULL where the
 * kernel refuses, which is counted. Without reserve, the memory counts
 * towards no limit on what may be committed until it is touched.
 */
void *os_map(size_t bytes, bool reserve);
/* Raised when the process sets such a limit itself. Relaxed atomic. */
extern uint32_t os_limit_changes;
/* How many bytes may be mapped for writing; SIZE_MAX where nothing says. */
size_t os_mapping_limit(void);
/* May the process map only so much? Then the class map would be in the way. */
bool os_address_space_is_limited(void);
/* Tells the kernel of what was mapped what opt.thp says. */
void os_advise_huge(void *base, size_t bytes);
/* Asks for huge pages in what was mapped, or asks no more. */
void os_ask_huge(void *base, size_t bytes, bool wanted);
void os_unmap(void *base, size_t bytes);
/*
 * Moves pages of one private mapping over what is mapped at to; from stays
 * mapped, without a page. Where they did not move nothing has changed.
 */
enum os_moved {
	OS_MOVED,
	OS_MOVE_REFUSED, /* not now, or not by this kernel */
	OS_MOVE_PARTED,	 /* they lie in several mappings: by parts it may do */
};
enum os_moved os_move_pages(void *to, void *from, size_t bytes);
/* Is the page at base locked into memory? It may not be told: then yes. */
bool os_is_locked(void *base);
/*
 * Address space that reads as zero, counts towards no limit but that on address
 * space and is left out of core files; NULL: there is none. Whole pages of it
 * can be made writable, once and for all.
 */
void *os_map_readable(size_t bytes);
bool os_make_writable(void *base, size_t bytes);
/*
 * Has the kernel bring in pages that are not resident, at once rather than by a
 * fault for each: for those that will be written anyway. It may not do it.
 */
void os_populate(void *base, size_t bytes);
/* Gives the pages back at once; true: they read as zero from now on. */
bool os_discard(void *base, size_t bytes);
/* The same of pages of a file, which are read from there where need be. */
void os_unload(void *base, size_t bytes);
/* Lets the kernel take the pages when it wants to; false: it cannot. */
bool os_discard_lazily(void *base, size_t bytes);
/* CLOCK_MONOTONIC, coarse: good to some milliseconds, and cheap. */
uint64_t os_now_ns(void);
/* The CPUs this process may run on; at least 1. */
unsigned os_cpu_count(void);
int os_thread_id(void);
/* As os_now_ns(), to the nanosecond, which takes longer. */
uint64_t os_clock_ns(void);
/*
 * Is it time for what is done once in so long? Of several threads at a time,
 * for one of them. next_ns: 0 at first; atomic.
 */
static inline bool os_is_turn(uint64_t *next_ns, uint64_t now_ns,
			      uint64_t period_ns)
{
	uint64_t due = __atomic_load_n(next_ns, __ATOMIC_RELAXED);

	return now_ns >= due &&
	       __atomic_compare_exchange_n(next_ns, &due, now_ns + period_ns,
					   false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}
/* The CPU that this thread runs on now; negative: cannot be told. */
int os_cpu(void);
/* More than the number of every CPU that the process may run on. */
unsigned os_cpu_limit(void);

/*
 * Files that the heap reads, and what it has to say: the system calls of those
 * names, but that a signal does not end a read or a write. Past libc, whose
 * wrappers are cancellation points, and lie on pages of it that many a program
 * never touches. They set errno.
 */
int os_open(const char *path);
ssize_t os_read(int fd, void *to, size_t bytes);
ssize_t os_write(int fd, const void *from, size_t bytes);
ssize_t os_read_at(int fd, void *to, size_t bytes, off_t at);
ssize_t os_read_link(const char *path, char *to, size_t bytes);
void os_close(int fd);

/* Writes text to stderr, then aborts. Async-signal-safe. */
_Noreturn void os_die(const char *text, const void *address);

/*
 * For tests: the nth os_map() from now fails (1: the next one), and so do all
 * later ones where forever is set; 0: none.
 */
void os_fail_map(unsigned nth, bool forever);

#endif
