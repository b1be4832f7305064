/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads /proc/self/maps, and the ELF headers of what it names through the
 * kernel, which fails where a mapping is gone meanwhile instead of faulting.
 * Asks nothing of the dynamic linker. Used under the dump lock, so that what
 * is large can be static: a thread may have little stack.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "liballoc/heap/os.h"
#include "liballoc/ledger/build_id.h"
#include "liballoc/prof/images.h"
#include "liballoc/prof/json.h"

#define MOST_SEGMENTS 64u
#define LINE_BYTES 4608u /* a maps line: PATH_MAX and its columns */

struct mapping {
	uint64_t start, end, offset;
	const char *path; /* NUL-terminated; empty: none */
};

/* The file whose mappings are being passed. */
struct image {
	uint64_t start, end;
	uint8_t id[64];
	uint32_t id_bytes; /* 0: no file, or none to tell of */
	char path[LINE_BYTES];
};

static struct image passing __attribute__((aligned(4096)));

static bool read_memory(uint64_t address, void *to, size_t size)
{
	struct iovec local = {to, size};
	struct iovec remote = {(void *)(uintptr_t)address, size};

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)size;
}

static uint32_t id_in_segment(uint64_t address, uint64_t bytes, uint8_t *id,
			      size_t size)
{
	static uint8_t notes[1024] __attribute__((aligned(8)));

	if (bytes > sizeof(notes))
		bytes = sizeof(notes);
	if (!read_memory(address, notes, bytes))
		return 0;
	return build_id_in_notes(notes, bytes, id, size);
}

static uint32_t id_at(uint64_t start, uint8_t *id, size_t size)
{
	static ElfW(Phdr) segments[MOST_SEGMENTS]
		__attribute__((aligned(4096)));
	ElfW(Ehdr) file;
	uint64_t first = UINT64_MAX;
	uint32_t length = 0;

	if (!read_memory(start, &file, sizeof(file)) ||
	    memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 ||
	    file.e_ident[EI_CLASS] != ELFCLASS64 ||
	    file.e_phentsize != sizeof(segments[0]) || file.e_phnum == 0 ||
	    file.e_phnum > MOST_SEGMENTS ||
	    !read_memory(start + file.e_phoff, segments,
			 file.e_phnum * sizeof(segments[0])))
		return 0;
	for (unsigned i = 0; i < file.e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
			first = segments[i].p_vaddr;
	for (unsigned i = 0; i < file.e_phnum && length == 0; i++)
		if (segments[i].p_type == PT_NOTE && first != UINT64_MAX)
			length = id_in_segment(start + segments[i].p_vaddr -
						       first,
					       segments[i].p_memsz, id, size);
	return length;
}

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

static void skip_column(const char **at)
{
	while (**at == ' ')
		(*at)++;
	while (**at && **at != ' ')
		(*at)++;
}

/* start-end perms offset device inode path; proc_pid_maps(5). */
static void parse(const char *line, struct mapping *mapping)
{
	mapping->start = take_hex(&line);
	if (*line == '-')
		line++;
	mapping->end = take_hex(&line);
	skip_column(&line);
	while (*line == ' ')
		line++;
	mapping->offset = take_hex(&line);
	skip_column(&line);
	skip_column(&line);
	while (*line == ' ')
		line++;
	mapping->path = line;
}

static void write_image(struct writer *writer, struct image *image)
{
	if (image->id_bytes == 0)
		return;
	writer_text(writer, "# build_id ");
	writer_hex(writer, image->start, false);
	writer_text(writer, "-");
	writer_hex(writer, image->end, false);
	writer_text(writer, " ");
	writer_hex_bytes(writer, image->id, image->id_bytes);
	writer_text(writer, " ");
	writer_text(writer, image->path);
	writer_text(writer, "\n");
	image->id_bytes = 0;
}

static void set_path(struct image *image, const char *path)
{
	size_t length = strnlen(path, sizeof(image->path) - 1);

	memcpy(image->path, path, length);
	image->path[length] = 0;
}

static void pass_mapping(struct writer *writer, struct image *image,
			 const char *line)
{
	struct mapping mapping;

	parse(line, &mapping);
	/* What lies between the mappings of one file is its bss. */
	if (mapping.path[0] == 0)
		return;
	if (strcmp(mapping.path, image->path) == 0 && mapping.offset != 0) {
		image->end = mapping.end;
		return;
	}
	write_image(writer, image);
	image->path[0] = 0;
	if (mapping.offset != 0)
		return;
	set_path(image, mapping.path);
	image->start = mapping.start;
	image->end = mapping.end;
	image->id_bytes = id_at(mapping.start, image->id, sizeof(image->id));
}

/* No cancellation point is in it, and none is to be: locks are held. */
static int open_maps(void)
{
	return os_open("/proc/self/maps");
}

/* Calls visit with each line of the mappings, which it may change. */
static void each_line(void (*visit)(void *context, char *line), void *context)
{
	static char text[2 * LINE_BYTES] __attribute__((aligned(4096)));
	size_t have = 0;
	int fd = open_maps();
	ssize_t n;

	while (fd >= 0 && have < sizeof(text) - 1 &&
	       (n = os_read(fd, text + have, sizeof(text) - 1 - have)) > 0) {
		char *line = text, *end;

		have += (size_t)n;
		text[have] = 0;
		while ((end = strchr(line, '\n')) != NULL) {
			*end = 0;
			visit(context, line);
			line = end + 1;
		}
		have -= (size_t)(line - text);
		memmove(text, line, have);
	}
	if (fd >= 0)
		os_close(fd);
}

static void pass_line(void *writer, char *line)
{
	pass_mapping(writer, &passing, line);
}

void images_write_build_ids(struct writer *writer)
{
	passing.id_bytes = 0;
	passing.path[0] = 0;
	each_line(pass_line, writer);
	write_image(writer, &passing);
}

/* start-end rwxp ... */
static void put_executable(void *json, char *line)
{
	const char *permissions = strchr(line, ' ');

	if (permissions && strlen(permissions) > 3 && permissions[3] == 'x')
		json_string(json, NULL, line);
}

void images_put_mappings(struct json *json)
{
	json_array(json, "mappings");
	each_line(put_executable, json);
	json_end_array(json);
}

void images_write_maps(struct writer *writer)
{
	static char text[8192] __attribute__((aligned(4096)));
	int fd = open_maps();
	ssize_t n;

	/* Without, the profile is worth little; but there may be no /proc. */
	if (fd < 0 && !writer->error && (errno == EMFILE || errno == ENFILE))
		writer->error = errno;
	if (fd < 0)
		return;
	while ((n = os_read(fd, text, sizeof(text))) > 0)
		writer_bytes(writer, text, (size_t)n);
	os_close(fd);
}
