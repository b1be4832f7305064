/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the exported copy and keeps it up to date. System calls are made past
 * libc, for the reasons that os_open() has. Nothing here waits: who finds
 * another thread at work leaves it to that one.
 */
#include "config.h"

#include "liballoc/ledger/export.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/looks.h"
#include "liballoc/heap/os.h"
#include "liballoc/ledger/metrics.h"
#include "liballoc/ledger/region.h"

#ifndef MFD_NOEXEC_SEAL
# define MFD_NOEXEC_SEAL 8u
#endif
#ifndef F_SEAL_FUTURE_WRITE
# define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)
/* Above what programs open or name, below what makes the kernel's table big. */
#define DESCRIPTOR 500u
/*
 * Between two copies: so many times as long as a copy took, within bounds, as
 * it may have been interrupted.
 */
#define PERIOD_COPIES 1000u
#define PERIOD_LEAST_NS UINT64_C(10000000)
#define PERIOD_MOST_NS UINT64_C(100000000)
/* The same where the heap has changed by this share meanwhile. */
#define MUCH_SHARE 64u
#define SOONEST_COPIES 100u
#define SOONEST_MOST_NS UINT64_C(10000000)
#define CALLS_PER_CLOCK 8u
/* A child costs one of these; so many at most, and one more each 100 ms. */
#define CHILDREN_MOST 20u
#define CHILD_NS UINT64_C(100000000)
#define ARENAS_LEAST 8u
/* Enough for objects of 2^47 bytes, which no process has room for. */
#define CLASSES_MOST 170u
/* Rows that may be added to are no longer than this. */
#define ROW_WORDS_MOST 32u
/* So often is the row of a thread copied until it is a thread's. */
#define THREAD_COPIES 4u
#define NO_ROW UINT64_MAX
#define CLASS_WORDS (sizeof(struct class_stats) / sizeof(uint64_t))

struct ledger_header *ledger_export_window;

/* Of the one that is mapped; busy guards its contents. */
static struct {
	bool busy;
	uint64_t due_ns, soonest_ns;
	uint64_t moved_bytes, much_bytes;
	uint64_t calls_too_soon; /* that are still to come */
	size_t written_bytes;	 /* the part that is mapped here */
	/* 1 in the process that made it; a child finds 0, however made. */
	uint64_t *ours;
	int fd; /* when it was made */
	dev_t device;
	ino_t inode;
	/* Of fork: guarded by the locks that it takes. */
	uint64_t children, children_ns;
	bool for_child;
} export = {.fd = -1};

static size_t round_up(size_t n, size_t multiple)
{
	return (n + multiple - 1) / multiple * multiple;
}

static size_t place(struct ledger_header *header, unsigned id, size_t offset,
		    uint32_t capacity)
{
	struct ledger_section *section = &header->sections[id];

	*section = ledger_header()->sections[id];
	section->offset = offset;
	section->capacity = capacity;
	if (section->count > capacity)
		section->count = capacity;
	return offset + (size_t)section->stride * capacity;
}

/*
 * What changes comes first, in as few pages as may be; what never does comes
 * last, from *written_bytes on, and is not mapped here. Sections that are left
 * out have room for nothing. Returns the bytes of all.
 */
static size_t lay_out(struct ledger_header *header, size_t *written_bytes)
{
	const struct ledger_section *from = ledger_header()->sections;
	size_t page = os_page_bytes, end = round_up(sizeof(*header), 64), left;

	memcpy(header, ledger_header(), sizeof(*header));
	for (unsigned i = 0; i < LEDGER_SECTIONS; i++) {
		header->sections[i].offset = end;
		header->sections[i].capacity = 0;
		header->sections[i].count = 0;
	}
	end = place(header, LEDGER_PROCESS, end, 1);
	left = (round_up(end, page) - end) / from[LEDGER_ARENAS].stride;
	end = place(header, LEDGER_ARENAS, end,
		    left < ARENAS_LEAST ? ARENAS_LEAST : (uint32_t)left);
	end = round_up(end, page);
	end = place(header, LEDGER_THREADS, end,
		    (uint32_t)(page / from[LEDGER_THREADS].stride));
	end = round_up(end, page);
	/* One arena's row of classes, which stands for all of them. */
	end = place(header, LEDGER_ARENA_CLASSES, end, CLASSES_MOST);
	*written_bytes = end = round_up(end, page);
	end = place(header, LEDGER_CLASSES, end,
		    (uint32_t)from[LEDGER_CLASSES].count);
	end = place(header, LEDGER_METRICS, end,
		    (uint32_t)from[LEDGER_METRICS].count);
	header->region_bytes = round_up(end, page);
	header->flags |= LEDGER_SNAPSHOT;
	return header->region_bytes;
}

