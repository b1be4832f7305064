/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbolize [OPTION]... FILE ADDRESS...: names addresses of an ELF file, as
 * linked (or, with -o, offsets in the file), a line each:
 *
 *	inner x.c:3 < middle x.c:6 < outer x.c:10
 *
 * or the reason in brackets. -d DIR looks for debug files there; -b HEX is
 * the build-id that the profile has; -x says that the file was deleted; -n
 * leaves inlined frames out; -p PROGRAM, -l PREFIXES and -P PID are as in
 * struct symbol_options.
 */
#include "config.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libjeheap/symbol/symbol.h"

static const char *const reasons[] = {
	[NO_MAPPING] = "no mapping",	     [NO_FILE] = "no file",
	[FILE_CHANGED] = "file changed",     [NO_SYMBOLS] = "no symbols",
	[NO_SYMBOL_HERE] = "no symbol here", [NOT_ELF] = "not ELF",
	[NOT_TRIED] = "not tried",
};

static uint64_t to_offset(const char *file, uint64_t address)
{
	int fd = open(file, O_RDONLY);
	Elf64_Ehdr header;
	Elf64_Phdr p;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		exit(2);
	for (unsigned i = 0; i < header.e_phnum; i++) {
		if (pread(fd, &p, sizeof(p),
			  (off_t)(header.e_phoff + i * sizeof(p))) != sizeof(p))
			exit(2);
		if (p.p_type == PT_LOAD && address - p.p_vaddr < p.p_filesz) {
			close(fd);
			return address - p.p_vaddr + p.p_offset;
		}
	}
	exit(2);
}

static struct str from_hex(const char *hex)
{
	static char bytes[64];
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n && i < sizeof(bytes); i++) {
		char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		bytes[i] = (char)strtoul(digits, NULL, 16);
	}
	return (struct str){bytes, n};
}

static void print_location(const struct profile *profile,
			   const struct location *location)
{
	if (!location->line_count)
		printf("[%s]", reasons[location->unresolved]);
	for (uint32_t i = 0; i < location->line_count; i++) {
		const struct line *line = &location->lines[i];
		const struct function *f = &profile->functions[line->function];

		printf("%s%.*s", i ? " < " : "", STR_ARG(f->name));
		if (f->filename.len)
			printf(" %.*s:%u", STR_ARG(str_basename(f->filename)),
			       line->line);
		if (f->filename.len && f->filename.ptr[0] != '/')
			printf(" (relative)");
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	static const char *debug_dirs[2];
	struct symbol_options options = {0};
	struct profile *profile = profile_new();
	struct symbol_stats stats;
	bool deleted = false, offsets = false;
	struct str id = {0};
	uint32_t file;
	int option;

	while ((option = getopt(argc, argv, "b:d:l:nop:P:x")) != -1) {
		switch (option) {
		case 'b':
			id = from_hex(optarg);
			break;
		case 'd':
			debug_dirs[0] = optarg;
			options.debug_dirs = debug_dirs;
			break;
		case 'l':
			options.lib_prefix = optarg;
			break;
		case 'n':
			options.no_inlines = true;
			break;
		case 'o':
			offsets = true;
			break;
		case 'p':
			options.program = optarg;
			break;
		case 'P':
			options.pid = atoi(optarg);
			break;
		case 'x':
			deleted = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2)
		return 2;
	file = profile_file(profile, str_of(argv[optind]), id, deleted);
	profile_add_mapping(profile, 0, UINT64_C(1) << 47, 0, file);
	profile_seal_mappings(profile);
	for (int i = optind + 1; i < argc; i++) {
		uint64_t address = strtoull(argv[i], NULL, 16);

		profile_location(profile,
				 offsets ? address
					 : to_offset(argv[optind], address));
	}
	symbolize(profile, &options, &stats);
	for (size_t i = 0; i < profile->location_count; i++)
		print_location(profile, &profile->locations[i]);
	profile_free(profile);
	return 0;
}
