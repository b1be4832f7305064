/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses /proc/PID/maps line by line; lines of another shape are left out.
 */
#include "config.h"

#include "libjeheap/target/maps.h"

#include "libjeheap/base/cursor.h"

static bool parse_line(struct str s, struct map_line *line)
{
	struct str rights, word;

	if (!take_hex(&s, &line->start) || !take_char(&s, '-') ||
	    !take_hex(&s, &line->limit) || line->start >= line->limit)
		return false;
	take_spaces(&s);
	if (!take_word(&s, &rights) || rights.len < 4)
		return false;
	line->readable = rights.ptr[0] == 'r';
	line->writable = rights.ptr[1] == 'w';
	line->shared = rights.ptr[3] == 's';
	take_spaces(&s);
	if (!take_hex(&s, &line->offset))
		return false;
	for (int i = 0; i < 2; i++) { /* device, inode */
		take_spaces(&s);
		if (!take_word(&s, &word))
			return false;
	}
	line->path = str_trim(s);
	return true;
}

bool next_map(struct str *maps, struct map_line *line)
{
	while (maps->len)
		if (parse_line(str_split(*maps, '\n', maps), line))
			return true;
	return false;
}
