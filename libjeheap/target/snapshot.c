/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the snapshot of its figures that a process exports as a memfd. To look
 * at descriptors takes the right to read a process (PTRACE_MODE_READ), which
 * Yama leaves to its user, and not the one to attach to it, which memory does.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libjeheap/base/cursor.h"
#include "libjeheap/target/proc.h"
#include "libjeheap/target/target.h"

/* As the kernel names the link of a memfd (proc_pid_fd(5)). */
#define LINK_START "/memfd:" LEDGER_EXPORT_NAME

/*
 * Is it the process's own? In the child of a fork there may be the parent's.
 * The pid in it is the one that the process sees: the innermost.
 */
static bool is_of(const struct ledger_header *header, int inner_pid)
{
	return header->magic == LEDGER_MAGIC && header->pid == inner_pid &&
	       header->flags & LEDGER_SNAPSHOT;
}

/* It may be any file: one that a read would wait for is no snapshot. */
static int open_snapshot(const char *path, int inner_pid)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct ledger_header header;
	struct stat file;

	if (fd < 0)
		return -1;
	if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
	    pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
	    is_of(&header, inner_pid))
		return fd;
	close(fd);
	return -1;
}

static double weigh(struct target *target, int fd)
{
	double bytes;

	target->snapshot_fd = fd;
	bytes = target_weigh_ledger(target);
	target->snapshot_fd = -1;
	return bytes;
}

/* Of two copies of liballoc in one process, the one that is used. */
static int better(struct target *target, int a, int b)
{
	int worse;

	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	worse = weigh(target, a) < weigh(target, b) ? a : b;
	close(worse);
	return worse == a ? b : a;
}

static bool is_link(const char *path)
{
	char text[128];
	ssize_t n = readlink(path, text, sizeof(text));

	return n >= 0 &&
	       str_starts_with((struct str){text, (size_t)n}, STR(LINK_START));
}

bool target_find_snapshot(struct target *target)
{
	int inner_pid = target_inner_pid(target->pid);
	struct dirent *entry;
	char path[64];
	DIR *folder;
	int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/fd", target->pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%.20s", target->pid,
			 entry->d_name);
		if (is_link(path))
			fd = better(target, fd, open_snapshot(path, inner_pid));
	}
	if (folder)
		closedir(folder);
	target->snapshot_fd = fd;
	return fd >= 0;
}
