/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a core file: it is refused with one line, or its segments and
 * mappings are in order, what is read of its memory is what stands in the
 * file, and its profiles, of its end and of its peak, are sound.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "libjeheap/base/unpack.h"
#include "libjeheap/profile/read.h"
#include "libjeheap/target/core.h"
#include "libjeheap/target/maps.h"

#define SEGMENTS_READ 64
#define PART_BYTES 64

struct input {
	const uint8_t *data;
	size_t size;
	char path[64];
};

static void must(bool good)
{
	if (!good)
		abort();
}

/* One nameless file for all inputs. */
static void write_file(struct input *input)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("core_reader", MFD_CLOEXEC);
	must(fd >= 0 && ftruncate(fd, 0) == 0 &&
	     pwrite(fd, input->data, input->size, 0) == (ssize_t)input->size);
	snprintf(input->path, sizeof(input->path), "/proc/self/fd/%d", fd);
}

static bool is_one_line(const struct diag *diag)
{
	return diag->set && diag->text[0] && !strchr(diag->text, '\n');
}

/* The bytes of the segment that no later one hides. */
static uint64_t own_bytes(const struct core *core, size_t i)
{
	const struct core_segment *s = &core->segments[i];
	uint64_t bytes = s->file_bytes;

	if (i + 1 < core->segment_count && s[1].address - s->address < bytes)
		bytes = s[1].address - s->address;
	return bytes;
}

/* At its end, where most goes wrong. */
static void read_segment(struct core *core, size_t i, const struct input *input)
{
	const struct core_segment *s = &core->segments[i];
	uint64_t bytes = own_bytes(core, i), at;
	uint8_t part[PART_BYTES];
	struct diag diag = {0};
	size_t size = bytes < sizeof(part) ? bytes : sizeof(part);

	if (!size)
		return;
	at = bytes - size;
	if (core_read(core, "it", s->address + at, part, size, &diag))
		must(s->offset + bytes <= input->size &&
		     !memcmp(part, input->data + s->offset + at, size));
	else
		must(is_one_line(&diag) && s->offset + bytes > input->size);
	diag_clear(&diag);
	if (!core_read(core, "it", s->address + bytes - 1, part, sizeof(part),
		       &diag))
		must(is_one_line(&diag));
}

static void check_core(struct core *core, const struct input *input)
{
	struct str maps = core->maps;
	struct map_line line;

	for (size_t i = 0; i < core->segment_count; i++) {
		const struct core_segment *s = &core->segments[i];

		must(s->memory_bytes && s->file_bytes <= s->memory_bytes);
		must(i == 0 || s[-1].address <= s->address);
		if (i < SEGMENTS_READ)
			read_segment(core, i, input);
	}
	while (next_map(&maps, &line))
		must(line.start < line.limit);
	must(strlen(core->program) < sizeof(core->program));
	must(core->pid >= 0);
}

static void open_core(const struct input *input)
{
	struct arena arena = {0};
	struct diag diag = {0};
	struct core *core = core_open(input->path, "it", &arena, &diag);

	must(core ? !diag.set : is_one_line(&diag));
	if (core) {
		check_core(core, input);
		core_close(core);
	}
	arena_free(&arena);
}

static void read_profile(const struct input *input, bool at_peak)
{
	struct diag diag = {0};
	struct profile *profile = read_core(input->path, at_peak, &diag);

	must(profile ? profile_is_valid(profile) : is_one_line(&diag));
	profile_free(profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.data = data, .size = size};
	struct str bytes = {(const char *)data, size};
	struct unpack *packed = unpack_bytes(bytes, "");

	/* dump_parser has those, within bounds that suit a fuzzer. */
	unpack_close(packed);
	if (packed)
		return 0;
	write_file(&input);
	open_core(&input);
	read_profile(&input, false);
	read_profile(&input, true);
	return 0;
}
