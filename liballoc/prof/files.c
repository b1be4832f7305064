/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <prefix>[.<pid namespace>].<pid>.<sequence>.<kind>[<sequence of the kind>]
 * .heap, as jemalloc has it. Owns the prefix, the sequences, and the list of
 * files that may be removed.
 */
#include "config.h"

#include "liballoc/prof/files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "liballoc/ctl/print.h"

static char prefix[OPTION_PATH_BYTES];
_Static_assert(sizeof(prefix) == sizeof(opt.prof_prefix), "copied whole");

static uint64_t sequence, log_sequence;
static uint64_t sequences[DUMP_KINDS];

/* In the file's name. Of an exit there is but one. */
static const char letters[DUMP_KINDS] = {
	[DUMP_TIGHT] = 't',    [DUMP_SIGNAL] = 's', [DUMP_ABOVE] = 'a',
	[DUMP_INTERVAL] = 'i', [DUMP_GDUMP] = 'u',  [DUMP_CALL] = 'm',
	[DUMP_PEAK] = 'p',     [DUMP_FINAL] = 'f',
};

/* What is made without being asked for each time, and may go again. */
static const bool goes[DUMP_KINDS] = {
	[DUMP_TIGHT] = true,
	[DUMP_ABOVE] = true,
	[DUMP_INTERVAL] = true,
	[DUMP_GDUMP] = true,
};

/* Which file it is: its number in all, and in its kind. */
struct file {
	uint64_t sequence, own;
};

/*
 * The newest files, the oldest of them at next once all rows are in use. What
 * each fork looks at lies apart from the rows, which hardly any process has.
 */
static struct file files[DUMP_KINDS][OPTION_DUMPS_KEPT_MAX]
	__attribute__((aligned(4096)));
static struct kept {
	unsigned count, next;
} kept[DUMP_KINDS];
static struct file last;

void files_boot(void)
{
	memcpy(prefix, opt.prof_prefix, sizeof(prefix));
}

bool files_have_no_name(void)
{
	return prefix[0] == '\0';
}

static void forget_kept(void)
{
	for (unsigned i = 0; i < DUMP_KINDS; i++)
		kept[i] = (struct kept){0, 0};
}

/* What was called otherwise stays. */
void files_set_prefix(const char *new_prefix)
{
	strcpy(prefix, new_prefix);
	forget_kept();
}

void files_postfork_child(void)
{
	forget_kept();
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

/* "<prefix>[.<pid namespace>].<pid>.<number>" */
static void begin(struct name *name, uint64_t number)
{
	add(name, prefix);
	if (opt.prof_pid_namespace) {
		add(name, ".");
		add_number(name, pid_namespace());
	}
	add(name, ".");
	add_number(name, (uint64_t)getpid());
	add(name, ".");
	add_number(name, number);
}

void files_log_name(char name[DUMP_NAME_BYTES])
{
	struct name to = {name, name + DUMP_NAME_BYTES - 1};

	begin(&to, log_sequence++);
	add(&to, ".json");
	*to.at = '\0';
}

static void compose(char name[DUMP_NAME_BYTES], enum dump_kind kind,
		    const struct file *file)
{
	const char dot_letter[] = {'.', letters[kind], '\0'};
	struct name to = {name, name + DUMP_NAME_BYTES - 1};

	begin(&to, file->sequence);
	add(&to, dot_letter);
	if (kind != DUMP_FINAL)
		add_number(&to, file->own);
	add(&to, ".heap");
	*to.at = '\0';
}

void files_name(char name[DUMP_NAME_BYTES], enum dump_kind kind)
{
	last = (struct file){sequence++, sequences[kind]++};
	compose(name, kind, &last);
}

void files_written(enum dump_kind kind)
{
	struct kept *ring = &kept[kind];
	char name[DUMP_NAME_BYTES];

	if (!opt.prof_dump_keep || !goes[kind])
		return;
	if (ring->count == opt.prof_dump_keep) {
		compose(name, kind, &files[kind][ring->next]);
		unlink(name);
	} else {
		ring->count++;
	}
	files[kind][ring->next] = last;
	ring->next = (ring->next + 1) % opt.prof_dump_keep;
}

/* Not strerror(), which may read a catalogue, and allocate. */
static const char *known_reason(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "permission denied";
	case ENOENT:
		return "no such directory";
	case ENOTDIR:
		return "a part of the path is not a directory";
	case EISDIR:
		return "it is a directory";
	case ENOSPC:
	case EDQUOT:
		return "no space left";
	case EROFS:
		return "read-only file system";
	case EFBIG:
		return "the file would be too large";
	case EMFILE:
	case ENFILE:
		return "too many open files";
	case ENAMETOOLONG:
		return "the name is too long";
	case ENOMEM:
		return "out of memory";
	case EPIPE:
	case ENXIO:
		return "nobody reads the pipe";
	default:
		return NULL;
	}
}

const char *files_reason(char text[FILES_REASON_BYTES], int error)
{
	const char *reason = known_reason(error);
	char number[PRINT_NUMBER_BYTES];

	if (reason)
		return reason;
	strcpy(text, "error ");
	return strcat(text, print_number(number, (uint64_t)error));
}
