/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells a profile's format from its first bytes, and hands it to that
 * format's reader. Knows what other files look like, to say so.
 */
#include "config.h"

#include "libjeheap/profile/read.h"

#include "libjeheap/base/file.h"

struct format {
	const char *start; /* of the first line that does not begin with % */
	struct profile *(*read)(struct str content, const char *name,
				struct diag *diag);
	const char *refusal; /* where there is no reader */
};

static const struct format formats[] = {
	{"heap_v2/", read_heap_text, NULL},
	{"heap profile:", read_heap_text, NULL},
	{"--- symbol", read_symbolized, NULL},
	{"---symbol", read_symbolized, NULL},
	{"--- contention", NULL,
	 "is a profile of lock contention, not of a heap"},
	{"--- Stacks:", NULL, "is a profile of lock contention, not of a heap"},
	{"--- profile", NULL, "is a profile of CPU time, not of a heap"},
	{"\177ELF", NULL,
	 "is a program, or a core file that comes by a pipe, or is of another "
	 "kind of machine; name a dump, a core file by its path, or the pid of "
	 "a process"},
	{"{", NULL,
	 "looks like JSON, for example prof_log or prof_recent: these tell of "
	 "single allocations, and are no profile; take a dump (mallctl "
	 "prof.dump)"},
};

static struct str skip_percent_lines(struct str content)
{
	while (content.len && *content.ptr == '%')
		str_split(content, '\n', &content);
	return content;
}

/*
 * profile.proto has no magic. Its first byte is the tag of one of its 15
 * fields, and control characters follow soon, which no text has.
 */
static bool may_be_pprof(struct str content)
{
	unsigned tag = content.len ? (unsigned char)*content.ptr : 0;
	size_t i;

	if (tag >> 3 < 1 || tag >> 3 > 15 || ((tag & 7) != 0 && (tag & 7) != 2))
		return false;
	for (i = 1; i < content.len && i < 64; i++) {
		unsigned char byte = (unsigned char)content.ptr[i];

		if (byte < ' ' && byte != '\n' && byte != '\r' && byte != '\t')
			return true;
	}
	return false;
}

static const struct format pprof_format = {NULL, read_pprof, NULL};

/* NULL, and diag, where it is no profile. */
static const struct format *find_format(struct str content, const char *name,
					struct diag *diag)
{
	struct str head = skip_percent_lines(content);
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (!str_starts_with(head, str_of(formats[i].start)))
			continue;
		if (formats[i].read)
			return &formats[i];
		diag_set(diag, "%s: %s", name, formats[i].refusal);
		return NULL;
	}
	if (may_be_pprof(content))
		return &pprof_format;
	diag_set(diag,
		 "%s: is no heap profile: it does not begin with heap_v2/, "
		 "\"heap profile:\" or \"--- symbol\", and is no profile.proto",
		 name);
	return NULL;
}

bool profile_may_begin_so(struct str start, const char *name, struct diag *diag)
{
	return !skip_percent_lines(start).len ||
	       find_format(start, name, diag) != NULL;
}

static struct profile *parse_plain(struct str content, const char *name,
				   struct diag *diag)
{
	const struct format *format;

	if (!skip_percent_lines(content).len) {
		diag_set(diag,
			 "%s: is empty: no dump was written, or its writer was "
			 "killed; take another",
			 name);
		return NULL;
	}
	format = find_format(content, name, diag);
	return format ? format->read(content, name, diag) : NULL;
}

struct profile *profile_parse(struct str content, const char *name,
			      struct diag *diag)
{
	struct arena unpacked = {0};
	struct profile *profile = NULL;

	if (file_unpack(&unpacked, content, name, FILE_MAX_BYTES, &content,
			diag))
		profile = parse_plain(content, name, diag);
	arena_free(&unpacked);
	return profile;
}
