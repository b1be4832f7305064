/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The OS layer: thin wrappers of system calls that keep errno. It owns the
 * page size and the injected failures of tests; it never allocates.
 */
#include "config.h"

#include "liballoc/heap/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/vdso.h"
#include "liballoc/ledger/ledger.h"

/* Newer than some headers; an older kernel refuses them. */
#ifndef MREMAP_DONTUNMAP
# define MREMAP_DONTUNMAP 4
#endif
#ifndef MAP_FIXED_NOREPLACE
# define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_POPULATE_WRITE
# define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLD
# define MADV_COLD 20
#endif

size_t os_page_bytes = 4096;
uint32_t os_limit_changes;

static unsigned fail_countdown;
static bool fail_forever;

__attribute__((cold)) void os_boot(void)
{
	unsigned long bytes = getauxval(AT_PAGESZ);

	if (bytes >= 4096)
		os_page_bytes = bytes;
	vdso_boot();
}

void os_fail_map(unsigned nth, bool forever)
{
	__atomic_store_n(&fail_forever, forever, __ATOMIC_RELAXED);
	__atomic_store_n(&fail_countdown, nth, __ATOMIC_RELAXED);
}

static bool map_must_fail(void)
{
	unsigned left = __atomic_load_n(&fail_countdown, __ATOMIC_RELAXED);

	if (!left)
		return false;
	if (left > 1) {
		__atomic_store_n(&fail_countdown, left - 1, __ATOMIC_RELAXED);
		return false;
	}
	if (!__atomic_load_n(&fail_forever, __ATOMIC_RELAXED))
		__atomic_store_n(&fail_countdown, 0, __ATOMIC_RELAXED);
	return true;
}

void *os_map(size_t bytes, bool reserve)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	int kept_errno = errno;
	void *base = MAP_FAILED;

	if (!reserve)
		flags |= MAP_NORESERVE;
	if (!map_must_fail())
		base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	errno = kept_errno;
	if (base != MAP_FAILED)
		return base;
	ledger_add_shared(&ledger_process()->map_failures, 1);
	return NULL;
}

