/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a core file's headers and notes, and memory out of its segments. Takes
 * no more memory than the file has bytes for, nor for more than a kernel
 * writes.
 */
#include "config.h"

#include "libjeheap/target/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libjeheap/base/cursor.h"
#include "libjeheap/base/file.h"
#include "libjeheap/target/core_packed.h"
#include "libjeheap/target/target.h"

/* A process can have as many mappings: vm.max_map_count is 65,530, or more. */
#define SEGMENTS_MAX ((uint64_t)1 << 20)
/* The notes that are wanted come before those of the second thread. */
#define NOTES_MAX 4096
/* kernel.core_file_note_size_limit is 16 MiB at most. */
#define NOTE_MAX_BYTES ((uint64_t)16 << 20)
/* More than twice its bytes, and this, are not read of any file. */
#define READS_LEAST_BYTES ((uint64_t)1 << 30)
#define READ_LEAST_BYTES 4096u
#define MAPPED_FILE_WORDS 3 /* start, limit, offset */

static bool read_at(const struct core *core, uint64_t offset, void *buffer,
		    size_t size)
{
	char *to = buffer;

	if (offset > core->bytes || size > core->bytes - offset)
		return false;
	while (size) {
		ssize_t n = pread(core->fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return true;
}

bool core_begins_so(const void *start, size_t size)
{
	const Elf64_Ehdr *header = start;

	return size >= sizeof(*header) &&
	       memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 &&
	       header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_type == ET_CORE &&
	       header->e_phentsize == sizeof(Elf64_Phdr);
}

/* How many program headers: more than fit in the header are told in another. */
static bool header_count(const struct core *core, const Elf64_Ehdr *header,
			 uint64_t *count)
{
	Elf64_Shdr section;

	*count = header->e_phnum;
	if (header->e_phnum != PN_XNUM)
		return true;
	if (!read_at(core, header->e_shoff, &section, sizeof(section)))
		return false;
	*count = section.sh_info;
	return *count <= SEGMENTS_MAX;
}

static int by_address(const void *pa, const void *pb)
{
	const struct core_segment *a = pa, *b = pb;

	return (a->address > b->address) - (a->address < b->address);
}

/* One beyond all addresses of programs, as is vsyscall's, is passed over. */
static void take_segment(struct core *core, const Elf64_Phdr *p)
{
	uint64_t end;

	if (p->p_vaddr > INT64_MAX || p->p_memsz > INT64_MAX - p->p_vaddr ||
	    p->p_offset > INT64_MAX || p->p_filesz > INT64_MAX - p->p_offset)
		return;
	end = p->p_offset + p->p_filesz;
	core->is_cut |= end > core->bytes;
	if (p->p_memsz)
		core->segments[core->segment_count++] = (struct core_segment){
			.address = p->p_vaddr,
			.memory_bytes = p->p_memsz,
			.offset = p->p_offset,
			.file_bytes = p->p_filesz < p->p_memsz ? p->p_filesz
							       : p->p_memsz,
			.flags = p->p_flags,
		};
}

/* The note's place in the file. */
struct note {
	Elf64_Nhdr header;
	char name[8];
	uint64_t desc, end;
};

static uint64_t align_4(uint64_t n)
{
	return (n + 3) & ~UINT64_C(3);
}

static bool read_note(const struct core *core, uint64_t at, uint64_t limit,
		      struct note *note)
{
	size_t name_bytes = sizeof(note->name);

	*note = (struct note){0};
	if (limit - at < sizeof(note->header) ||
	    !read_at(core, at, &note->header, sizeof(note->header)))
		return false;
	at += sizeof(note->header);
	note->desc = at + align_4(note->header.n_namesz);
	note->end = note->desc + align_4(note->header.n_descsz);
	if (note->desc > limit || note->header.n_descsz > limit - note->desc)
		return false;
	if (note->header.n_namesz < name_bytes)
		name_bytes = note->header.n_namesz;
	return read_at(core, at, note->name, name_bytes);
}

/* What the kernel writes of the process as a whole (elf_prpsinfo). */
static void take_process(struct core *core, const struct note *note,
			 struct arena *arena)
{
	struct elf_prpsinfo info;
	size_t length;
	char *text;

	if (note->header.n_descsz < sizeof(info) ||
	    !read_at(core, note->desc, &info, sizeof(info)))
		return;
	core->pid = info.pr_pid > 0 ? info.pr_pid : 0;
	length = strnlen(info.pr_fname, sizeof(info.pr_fname));
	memcpy(core->program, info.pr_fname, length);
	core->program[length] = '\0';
	mask_text(core->program, length);
	length = strnlen(info.pr_psargs, sizeof(info.pr_psargs));
	while (length && info.pr_psargs[length - 1] == ' ')
		length--;
	text = arena_copy(arena, info.pr_psargs, length);
	mask_text(text, length);
	core->command = (struct str){text, length};
}

/* The segment that begins there, or NULL. */
static struct core_segment *segment_at(const struct core *core,
				       uint64_t address)
{
	struct core_segment key = {.address = address};

	if (!core->segment_count)
		return NULL;
	return bsearch(&key, core->segments, core->segment_count, sizeof(key),
		       by_address);
}

static void put_map(struct text *maps, uint64_t start, uint64_t limit,
		    uint32_t flags, uint64_t offset, struct str path)
{
	text_printf(maps, "%llx-%llx %c%c%cp %llx 00:00 0 ",
		    (unsigned long long)start, (unsigned long long)limit,
		    flags & PF_R ? 'r' : '-', flags & PF_W ? 'w' : '-',
		    flags & PF_X ? 'x' : '-', (unsigned long long)offset);
	for (size_t i = 0; i < path.len; i++)
		text_add_char(maps, path.ptr[i] == '\n' ? '?' : path.ptr[i]);
	text_add_char(maps, '\n');
}

/*
 * One mapped file after the other: their places, then their paths. What is not
 * written of them, as what is only read, may have no segment.
 */
static void put_files(struct core *core, struct str desc, struct text *maps)
{
	struct diag ignored = {0};
	struct cursor c = cursor_over(desc.ptr, desc.len, "NT_FILE", &ignored);
	uint64_t count = cursor_u64(&c), page = cursor_u64(&c);
	struct str places, paths;

	if (c.failed || count > cursor_left(&c) / (MAPPED_FILE_WORDS * 8))
		return;
	places = cursor_bytes(&c, count * MAPPED_FILE_WORDS * 8);
	paths = cursor_bytes(&c, cursor_left(&c));
	for (uint64_t i = 0; i < count && paths.len; i++) {
		uint64_t place[MAPPED_FILE_WORDS];
		struct str path = str_split(paths, '\0', &paths);
		struct core_segment *segment;

		memcpy(place, places.ptr + i * sizeof(place), sizeof(place));
		segment = segment_at(core, place[0]);
		if (segment)
			segment->is_file = true;
		put_map(maps, place[0], place[1],
			segment ? segment->flags : PF_R | PF_X, place[2] * page,
			path);
	}
}

static void take_files(struct core *core, const struct note *note,
		       struct text *maps)
{
	struct arena scratch = {0};
	size_t size = note->header.n_descsz;
	char *bytes;

	if (size > NOTE_MAX_BYTES || size > core->bytes)
		return;
	bytes = arena_alloc(&scratch, size);
	if (read_at(core, note->desc, bytes, size))
		put_files(core, (struct str){bytes, size}, maps);
	arena_free(&scratch);
}

/* Over all segments of notes: what was read, and how many more may be. */
struct note_search {
	struct core *core;
	struct arena *arena;
	struct text maps;
	unsigned left;
	bool has_process, has_files;
};

static void take_note(struct note_search *search, const struct note *note)
{
	if (memcmp(note->name, "CORE", 5) != 0)
		return;
	if (note->header.n_type == NT_PRPSINFO && !search->has_process) {
		take_process(search->core, note, search->arena);
		search->has_process = true;
	} else if (note->header.n_type == NT_FILE && !search->has_files) {
		take_files(search->core, note, &search->maps);
		search->has_files = true;
	}
}

static void take_notes(struct note_search *search, const Elf64_Phdr *p)
{
	const struct core *core = search->core;
	uint64_t at = p->p_offset, limit = at + p->p_filesz;
	struct note note;

	if (at > core->bytes || p->p_filesz > core->bytes - at)
		return;
	while (search->left && !(search->has_process && search->has_files)) {
		search->left--;
		if (!read_note(core, at, limit, &note))
			return;
		take_note(search, &note);
		at = note.end < limit ? note.end : limit;
	}
}

static void put_anonymous(const struct core *core, struct text *maps)
{
	for (size_t i = 0; i < core->segment_count; i++) {
		const struct core_segment *s = &core->segments[i];

		if (!s->is_file)
			put_map(maps, s->address, s->address + s->memory_bytes,
				s->flags, 0, (struct str){0});
	}
}

static bool fail(const char *name, const char *what, struct diag *diag)
{
	return diag_set(diag, "%s is damaged: %s", name, what);
}

/* The segments first: what files lie where needs to know them. */
static bool read_headers(struct core *core, const char *name,
			 struct arena *arena, struct diag *diag)
{
	struct note_search search = {.core = core,
				     .arena = arena,
				     .maps = {.arena = arena},
				     .left = NOTES_MAX};
	struct arena scratch = {0};
	Elf64_Ehdr header;
	Elf64_Phdr *headers;
	uint64_t count;
	bool good;

	if (!read_at(core, 0, &header, sizeof(header)) ||
	    !core_begins_so(&header, sizeof(header)))
		return diag_set(diag, "%s is no core file of a 64-bit machine",
				name);
	if (!header_count(core, &header, &count) ||
	    count > core->bytes / sizeof(*headers))
		return fail(name, "its program headers are not there", diag);
	headers = ARENA_ARRAY(&scratch, count, Elf64_Phdr);
	core->segments = ARENA_ARRAY(arena, count, struct core_segment);
	good = read_at(core, header.e_phoff, headers,
		       count * sizeof(*headers)) ||
	       fail(name, "its program headers are not there", diag);
	for (uint64_t i = 0; good && i < count; i++)
		if (headers[i].p_type == PT_LOAD)
			take_segment(core, &headers[i]);
	if (core->segment_count)
		qsort(core->segments, core->segment_count,
		      sizeof(*core->segments), by_address);
	for (uint64_t i = 0; good && i < count; i++)
		if (headers[i].p_type == PT_NOTE)
			take_notes(&search, &headers[i]);
	put_anonymous(core, &search.maps);
	core->maps = text_str(&search.maps);
	arena_free(&scratch);
	return good;
}

bool core_is_one(const char *path)
{
	int fd = file_open_to_look(path);
	Elf64_Ehdr header;
	bool is = fd >= 0 && core_read_start(fd, &header, sizeof(header)) &&
		  core_begins_so(&header, sizeof(header));

	if (fd >= 0)
		close(fd);
	return is;
}

/* A packed one is unpacked first. */
static bool open_file(struct core *core, const char *path, const char *name,
		      struct diag *diag)
{
	struct stat info;

	core->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (core->fd < 0)
		return diag_errno(diag, "cannot open %s", path);
	if (!core_unpack(&core->fd, name, CORE_BOUNDS_DEFAULT, diag))
		return false;
	if (fstat(core->fd, &info) != 0)
		return diag_errno(diag, "cannot open %s", path);
	core->bytes = info.st_size > 0 ? (uint64_t)info.st_size : 0;
	core->left = 2 * core->bytes + READS_LEAST_BYTES;
	return true;
}

struct core *core_open(const char *path, const char *name, struct arena *arena,
		       struct diag *diag)
{
	struct core *core = ARENA_NEW(arena, struct core);

	if (open_file(core, path, name, diag) &&
	    read_headers(core, name, arena, diag))
		return core;
	core_close(core);
	return NULL;
}

void core_close(struct core *core)
{
	if (core->fd >= 0)
		close(core->fd);
	core->fd = -1;
}

/* The last segment that begins at the address or before it, or NULL. */
static const struct core_segment *find_segment(const struct core *core,
					       uint64_t address)
{
	size_t low = 0, high = core->segment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->segments[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &core->segments[low - 1] : NULL;
}

/*
 * A file that has the same memory in a million places could be read for hours.
 * Each read counts as a page at least.
 */
static bool may_read(struct core *core, size_t size)
{
	size_t cost = size > READ_LEAST_BYTES ? size : READ_LEAST_BYTES;

	if (cost > core->left)
		return false;
	core->left -= cost;
	return true;
}

bool core_read(struct core *core, const char *name, uint64_t address,
	       void *buffer, size_t size, struct diag *diag)
{
	char *to = buffer;

	if (!may_read(core, size))
		return fail(name, "it has the same memory in too many places",
			    diag);
	while (size) {
		const struct core_segment *s = find_segment(core, address);
		uint64_t at = s ? address - s->address : 0, part;

		if (!s || at >= s->file_bytes)
			return diag_set(diag,
					"%s does not have the memory at 0x%llx",
					name, (unsigned long long)address);
		part = s->file_bytes - at < size ? s->file_bytes - at : size;
		if (!read_at(core, s->offset + at, to, part))
			return diag_set(diag,
					"%s is cut off: the memory at 0x%llx "
					"would stand behind its end, at byte "
					"%llu; have it written without a limit "
					"(ulimit -c), to a disk with room",
					name, (unsigned long long)address,
					(unsigned long long)core->bytes);
		to += part;
		address += part;
		size -= part;
	}
	return true;
}
