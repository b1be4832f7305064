/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/PID/maps, as dumps carry it: proc(5), and gperftools' older lines of
 * "START-LIMIT: PATH" with "build=" and "$build". Opens no file.
 */
#include "config.h"

#include "libjeheap/profile/read.h"

#include <limits.h>

#include "libjeheap/base/cursor.h"

struct maps_line {
	uint64_t start, limit, offset;
	struct str path;
};

static bool take_spaced_word(struct str *line, struct str *word)
{
	take_spaces(line);
	return take_word(line, word);
}

/* "PERMS OFFSET DEVICE INODE PATH", of which only executable ones count. */
static bool parse_proc_fields(struct str line, struct maps_line *parsed)
{
	struct str permissions, word;

	if (!take_spaced_word(&line, &permissions) || permissions.len < 3 ||
	    permissions.ptr[2] != 'x')
		return false;
	take_spaces(&line);
	if (!take_hex(&line, &parsed->offset) ||
	    !take_spaced_word(&line, &word) || !take_spaced_word(&line, &word))
		return false;
	parsed->path = str_trim(line);
	return true;
}

static bool parse_line(struct str line, struct maps_line *parsed)
{
	take_spaces(&line);
	*parsed = (struct maps_line){0};
	if (!take_hex(&line, &parsed->start) || !take_char(&line, '-') ||
	    !take_hex(&line, &parsed->limit) || parsed->start >= parsed->limit)
		return false;
	if (take_char(&line, ':')) {
		parsed->path = str_trim(line);
		return true;
	}
	return parse_proc_fields(line, parsed);
}

static struct str expand_build(struct arena *arena, struct str path,
			       struct str build)
{
	static const struct str variable = {"$build", 6};
	size_t at = str_find(path, variable);
	struct text text = {.arena = arena};

	if (at == SIZE_MAX)
		return path;
	text_add(&text, (struct str){path.ptr, at});
	text_add(&text, build);
	text_add(&text, (struct str){path.ptr + at + variable.len,
				     path.len - at - variable.len});
	return text_str(&text);
}

static struct str find_id(const struct mapped_build_id *ids, size_t count,
			  uint64_t start)
{
	size_t low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (ids[middle].start <= start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || start >= ids[low - 1].limit)
		return (struct str){0};
	return ids[low - 1].id;
}

static bool is_wanted(struct str path)
{
	if (path.len == 0)
		return false;
	return *path.ptr != '[' || str_equal(path, STR("[vdso]"));
}

void read_maps(struct profile *profile, struct str maps,
	       const struct mapped_build_id *ids, size_t id_count)
{
	static const struct str mark = {" (deleted)", 10};
	struct str rest = maps, build = {0}, line;
	struct maps_line parsed;
	uint32_t file;
	bool deleted;

	while (rest.len) {
		line = str_trim(str_split(rest, '\n', &rest));
		if (take_literal(&line, "build=") && line.len < PATH_MAX)
			build = line;
		if (!parse_line(line, &parsed) || !is_wanted(parsed.path))
			continue;
		deleted = str_ends_with(parsed.path, mark);
		if (deleted)
			parsed.path.len -= mark.len;
		file = profile_file(
			profile,
			expand_build(profile->arena, parsed.path, build),
			find_id(ids, id_count, parsed.start), deleted);
		profile_add_mapping(profile, parsed.start, parsed.limit,
				    parsed.offset, file);
	}
	profile_seal_mappings(profile);
}