/* As a hint: what the kernel refuses it does not do. */
void os_ask_huge(void *base, size_t bytes, bool wanted)
{
	int kept_errno = errno;

	(void)madvise(base, bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	errno = kept_errno;
}

void os_advise_huge(void *base, size_t bytes)
{
	if (opt.thp == THP_ALWAYS || opt.thp == THP_NEVER)
		os_ask_huge(base, bytes, opt.thp == THP_ALWAYS);
}

/*
 * Puts pages at a fixed place. The kernel unmaps what lies there before it may
 * fail for want of mappings: then that comes back, for a copy.
 */
static void put_in_place(void *to, void *between, size_t bytes)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	if (mremap(between, bytes, bytes, flags, to) == to)
		return;
	/* Where it was not unmapped yet this fails, as it should. */
	(void)mmap(to, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	memcpy(to, between, bytes);
	munmap(between, bytes);
}

/*
 * In two steps, since the first one, to wherever there is room, changes nothing
 * where it fails; and by then only what is at to can be lost.
 */
enum os_moved os_move_pages(void *to, void *from, size_t bytes)
{
	int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	int kept_errno = errno;
	void *between = mremap(from, bytes, bytes, flags, NULL);
	enum os_moved moved = OS_MOVED;

	if (between != MAP_FAILED)
		put_in_place(to, between, bytes);
	else
		moved = errno == EFAULT ? OS_MOVE_PARTED : OS_MOVE_REFUSED;
	errno = kept_errno;
	return moved;
}

bool os_is_locked(void *base)
{
	int kept_errno = errno;
	bool locked = madvise(base, os_page_bytes, MADV_COLD) != 0;

	errno = kept_errno;
	return locked;
}

void *os_map_readable(size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	int kept_errno = errno;
	void *base = mmap(NULL, bytes, PROT_READ, flags, -1, 0);

	if (base != MAP_FAILED)
		madvise(base, bytes, MADV_DONTDUMP);
	errno = kept_errno;
	return base != MAP_FAILED ? base : NULL;
}

bool os_make_writable(void *base, size_t bytes)
{
	int kept_errno = errno;
	bool done = mprotect(base, bytes, PROT_READ | PROT_WRITE) == 0;

	errno = kept_errno;
	return done;
}

static __attribute__((cold)) size_t soft_limit(int resource)
{
	int kept_errno = errno;
	struct rlimit limit;
	bool limited = getrlimit(resource, &limit) == 0 &&
		       limit.rlim_cur != RLIM_INFINITY;

	errno = kept_errno;
	return limited ? limit.rlim_cur : SIZE_MAX;
}

__attribute__((cold)) size_t os_mapping_limit(void)
{
	size_t space = soft_limit(RLIMIT_AS);
	size_t data = soft_limit(RLIMIT_DATA);

	return space < data ? space : data;
}

bool os_address_space_is_limited(void)
{
	return soft_limit(RLIMIT_AS) != SIZE_MAX;
}

void os_unmap(void *base, size_t bytes)
{
	int kept_errno = errno;

	if (munmap(base, bytes) != 0) {
		ledger_add_shared(&ledger_process()->abandoned, bytes);
		warning("the kernel would not unmap memory: too many mappings? "
			"See vm.max_map_count",
			NULL);
	}
	errno = kept_errno;
}

enum discard_way {
	DISCARD_UNTESTED,
	DISCARD_ADVISE,
	DISCARD_REMAP,
};

/* Some emulators take MADV_DONTNEED and do nothing. */
static int test_discard(void)
{
	void *page = os_map(os_page_bytes, true);
	int way = DISCARD_ADVISE;

	if (!page)
		return DISCARD_REMAP;
	*(volatile char *)page = 1;
	if (madvise(page, os_page_bytes, MADV_DONTNEED) ||
	    *(volatile char *)page)
		way = DISCARD_REMAP;
	munmap(page, os_page_bytes);
	return way;
}

static int discard_way(void)
{
	static int way = DISCARD_UNTESTED;
	int known = __atomic_load_n(&way, __ATOMIC_RELAXED);

	if (known != DISCARD_UNTESTED)
		return known;
	known = opt.trust_madvise ? DISCARD_ADVISE : test_discard();
	__atomic_store_n(&way, known, __ATOMIC_RELAXED);
	return known;
}

void os_populate(void *base, size_t bytes)
{
	static bool refused; /* as by a kernel before Linux 5.14 */
	int kept_errno = errno;

	if (__atomic_load_n(&refused, __ATOMIC_RELAXED))
		return;
	if (madvise(base, bytes, MADV_POPULATE_WRITE) && errno != ENOMEM &&
	    errno != EAGAIN && errno != EINTR && errno != EFAULT)
		__atomic_store_n(&refused, true, __ATOMIC_RELAXED);
	errno = kept_errno;
}

bool os_discard(void *base, size_t bytes)
{
	int kept_errno = errno;
	bool done;

	if (discard_way() == DISCARD_ADVISE)
		done = madvise(base, bytes, MADV_DONTNEED) == 0;
	else
		done = mmap(base, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			    0) == base;
	errno = kept_errno;
	return done;
}

void os_unload(void *base, size_t bytes)
{
	int kept_errno = errno;

	(void)madvise(base, bytes, MADV_DONTNEED);
	errno = kept_errno;
}

bool os_discard_lazily(void *base, size_t bytes)
{
	int kept_errno = errno;
	bool done = madvise(base, bytes, MADV_FREE) == 0;

	errno = kept_errno;
	return done;
}

uint64_t os_now_ns(void)
{
	struct timespec now = {0, 0};

	vdso_clock(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The CPUs as words of bits; false: there are more than those hold. */
#define CPU_WORDS (CPU_SETSIZE / 64)
static bool get_cpus(uint64_t words[CPU_WORDS])
{
	int kept_errno = errno;
	bool good;

	memset(words, 0, CPU_WORDS * sizeof(*words));
	good = syscall(SYS_sched_getaffinity, 0, CPU_WORDS * sizeof(*words),
		       words) > 0;
	errno = kept_errno;
	return good;
}

unsigned os_cpu_count(void)
{
	uint64_t words[CPU_WORDS];
	unsigned count = 0, i;

	if (!get_cpus(words))
		return CPU_SETSIZE;
	for (i = 0; i < CPU_WORDS; i++)
		for (; words[i]; words[i] &= words[i] - 1)
			count++;
	return count ? count : 1;
}

uint64_t os_clock_ns(void)
{
	struct timespec now = {0, 0};

	vdso_clock(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int os_cpu(void)
{
	int kept_errno = errno;
	int cpu = sched_getcpu();

	errno = kept_errno;
	return cpu;
}

unsigned os_cpu_limit(void)
{
	unsigned limit = CPU_SETSIZE;
	uint64_t words[CPU_WORDS];

	if (get_cpus(words))
		while (limit > 1 &&
		       !(words[(limit - 1) / 64] >> (limit - 1) % 64 & 1))
			limit--;
	return limit;
}

int os_open(const char *path)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path,
			    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

ssize_t os_read(int fd, void *to, size_t bytes)
{
	ssize_t n;

	do
		n = syscall(SYS_read, fd, to, bytes);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t os_read_at(int fd, void *to, size_t bytes, off_t at)
{
	return syscall(SYS_pread64, fd, to, bytes, at);
}

ssize_t os_read_link(const char *path, char *to, size_t bytes)
{
	return syscall(SYS_readlinkat, AT_FDCWD, path, to, bytes);
}

ssize_t os_write(int fd, const void *from, size_t bytes)
{
	ssize_t n;

	do
		n = syscall(SYS_write, fd, from, bytes);
	while (n < 0 && errno == EINTR);
	return n;
}

void os_close(int fd)
{
	(void)syscall(SYS_close, fd);
}

int os_thread_id(void)
{
	return (int)syscall(SYS_gettid);
}

void os_die(const char *text, const void *address)
{
	static const char digits[] = "0123456789abcdef";
	char line[256] = "liballoc: ";
	size_t length = strlen(line);
	uintptr_t rest = (uintptr_t)address;
	int shift;

	while (*text && length < sizeof(line) - 24)
		line[length++] = *text++;
	line[length++] = ' ';
	line[length++] = '0';
	line[length++] = 'x';
	for (shift = 60; shift > 0 && !(rest >> shift); shift -= 4)
		;
	for (; shift >= 0; shift -= 4)
		line[length++] = digits[rest >> shift & 15];
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) < 0)
		abort();
	abort();
}
