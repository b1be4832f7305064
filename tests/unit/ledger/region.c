/* SPDX-License-Identifier: BSD-2-Clause */
/* The region: its layout at several sizes, what outsiders find, fork. */
#include "config.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "liballoc/ledger/metrics.h"
#include "liballoc/ledger/region.h"
#include "tap/tap.h"

extern struct ledger_header *liballoc_ledger;

static bool disjoint_and_inside(const struct ledger_header *h, size_t end,
				size_t bytes)
{
	uint64_t at = sizeof(*h);
	bool good = end <= bytes;

	/* In the order in which they are laid out. */
	static const unsigned order[] = {
		LEDGER_METRICS, LEDGER_PROCESS, LEDGER_CLASSES,
		LEDGER_CONTROL, LEDGER_ARENAS,	LEDGER_ARENA_CLASSES,
		LEDGER_THREADS, LEDGER_STACKS,	LEDGER_FRAMES,
		LEDGER_COUNTS,	LEDGER_LIVES,	LEDGER_SAMPLES,
	};

	for (unsigned i = 0; i < LEDGER_SECTIONS; i++) {
		const struct ledger_section *s = &h->sections[order[i]];

		good = good && s->offset >= at && s->offset % 64 == 0 &&
		       s->capacity > 0 && s->stride > 0;
		at = s->offset + (uint64_t)s->stride * s->capacity;
	}
	return good && at <= end &&
	       h->sections[LEDGER_LIVES].capacity ==
		       h->sections[LEDGER_COUNTS].capacity &&
	       end + h->sections[LEDGER_THREADS].capacity *
				       sizeof(struct thread_side) <=
		       bytes;
}

static void check_layouts(void)
{
	bool good = true;

	for (unsigned lg = 19; lg <= 36; lg++) {
		struct ledger_header h = {0};
		size_t bytes = (size_t)1 << lg;
		size_t end = ledger_lay_out(&h, bytes);

		if (!disjoint_and_inside(&h, end, bytes)) {
			tap_line("# at 2^%u bytes\n", lg);
			good = false;
		}
	}
	ok(good, "sections do not overlap, from 512 KiB to 64 GiB, and each "
		 "row of counts has one of lifetimes");
}

struct found {
	const uint8_t *desc;
	unsigned count;
};

/* Looks for the note as a stranger would: through the program headers. */
static int look_for_note(struct dl_phdr_info *info, size_t size, void *context)
{
	struct found *found = context;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uint8_t *at = (const uint8_t *)info->dlpi_addr;
		size_t offset = 0;

		if (p->p_type != PT_NOTE)
			continue;
		at += p->p_vaddr;
		while (offset + sizeof(ElfW(Nhdr)) <= p->p_memsz) {
			const ElfW(Nhdr) *n = (const void *)(at + offset);
			const char *name = (const char *)(n + 1);

			if (n->n_namesz == sizeof(LEDGER_NOTE_NAME) &&
			    n->n_type == LEDGER_NOTE_TYPE && n->n_descsz == 8 &&
			    strcmp(name, LEDGER_NOTE_NAME) == 0) {
				found->desc = (const uint8_t *)name +
					      ((n->n_namesz + 3) & ~3u);
				found->count++;
			}
			offset += sizeof(*n) + ((n->n_namesz + 3) & ~3u) +
				  ((n->n_descsz + 3) & ~3u);
		}
	}
	return 0;
}

static void check_note(void)
{
	struct found found = {0};
	int64_t distance = 0;

	dl_iterate_phdr(look_for_note, &found);
	is_uint(found.count, 1, "there is one note");
	if (found.count == 1)
		memcpy(&distance, found.desc, sizeof(distance));
	ok(found.count == 1 && (uintptr_t)found.desc + (uintptr_t)distance ==
				       (uintptr_t)&liballoc_ledger,
	   "it leads to the variable");
}

static void check_fork(void)
{
	struct ledger_header *h = ledger_header();
	uint64_t generation = h->generation;
	uint32_t other = ledger_thread_new(5, 5), own = ledger_thread_new(6, 6);
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		ledger_postfork_child(own, 99);
		_exit(h->pid != getpid() || h->generation != generation + 2 ||
		      ledger_process()->fork_generation != 1 ||
		      ledger_thread(own)->state != LEDGER_THREAD_LIVE ||
		      ledger_thread(own)->os_tid != 99 ||
		      ledger_thread(other)->state != LEDGER_THREAD_FREE);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "the child has its own pid, generation and threads");
	ok(h->pid == getpid() && h->generation == generation &&
		   ledger_thread(other)->state == LEDGER_THREAD_LIVE,
	   "the parent's ledger is left alone");
}

/* Of a thread that is taking or leaving its row while another one forks. */
static const struct {
	const char *when;
	uint32_t state;
	bool odd, held;
} caught[] = {
	{"before its generation changes", LEDGER_THREAD_FREE, false, false},
	{"while its row is emptied", LEDGER_THREAD_FREE, true, false},
	{"before it has its row", LEDGER_THREAD_FREE, false, true},
	{"as it begins to leave", LEDGER_THREAD_EXITED, false, true},
	{"as it has left", LEDGER_THREAD_EXITED, false, false},
};

#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

