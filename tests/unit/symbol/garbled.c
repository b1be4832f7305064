/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged ELF and DWARF: this program's own file, cut off or with bytes
 * changed, section by section, must neither crash nor hang the symbolizer.
 * ROUNDS in the environment makes it try longer, SEED elsewhere.
 */
#include "config.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libjeheap/base/file.h"
#include "libjeheap/symbol/symbol.h"
#include "tap/tap.h"

#define ADDRESSES 200
#define MOST_SECONDS 10

static char folder[] = "/tmp/jeheap-garbled-XXXXXX";
static char *path;
static uint64_t random_state = 1;

static uint64_t next_random(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % below;
}

static bool write_file(const char *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	bool good = fd >= 0;

	while (good && size) {
		ssize_t n = write(fd, data, size);

		good = n > 0;
		data += n;
		size -= good ? (size_t)n : 0;
	}
	return good && close(fd) == 0;
}

/* How many of the addresses got a name. */
static size_t try_file(uint64_t low, uint64_t high)
{
	struct symbol_options options = {0};
	struct profile *profile = profile_new();
	struct symbol_stats stats;
	uint32_t file =
		profile_file(profile, str_of(path), (struct str){0}, false);

	profile_add_mapping(profile, 0, UINT64_C(1) << 40, 0, file);
	profile_seal_mappings(profile);
	for (uint64_t i = 0; i < ADDRESSES; i++)
		profile_location(profile, low + (high - low) / ADDRESSES * i);
	symbolize(profile, &options, &stats);
	profile_free(profile);
	return stats.resolved;
}

struct section {
	uint64_t offset, size;
};

/* Those that names come from; returns .text in *code. */
static size_t list_sections(struct str elf, struct section *list, size_t most,
			    struct section *code)
{
	Elf64_Ehdr header;
	Elf64_Shdr s, names;
	size_t count = 0;

	memcpy(&header, elf.ptr, sizeof(header));
	memcpy(&names, elf.ptr + header.e_shoff + header.e_shstrndx * sizeof(s),
	       sizeof(s));
	list[count++] = (struct section){0, 1024};
	list[count++] =
		(struct section){header.e_shoff, header.e_shnum * sizeof(s)};
	for (unsigned i = 1; i < header.e_shnum && count < most; i++) {
		const char *name;

		memcpy(&s, elf.ptr + header.e_shoff + i * sizeof(s), sizeof(s));
		name = elf.ptr + names.sh_offset + s.sh_name;
		if (strcmp(name, ".text") == 0)
			*code = (struct section){s.sh_offset, s.sh_size};
		if (s.sh_size && (strncmp(name, ".debug_", 7) == 0 ||
				  strstr(name, "sym") || strstr(name, "str")))
			list[count++] =
				(struct section){s.sh_offset, s.sh_size};
	}
	return count;
}

static void garble(char *data, const struct section *s)
{
	uint64_t changes = 1 + next_random(16);

	while (changes--) {
		char *byte = data + s->offset + next_random(s->size);

		switch (next_random(4)) {
		case 0:
			*byte = 0;
			break;
		case 1:
			*byte = (char)0xff;
			break;
		case 2:
			*byte ^= (char)(1u << next_random(8));
			break;
		default:
			*byte = (char)next_random(256);
			break;
		}
	}
}

static unsigned number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 0) : otherwise;
}

int main(void)
{
	struct arena arena = {0};
	struct diag diag = {0};
	struct section sections[64], code = {0, 0};
	unsigned rounds = number("ROUNDS", 8);
	size_t section_count, named = 0;
	time_t slowest = 0;
	struct str elf;
	char *copy;

	plan(5);
	if (!file_read(&arena, "/proc/self/exe", NULL, &elf, &diag) ||
	    !mkdtemp(folder))
		return 99;
	random_state = number("SEED", 20260101);
	path = arena_printf(&arena, "%s/elf", folder);
	section_count = list_sections(elf, sections, 64, &code);
	ok(section_count > 6 && code.size, "this program has what to garble");

	write_file(elf.ptr, elf.len);
	ok(try_file(code.offset, code.offset + code.size) > ADDRESSES / 2,
	   "the whole file names most addresses");

	for (unsigned i = 0; i < 8 * rounds; i++) {
		write_file(elf.ptr, next_random(elf.len));
		named += try_file(code.offset, code.offset + code.size);
	}
	ok(true, "%u truncated files are survived", 8 * rounds);

	copy = arena_copy(&arena, elf.ptr, elf.len);
	for (unsigned i = 0; i < rounds; i++) {
		for (size_t s = 0; s < section_count; s++) {
			time_t start = time(NULL), took;

			garble(copy, &sections[s]);
			write_file(copy, elf.len);
			named += try_file(code.offset, code.offset + code.size);
			took = time(NULL) - start;
			slowest = took > slowest ? took : slowest;
			memcpy(copy + sections[s].offset,
			       elf.ptr + sections[s].offset, sections[s].size);
		}
	}
	ok(named > 0, "garbled files are survived, and name %zu addresses",
	   named);
	ok(slowest <= MOST_SECONDS, "none takes longer than %d s",
	   MOST_SECONDS);
	unlink(path);
	rmdir(folder);
	arena_free(&arena);
	return done_testing();
}