/* A file of so many bytes would end the process by SIGXFSZ, or has no number */
static bool may_have_file(size_t bytes, unsigned *descriptor)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < bytes)
		return false;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	*descriptor = limit.rlim_cur > DESCRIPTOR
			      ? DESCRIPTOR
			      : (unsigned)(limit.rlim_cur - limit.rlim_cur / 8);
	return true;
}

static int control(int fd, int command, unsigned value)
{
	return (int)syscall(SYS_fcntl, fd, command, value);
}

static bool look_at(int fd, struct stat *file)
{
#ifdef SYS_fstat
	return syscall(SYS_fstat, fd, file) == 0;
#else
	return fstat(fd, file) == 0;
#endif
}

/* Of a number that no program counts on. */
static int create_file(unsigned descriptor)
{
	int low = (int)syscall(SYS_memfd_create, LEDGER_EXPORT_NAME,
			       MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	int high;

	if (low < 0 && errno == EINVAL)
		low = (int)syscall(SYS_memfd_create, LEDGER_EXPORT_NAME,
				   MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (low < 0)
		return -1;
	high = control(low, F_DUPFD_CLOEXEC, descriptor);
	if (high < 0)
		return low;
	os_close(low);
	return high;
}

static bool write_rows(int fd, const struct ledger_section *section,
		       unsigned id)
{
	size_t bytes = section->count * section->stride;

	return syscall(SYS_pwrite64, fd, ledger_rows(id), bytes,
		       section->offset) == (long)bytes;
}

/*
 * The pages are there before any is written through the mapping, where a lack
 * of memory would be a SIGBUS.
 */
static struct ledger_header *
fill_file(int fd, const struct ledger_header *header, size_t written_bytes)
{
	void *window;

	if (syscall(SYS_fallocate, fd, 0, 0L, header->region_bytes) != 0 ||
	    !write_rows(fd, &header->sections[LEDGER_CLASSES],
			LEDGER_CLASSES) ||
	    !write_rows(fd, &header->sections[LEDGER_METRICS], LEDGER_METRICS))
		return NULL;
	window = mmap(NULL, written_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (window == MAP_FAILED)
		return NULL;
	if (control(fd, F_ADD_SEALS, SEALS) == 0)
		return window;
	munmap(window, written_bytes);
	return NULL;
}

/* A word that fork clears, even one that runs no handlers. */
static bool make_mark(void)
{
	void *page;

	if (export.ours)
		return true;
	page = mmap(NULL, os_page_bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	if (madvise(page, os_page_bytes, MADV_WIPEONFORK) != 0) {
		munmap(page, os_page_bytes);
		return false;
	}
	export.ours = page;
	return true;
}

static bool is_our_file(int fd)
{
	struct stat now;

	return fd >= 0 && look_at(fd, &now) && now.st_dev == export.device &&
	       now.st_ino == export.inode;
}

/* Takes the place of the parent's, where the program has left that alone. */
static int keep_number(int fd)
{
	int old = export.fd;

	if (!is_our_file(old) || syscall(SYS_dup3, fd, old, O_CLOEXEC) != old)
		return fd;
	os_close(fd);
	return old;
}

__attribute__((cold)) static void make(void)
{
	struct ledger_header header;
	size_t written_bytes, bytes = lay_out(&header, &written_bytes);
	struct ledger_header *window;
	unsigned descriptor;
	struct stat file;
	int fd;

	if (!may_have_file(bytes, &descriptor) || !make_mark())
		return;
	fd = create_file(descriptor);
	if (fd < 0)
		return;
	window = fill_file(fd, &header, written_bytes);
	if (!window || !look_at(fd, &file)) {
		os_close(fd);
		return;
	}
	export.fd = keep_number(fd);
	export.device = file.st_dev;
	export.inode = file.st_ino;
	export.written_bytes = written_bytes;
	/* The magic is written last: see ledger_export_now(). */
	memcpy((uint8_t *)window + sizeof(header.magic),
	       (const uint8_t *)&header + sizeof(header.magic),
	       sizeof(header) - sizeof(header.magic));
	window->generation = 0;
	*export.ours = 1;
	export.due_ns = export.soonest_ns = 0;
	__atomic_store_n(&ledger_export_window, window, __ATOMIC_RELEASE);
}

static void copy_words(void *to, const void *from, size_t bytes)
{
	uint64_t *words = to;
	const uint64_t *source = from;

	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		ledger_set(&words[i], ledger_get(&source[i]));
}

static void *row_of(struct ledger_header *header, unsigned id, uint64_t row)
{
	const struct ledger_section *s = &header->sections[id];

	return (uint8_t *)header + s->offset + row * s->stride;
}

/*
 * The row as it may be copied: of a thread's, a copy that is one thread's. One
 * that is passing to a thread is left out, with what it had counted.
 */
static const void *settled_row(unsigned id, uint64_t row,
			       uint64_t copy[LEDGER_THREAD_WORDS])
{
	if (id != LEDGER_THREADS)
		return row_of(ledger_header(), id, row);
	for (unsigned i = 0; i < THREAD_COPIES; i++)
		if (ledger_thread_copy((uint32_t)row, copy))
			return copy;
	return memset(copy, 0, LEDGER_THREAD_STRIDE);
}

/* Adds what may be added up. */
static void add_row(uint64_t *sum, unsigned id, const void *row)
{
	const struct ledger_metric *metrics = ledger_rows(LEDGER_METRICS);
	const uint64_t *words = row;

	for (unsigned i = 0; i < ledger_metric_count(); i++) {
		const struct ledger_metric *m = &metrics[i];

		if (m->section != id || !m->summable)
			continue;
		for (uint32_t k = 0; k < m->count; k++)
			sum[m->offset / 8 + k] +=
				ledger_get(&words[m->offset / 8 + k]);
	}
}

/* Row for row; those that find no room are added to the row `others`. */
__attribute__((cold)) static void copy_rows(struct ledger_header *window,
					    unsigned id, uint64_t others)
{
	struct ledger_section *to = &window->sections[id];
	uint64_t count = ledger_published(id);
	uint64_t room = count < to->capacity ? count : to->capacity;
	uint64_t sum[ROW_WORDS_MOST], thread[LEDGER_THREAD_WORDS];

	for (uint64_t i = 0; i < room; i++)
		if (i != others)
			copy_words(row_of(window, id, i),
				   settled_row(id, i, thread), to->stride);
	if (others < room) {
		copy_words(sum, row_of(ledger_header(), id, others),
			   to->stride);
		for (uint64_t i = room; i < count; i++)
			add_row(sum, id, settled_row(id, i, thread));
		copy_words(row_of(window, id, others), sum, to->stride);
	}
	ledger_set(&to->count, room);
}

/* All figures of a class may be added up; where none was used, all are 0. */
static void add_class(uint64_t *sum, const struct class_stats *stats)
{
	const uint64_t *words = (const uint64_t *)stats;

	if (!ledger_get(&stats->nmalloc) && !ledger_get(&stats->nrequests))
		return;
	for (size_t i = 0; i < CLASS_WORDS; i++)
		sum[i] += ledger_get(&words[i]);
}

/* Over all arenas that there ever were. */
static void add_classes(struct ledger_header *window)
{
	struct ledger_section *to = &window->sections[LEDGER_ARENA_CLASSES];
	uint64_t arenas = ledger_published(LEDGER_ARENAS);

	for (unsigned column = 0; column < to->capacity; column++) {
		union {
			struct class_stats stats;
			uint64_t words[CLASS_WORDS];
		} sum = {.words = {0}};

		for (unsigned i = 0; i < arenas; i++)
			if (ledger_get(&ledger_arena(i)->created_ns))
				add_class(sum.words, ledger_class(i, column));
		/* Of a class never used, the page need not become resident. */
		if (sum.stats.nmalloc || sum.stats.nrequests)
			copy_words(row_of(window, LEDGER_ARENA_CLASSES, column),
				   &sum, sizeof(sum));
	}
	ledger_set(&to->count, to->capacity);
}

static void copy_all(struct ledger_header *window)
{
	const struct ledger_header *header = ledger_header();

	__atomic_fetch_add(&window->generation, 1, __ATOMIC_ACQ_REL);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	window->flags = __atomic_load_n(&header->flags, __ATOMIC_RELAXED) |
			LEDGER_SNAPSHOT;
	window->lg_sample =
		__atomic_load_n(&header->lg_sample, __ATOMIC_RELAXED);
	copy_rows(window, LEDGER_PROCESS, NO_ROW);
	copy_rows(window, LEDGER_ARENAS,
		  window->sections[LEDGER_ARENAS].capacity - 1);
	copy_rows(window, LEDGER_THREADS, 0);
	add_classes(window);
	__atomic_fetch_add(&window->generation, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&window->magic, LEDGER_MAGIC, __ATOMIC_RELEASE);
}

/* A child that ran no fork handler must leave its parent's copy alone. */
static bool begin(void)
{
	return __atomic_load_n(&ledger_export_window, __ATOMIC_ACQUIRE) &&
	       ledger_get(export.ours) &&
	       !__atomic_exchange_n(&export.busy, true, __ATOMIC_ACQUIRE);
}

static uint64_t between(uint64_t n, uint64_t least, uint64_t most)
{
	if (n < least)
		return least;
	return n < most ? n : most;
}

__attribute__((cold)) void ledger_export_now(void)
{
	uint64_t start, end, took;

	if (!begin())
		return;
	start = os_clock_ns();
	ledger_set(&ledger_process()->exported_ns, start);
	copy_all(ledger_export_window);
	end = os_clock_ns();
	took = end - start;
	ledger_set(&export.soonest_ns,
		   end + between(took * SOONEST_COPIES, 0, SOONEST_MOST_NS));
	ledger_set(&export.due_ns,
		   end + between(took * PERIOD_COPIES, PERIOD_LEAST_NS,
				 PERIOD_MOST_NS));
	ledger_set(&export.much_bytes,
		   ledger_get(&ledger_process()->mapped) / MUCH_SHARE);
	__atomic_store_n(&export.busy, false, __ATOMIC_RELEASE);
}

static bool has_changed_much(uint64_t moved_bytes)
{
	uint64_t up = moved_bytes - ledger_get(&export.moved_bytes);
	uint64_t much = ledger_get(&export.much_bytes);

	return up > much && -up > much;
}

/* Where it is too soon, so it is for some calls, which need no clock then. */
static bool is_too_soon(void)
{
	uint64_t calls = ledger_get(&export.calls_too_soon);

	if (calls) {
		ledger_set(&export.calls_too_soon, calls - 1);
		return true;
	}
	if (os_clock_ns() >= ledger_get(&export.soonest_ns))
		return false;
	ledger_set(&export.calls_too_soon, CALLS_PER_CLOCK - 1);
	return true;
}

void ledger_export_when_due(uint64_t moved_bytes, bool look)
{
	if ((!look || os_now_ns() < ledger_get(&export.due_ns)) &&
	    (!has_changed_much(moved_bytes) || is_too_soon()))
		return;
	ledger_set(&export.moved_bytes, moved_bytes);
	ledger_export_now();
}

__attribute__((cold)) void ledger_export_boot(void)
{
	int kept_errno = errno;

	if (opt.ledger_export)
		make();
	errno = kept_errno;
}

void ledger_export_prefork(void)
{
	uint64_t now = os_now_ns();
	uint64_t more = (now - export.children_ns) / CHILD_NS;

	if (more > 0)
		export.children_ns = now;
	export.children += more;
	if (export.children > CHILDREN_MOST)
		export.children = CHILDREN_MOST;
	export.for_child = export.children > 0;
	export.children -= export.for_child;
}

/*
 * Who was at work in the parent is not here. Made at once, and not when it is
 * first written: by then the child may have shut itself into a sandbox that
 * kills who makes a file. Most children only run another program, so writing
 * it, and the page faults of that, wait.
 */
void ledger_export_postfork_child(void)
{
	struct ledger_header *window = ledger_export_window;
	int kept_errno = errno;

	if (window) {
		__atomic_store_n(&ledger_export_window, NULL, __ATOMIC_RELAXED);
		munmap(window, export.written_bytes);
	}
	export.busy = false;
	if (opt.ledger_export && export.for_child && look_may())
		make();
	errno = kept_errno;
}