/* In a child: is the row, in that state at the fork, handed out again? */
static bool comes_back(size_t i, uint32_t row, uint32_t own)
{
	struct ledger_thread *thread = ledger_thread(row);

	thread->state = caught[i].state;
	thread->generation += caught[i].odd;
	if (!caught[i].held)
		ledger_thread_sides()[row].holds = 0;
	ledger_postfork_child(own, 99);
	return thread->state == LEDGER_THREAD_FREE &&
	       ledger_thread_new(7, 7) == row &&
	       thread->state == LEDGER_THREAD_LIVE &&
	       thread->generation % 2 == 0;
}

static void check_fork_midway(void)
{
	uint32_t other = ledger_thread_new(5, 5), own = ledger_thread_new(6, 6);

	for (size_t i = 0; i < CAUGHT; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0)
			_exit(!comes_back(i, other, own));
		waitpid(pid, &status, 0);
		ok(status == 0, "no row is lost of a thread caught %s",
		   caught[i].when);
	}
	ledger_thread_exit(other);
	ledger_thread_exit(own);
}

/* In a child: boots where the region cannot be mapped. */
static int boot_short_of(rlim_t bytes, size_t *got)
{
	struct rlimit limit = {bytes, bytes};
	int pipe_fds[2], status = -1;
	pid_t pid;

	if (pipe(pipe_fds) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		size_t size;

		setrlimit(RLIMIT_AS, &limit);
		ledger_boot((size_t)1 << 40);
		size = ledger_header()->region_bytes;
		if (!ledger_make_arena_room(4000))
			_exit(1);
		ledger_arena(4000)->dirty = 1;
		ledger_class(4000, 250)->nmalloc = 1;
		_exit(write(pipe_fds[1], &size, sizeof(size)) != sizeof(size) ||
		      ledger_header()->magic != LEDGER_MAGIC);
	}
	waitpid(pid, &status, 0);
	close(pipe_fds[1]);
	if (read(pipe_fds[0], got, sizeof(*got)) != sizeof(*got))
		*got = 0;
	close(pipe_fds[0]);
	return status;
}

/* An emulator may take the limit and not heed it. */
static bool limits_hold(void)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_AS, &limit);
		_exit(mmap(NULL, (size_t)64 << 20, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

static void check_shortage(void)
{
	size_t got = 0;

	if (!limits_hold()) {
		skip("where memory is short", "RLIMIT_AS does nothing here");
		skip("where none is to be had", "RLIMIT_AS does nothing here");
		return;
	}

	ok(boot_short_of((rlim_t)256 << 20, &got) == 0 &&
		   got == ((size_t)16 << 20),
	   "where address space is limited, the region is a small part of it");
	ok(boot_short_of(4096, &got) == 0 && got == LEDGER_MIN_BYTES,
	   "where nothing can be mapped, there is the static region");
}

/* What may be written privately, bytes; 0: it is not told. */
static uint64_t data_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmData: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return (uint64_t)kib << 10;
}

/* Does the kernel count what is made writable, and that alone? */
static bool data_is_told(void)
{
	size_t bytes = (size_t)8 << 20;
	uint64_t before = data_bytes(), between, after;
	void *memory = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	between = data_bytes();
	mprotect(memory, bytes, PROT_READ | PROT_WRITE);
	after = data_bytes();
	munmap(memory, bytes);
	return between == before && after - between == bytes;
}

/* Rows take their room from what a process may commit as they are used. */
static void check_room(uint64_t before)
{
	struct ledger_sample *samples = ledger_rows(LEDGER_SAMPLES);
	uint32_t rows = ledger_capacity(LEDGER_SAMPLES);
	uint64_t least = data_bytes(), whole;
	struct rlimit none = {4096, RLIM_INFINITY};

	ok(ledger_make_room(LEDGER_SAMPLES, 1000), "there is room for rows");
	samples[999].address = 1;
	whole = rows * (uint64_t)sizeof(*samples);
	if (!data_is_told()) {
		skip("an empty ledger is no data", "the kernel does not tell");
		skip("nor is what is not used", "the same");
		skip("no more than may be written has room", "the same");
		return;
	}
	ok(least - before < (uint64_t)1 << 20, "an empty ledger is no data");
	ok(data_bytes() - least < whole / 8, "nor is what is not used");
	setrlimit(RLIMIT_DATA, &none);
	ok(!ledger_make_room(LEDGER_SAMPLES, rows) &&
		   ledger_make_room(LEDGER_SAMPLES, 1000),
	   "no more than may be written has room");
	none.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_DATA, &none);
}

int main(void)
{
	struct ledger_header *h;
	uint64_t before;

	plan(24);
	check_shortage();
	before = data_bytes();
	ledger_boot((size_t)64 << 20);
	h = ledger_header();
	check_room(before);
	ok(liballoc_ledger == h, "the variable holds the region's address");
	ok(h->magic == LEDGER_MAGIC && memcmp(h, "LIBALLOC", 8) == 0,
	   "the region begins with the magic");
	is_uint(h->region_bytes, (uint64_t)64 << 20, "it has the size asked");
	is_int(h->pid, getpid(), "it has the pid");
	is_uint((uintptr_t)h % h->page_bytes, 0, "it is page-aligned");
	is_uint(h->sections[LEDGER_METRICS].count, ledger_metric_count(),
		"metrics are published");
	is_string(h->version, PACKAGE_VERSION, "it has the version");
	check_layouts();
	check_note();
	ledger_make_arena_room(3);
	ledger_arena(3)->mapped = 1;
	ledger_set_arena_count(4);
	ledger_set_arena_count(2);
	is_uint(h->sections[LEDGER_ARENAS].count, 4, "counts never shrink");
	check_fork_midway();
	check_fork();
	return done_testing();
}
