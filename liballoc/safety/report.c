/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports of misused memory. Owns the claim to report; reads the page map, the
 * profiler's tables and /proc/self/maps as they are, without a lock, since the
 * process ends here and may hold any of them.
 */
#include "config.h"

#include "liballoc/safety/report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "liballoc/heap/arena.h"
#include "liballoc/heap/extent.h"
#include "liballoc/heap/internal.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/prof.h"
#include "liballoc/safety/guard.h"

#define LINE_BYTES 512u /* of a maps line, what matters */

static int reporter; /* thread id; 0: none */

static void write_error(void *opaque, const char *text)
{
	size_t left = strlen(text);

	(void)opaque;
	while (left) {
		ssize_t n = write(STDERR_FILENO, text, left);

		if (n <= 0)
			return;
		text += n;
		left -= (size_t)n;
	}
}

void report_claim(void)
{
	int mine = os_thread_id(), none = 0;

	if (__atomic_compare_exchange_n(&reporter, &none, mine, false,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	if (none == mine)
		abort();
	for (;;)
		pause();
}

void report_start(struct print *out, const char *what, uintptr_t address)
{
	print_start(out, write_error, NULL);
	print_text(out, "liballoc: ");
	print_text(out, what);
	print_text(out, " 0x");
	print_hex(out, address);
	print_text(out, "\n");
}

static void object_in_slab(struct print *out, const struct extent *slab,
			   uintptr_t address)
{
	size_t bytes = size_classes[slab->size_class].bytes;
	size_t offset = (address - slab->base) % bytes;

	print_text(out, "  it lies ");
	print_unsigned(out, offset);
	print_text(out, " bytes into an object of ");
	print_unsigned(out, bytes);
	print_text(out, " bytes at 0x");
	print_hex(out, address - offset);
}

static void object_in_large(struct print *out, const struct extent *extent,
			    uintptr_t address)
{
	print_text(out, "  it lies ");
	print_signed(out, (int64_t)(address - extent->base));
	print_text(out, " bytes into a large object of ");
	print_unsigned(out, extent->bytes);
	print_text(out, " bytes at 0x");
	print_hex(out, extent->base);
}

static void describe(struct print *out, uintptr_t address)
{
	uint64_t word = page_map_get(address);
	const struct extent *extent = page_word_extent(word);

	if (!word) {
		print_text(out, "  no memory of the heap in use\n");
		return;
	}
	if (!(word & PAGE_LIVE))
		print_text(out, "  in free pages of the heap");
	else if (word & PAGE_LARGE)
		object_in_large(out, extent, address);
	else
		object_in_slab(out, extent, address);
	if (extent->arena) {
		print_text(out, ", arena ");
		print_unsigned(out, extent->arena->index);
	}
	print_text(out, "\n");
}

/* One maps line: is address in it? Then its path; see proc_pid_maps(5). */
struct mapping {
	uint64_t start, end, offset;
	char path[LINE_BYTES];
};

static uint64_t take_hex(const char **at)
{
	uint64_t value = 0;

	for (;; (*at)++) {
		char c = **at;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return value;
	}
}

static const char *next_column(const char *at)
{
	while (*at && *at != ' ')
		at++;
	while (*at == ' ')
		at++;
	return at;
}

static void parse(const char *line, struct mapping *mapping)
{
	mapping->start = take_hex(&line);
	line += *line == '-';
	mapping->end = take_hex(&line);
	line = next_column(next_column(line));
	mapping->offset = take_hex(&line);
	line = next_column(next_column(next_column(line)));
	memccpy(mapping->path, line, '\0', sizeof(mapping->path));
	mapping->path[sizeof(mapping->path) - 1] = '\0';
}

struct lines {
	int fd;
	size_t at, length;
	char buffer[LINE_BYTES];
};

/* The next line, cut where it is too long; false at the end. */
static bool next_line(struct lines *lines, char line[LINE_BYTES])
{
	size_t n = 0;

	for (;;) {
		if (lines->at == lines->length) {
			ssize_t got = read(lines->fd, lines->buffer,
					   sizeof(lines->buffer));

			if (got <= 0)
				return false;
			lines->at = 0;
			lines->length = (size_t)got;
		}
		line[n] = lines->buffer[lines->at++];
		if (line[n] == '\n')
			break;
		if (n < LINE_BYTES - 1)
			n++;
	}
	line[n] = '\0';
	return true;
}

/*
 * " (FILE+0xOFFSET)", the offset from the file's first mapping: for position
 * independent files what addr2line wants.
 */
static void print_place(struct print *out, uint64_t pc)
{
	struct lines lines = {
		.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
	char line[LINE_BYTES];
	struct mapping mapping;
	uint64_t base = 0;

	if (lines.fd < 0)
		return;
	while (next_line(&lines, line)) {
		parse(line, &mapping);
		if (!mapping.offset)
			base = mapping.start;
		if (pc < mapping.start || pc >= mapping.end)
			continue;
		print_text(out, " (");
		print_masked(out, mapping.path, strlen(mapping.path));
		print_text(out, "+0x");
		print_hex(out, pc - base);
		print_text(out, ")");
		break;
	}
	close(lines.fd);
}

void report_stack(struct print *out, const char *title, const uint64_t *frames,
		  unsigned count)
{
	print_text(out, "  ");
	print_text(out, title);
	print_text(out, count ? ":\n" : ": not known\n");
	for (unsigned i = 0; i < count; i++) {
		print_text(out, "    #");
		print_unsigned(out, i);
		print_text(out, " 0x");
		/* The call itself, rather than where it returns to. */
		print_hex(out, frames[i] - 1);
		print_place(out, frames[i] - 1);
		print_text(out, "\n");
	}
	print_end(out);
}

/* Where the object that address lies in begins. */
static uintptr_t object_base(uintptr_t address)
{
	uint64_t word = page_map_get(address);
	const struct extent *extent = page_word_extent(word);

	if (!(word & PAGE_LIVE))
		return address;
	if (word & PAGE_LARGE)
		return extent->base;
	return address - (address - extent->base) %
				 size_classes[extent->size_class].bytes;
}

/* What the heap knows of the address, and the profiler of its object. */
static void report_object(struct print *out, uintptr_t address)
{
	uint64_t frames[REPORT_FRAMES], requested = 0;
	unsigned count;

	describe(out, address);
	address = object_base(address);
	count = prof_peek(heap_sample_of((void *)address), address, &requested,
			  frames, REPORT_FRAMES);
	if (!count)
		return;
	print_text(out, "  ");
	print_unsigned(out, requested);
	print_text(out, " bytes were asked for\n");
	report_stack(out, "allocated by", frames, count);
}

void report_error(const char *what, const void *address)
{
	uint64_t frames[BACKTRACE_MAX];
	struct print out;
	unsigned count;

	report_claim();
	report_start(&out, what, (uintptr_t)address);
	if (!guard_describe(&out, (uintptr_t)address))
		report_object(&out, (uintptr_t)address);
	count = backtrace_peek(frames, REPORT_FRAMES);
	report_stack(&out, "found by", frames, count);
	print_end(&out);
	abort();
}
