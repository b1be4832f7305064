/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tries the places where a mapped file, its debug file and its supplementary
 * file may lie, and takes the first whose identity holds. Reads no symbols.
 */
#include "config.h"

#include "libjeheap/symbol/find.h"

#include <string.h>
#include <sys/auxv.h>
#include <zlib.h>

#include <elfutils/libdwelf.h>

static const char *const default_debug_dirs[] = {"/usr/lib/debug", NULL};

static const char *const *debug_dirs(const struct finder *finder)
{
	const struct symbol_options *options = finder->options;

	return options->debug_dirs ? options->debug_dirs : default_debug_dirs;
}

/* The attempts to open one mapped file, and the best reason for failing. */
struct attempt {
	const struct finder *finder;
	const struct object_file *file;
	bool identity_needed; /* its path may hold another file by now */
	struct image *image;
	enum unresolved result;
};

/* How much each reason tells, for the report. */
static int weight(enum unresolved reason)
{
	return reason == FILE_CHANGED ? 2 : reason == NOT_ELF;
}

/* True where the search is over. */
static bool try_path(struct attempt *a, struct str path, bool same_inode)
{
	struct str wanted = a->file->build_id;
	enum unresolved result = image_open(a->finder->arena, path, a->image);

	if (result == RESOLVED && !same_inode) {
		if (wanted.len ? !str_equal(wanted, a->image->build_id)
			       : a->identity_needed)
			result = FILE_CHANGED;
		if (result != RESOLVED)
			image_close(a->image);
	}
	if (result == RESOLVED || weight(result) > weight(a->result))
		a->result = result;
	return result == RESOLVED;
}

/* /proc/PID/map_files names the very inode, but needs privileges. */
static bool try_process(struct attempt *a, uint32_t file)
{
	const struct finder *f = a->finder;
	const struct profile *p = f->profile;
	int pid = f->options->pid;

	if (pid <= 0)
		return false;
	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct mapping *m = &p->mappings[i];

		if (m->file != file)
			continue;
		if (try_path(a,
			     str_of(arena_printf(f->arena,
						 "/proc/%d/map_files/%lx-%lx",
						 pid, (unsigned long)m->start,
						 (unsigned long)m->limit)),
			     true))
			return true;
		break;
	}
	return try_path(a,
			str_of(arena_printf(f->arena, "/proc/%d/root%.*s", pid,
					    STR_ARG(a->file->path))),
			false);
}

/* PREFIX/the/whole/path, then PREFIX/path. */
static bool try_prefixes(struct attempt *a)
{
	struct arena *arena = a->finder->arena;
	struct str rest = str_of(a->finder->options->lib_prefix);
	struct str path = a->file->path, base = str_basename(path);

	while (rest.len) {
		struct str prefix = str_split(rest, ',', &rest);

		if (!prefix.len)
			continue;
		if (try_path(a,
			     str_of(arena_printf(arena, "%.*s%.*s",
						 STR_ARG(prefix),
						 STR_ARG(path))),
			     false) ||
		    try_path(a,
			     str_of(arena_printf(arena, "%.*s/%.*s",
						 STR_ARG(prefix),
						 STR_ARG(base))),
			     false))
			return true;
	}
	return false;
}

/* The program that the user named stands for the first file mapped. */
static bool try_program(struct attempt *a, uint32_t file)
{
	const struct finder *f = a->finder;
	const char *program = f->options->program;
	bool main_file = f->profile->mapping_count &&
			 f->profile->mappings[0].file == file;

	if (!program || (!main_file && !a->file->build_id.len))
		return false;
	return try_path(a, str_of(program), !a->file->build_id.len);
}

/* The kernel's own: this process has the same one if the build-ids agree. */
static enum unresolved find_vdso(struct attempt *a)
{
	uintptr_t address = (uintptr_t)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *header = (const void *)address;
	size_t bytes;

	if (!address || !a->file->build_id.len)
		return NO_FILE;
	bytes = header->e_shoff + (size_t)header->e_shentsize * header->e_shnum;
	if (image_open_memory(a->finder->arena, (void *)address, bytes,
			      a->image) != RESOLVED)
		return NO_FILE;
	if (str_equal(a->image->build_id, a->file->build_id))
		return RESOLVED;
	image_close(a->image);
	return FILE_CHANGED;
}

enum unresolved find_image(const struct finder *finder, uint32_t file,
			   struct image *image)
{
	const struct object_file *of = &finder->profile->files[file];
	struct attempt a = {finder, of, of->deleted, image, NO_FILE};

	*image = (struct image){.fd = -1};
	if (str_equal(of->path, STR("[vdso]")))
		return find_vdso(&a);
	if (try_program(&a, file))
		return RESOLVED;
	if (!of->path.len || of->path.ptr[0] != '/')
		return a.result;
	if (try_process(&a, file) || try_prefixes(&a) ||
	    try_path(&a, of->path, false))
		return RESOLVED;
	return a.result;
}

