/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <prefix>[.<pid namespace>].<pid>.<sequence>.<kind>[<sequence of the kind>]
 * .heap, as jemalloc has it. Owns the prefix and the sequences.
 */
#include "config.h"

#include "liballoc/prof/files.h"

#include <string.h>
#include <unistd.h>

#include "liballoc/ctl/print.h"

static char prefix[OPTION_PATH_BYTES];
_Static_assert(sizeof(prefix) == sizeof(opt.prof_prefix), "copied whole");

static uint64_t sequence;
static uint64_t sequences[DUMP_KINDS];

/* In the file's name. Of an exit there is but one. */
static const char letters[DUMP_KINDS] = {
	[DUMP_INTERVAL] = 'i', [DUMP_GDUMP] = 'u', [DUMP_CALL] = 'm',
	[DUMP_PEAK] = 'p',     [DUMP_FINAL] = 'f',
};

void files_boot(void)
{
	memcpy(prefix, opt.prof_prefix, sizeof(prefix));
}

bool files_have_no_name(void)
{
	return prefix[0] == '\0';
}

void files_set_prefix(const char *new_prefix)
{
	strcpy(prefix, new_prefix);
}

/* The number in "pid:[4026531836]", namespaces(7); 0 where there is no /proc */
static uint64_t pid_namespace(void)
{
	char link[64];
	ssize_t length = readlink("/proc/self/ns/pid", link, sizeof(link));
	uint64_t number = 0;

	for (ssize_t i = 0; i < length; i++)
		if (link[i] >= '0' && link[i] <= '9')
			number = number * 10 + (uint64_t)(link[i] - '0');
	return number;
}

/* Text that grows towards an end, and is cut there. */
struct name {
	char *at;
	const char *end; /* room for the NUL is behind it */
};

static void add(struct name *name, const char *text)
{
	while (*text && name->at < name->end)
		*name->at++ = *text++;
}

static void add_number(struct name *name, uint64_t value)
{
	char number[PRINT_NUMBER_BYTES];

	add(name, print_number(number, value));
}

void files_name(char name[DUMP_NAME_BYTES], enum dump_kind kind)
{
	const char dot_letter[] = {'.', letters[kind], '\0'};
	struct name to = {name, name + DUMP_NAME_BYTES - 1};

	add(&to, prefix);
	if (opt.prof_pid_namespace) {
		add(&to, ".");
		add_number(&to, pid_namespace());
	}
	add(&to, ".");
	add_number(&to, (uint64_t)getpid());
	add(&to, ".");
	add_number(&to, sequence++);
	add(&to, dot_letter);
	if (kind != DUMP_FINAL)
		add_number(&to, sequences[kind]++);
	add(&to, ".heap");
	*to.at = '\0';
}