/* "DIR/.build-id/xx/yyyy.debug" */
static struct str build_id_path(struct arena *arena, struct str root,
				const char *dir, struct str id)
{
	struct text text = {.arena = arena};

	text_printf(&text, "%.*s%s/.build-id/", STR_ARG(root), dir);
	for (size_t i = 0; i < id.len; i++)
		text_printf(&text, i == 1 ? "/%02x" : "%02x",
			    (unsigned char)id.ptr[i]);
	text_add(&text, STR(".debug"));
	return text_str(&text);
}

static bool open_with_id(const struct finder *finder, struct str path,
			 struct str id, struct image *image)
{
	if (image_open(finder->arena, path, image) != RESOLVED)
		return false;
	if (str_equal(image->build_id, id))
		return true;
	image_close(image);
	return false;
}

/* The roots of file systems to look in: the process's own, then ours. */
static size_t list_roots(const struct finder *finder, struct str roots[2])
{
	size_t count = 0;

	if (finder->options->pid > 0)
		roots[count++] = str_of(arena_printf(
			finder->arena, "/proc/%d/root", finder->options->pid));
	roots[count++] = STR("");
	return count;
}

static bool find_by_id(const struct finder *finder, struct str id,
		       struct image *image)
{
	struct str roots[2];
	size_t root_count = list_roots(finder, roots);

	if (id.len < 2)
		return false;
	for (size_t r = 0; r < root_count; r++) {
		const char *const *dir = debug_dirs(finder);

		for (; *dir; dir++)
			if (open_with_id(finder,
					 build_id_path(finder->arena, roots[r],
						       *dir, id),
					 id, image))
				return true;
	}
	return false;
}

static uint32_t file_crc(const struct image *image)
{
	size_t bytes = 0;
	const char *data = elf_rawfile(image->elf, &bytes);

	if (!data)
		return 0;
	return (uint32_t)crc32_z(0, (const Bytef *)data, bytes);
}

/* Equal build-ids prove more than an equal CRC, and cost nothing. */
static bool open_linked(const struct finder *finder, struct str path,
			const struct image *image, uint32_t crc,
			struct image *debug)
{
	if (image_open(finder->arena, path, debug) != RESOLVED)
		return false;
	if (image->build_id.len && debug->build_id.len
		    ? str_equal(image->build_id, debug->build_id)
		    : file_crc(debug) == crc)
		return true;
	image_close(debug);
	return false;
}

static struct str folder_of(struct str path)
{
	path.len -= str_basename(path).len;
	return path;
}

static bool find_by_link(const struct finder *finder, const struct image *image,
			 struct str path, struct image *debug)
{
	struct arena *arena = finder->arena;
	struct str folder = folder_of(path), roots[2];
	size_t root_count = list_roots(finder, roots);
	GElf_Word crc;
	const char *name = dwelf_elf_gnu_debuglink(image->elf, &crc);

	if (!name || !*name || strchr(name, '/'))
		return false;
	for (size_t r = 0; r < root_count; r++) {
		const char *const *dir = debug_dirs(finder);
		struct text base = {.arena = arena};

		text_printf(&base, "%.*s%.*s", STR_ARG(roots[r]),
			    STR_ARG(folder));
		if (open_linked(finder,
				str_of(arena_printf(arena, "%.*s%s",
						    STR_ARG(text_str(&base)),
						    name)),
				image, crc, debug) ||
		    open_linked(finder,
				str_of(arena_printf(arena, "%.*s.debug/%s",
						    STR_ARG(text_str(&base)),
						    name)),
				image, crc, debug))
			return true;
		for (; *dir; dir++)
			if (open_linked(
				    finder,
				    str_of(arena_printf(arena, "%.*s%s%.*s%s",
							STR_ARG(roots[r]), *dir,
							STR_ARG(folder), name)),
				    image, crc, debug))
				return true;
	}
	return false;
}

bool find_debug_image(const struct finder *finder, const struct image *image,
		      struct str path, struct image *debug)
{
	if (find_by_id(finder, image->build_id, debug))
		return true;
	return find_by_link(finder, image, path, debug) ||
	       (!str_equal(path, image->path) && image->path.len &&
		find_by_link(finder, image, image->path, debug));
}

bool find_alternate_image(const struct finder *finder,
			  const struct image *image, Dwarf *dwarf,
			  struct image *alternate)
{
	struct str folder = folder_of(image->path), id, path;
	const char *name;
	const void *id_bytes;
	ssize_t id_len = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id_bytes);

	if (id_len <= 0)
		return false;
	id = (struct str){id_bytes, (size_t)id_len};
	if (name[0] == '/')
		folder.len = 0;
	path = str_of(
		arena_printf(finder->arena, "%.*s%s", STR_ARG(folder), name));
	return open_with_id(finder, path, id, alternate) ||
	       find_by_id(finder, id, alternate);
}
