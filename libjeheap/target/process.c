/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens a process and reads its memory. Says why it cannot, and what would
 * help; attaches to nothing.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libjeheap/base/cursor.h"
#include "libjeheap/target/core.h"
#include "libjeheap/target/maps.h"
#include "libjeheap/target/proc.h"
#include "libjeheap/target/target.h"

/* A process cannot have mappings without end; 256 MiB is 2 million lines. */
#define PROC_FILE_MAX_BYTES ((size_t)256 << 20)

bool proc_read(struct arena *arena, int pid, const char *file,
	       struct str *content)
{
	struct text text = {.arena = arena};
	char path[64], buffer[16384];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (text.len < PROC_FILE_MAX_BYTES) {
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		text_add(&text, (struct str){buffer, (size_t)n});
	}
	close(fd);
	*content = text_str(&text);
	return n == 0;
}

/* Of kernel.yama.ptrace_scope; 0 where there is no Yama. */
static int yama_scope(void)
{
	char digit = '0';
	int fd = open("/proc/sys/kernel/yama/ptrace_scope",
		      O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, &digit, 1) != 1)
		digit = '0';
	close(fd);
	return digit - '0';
}

/*
 * The name and the state in the text of /proc/PID/stat. The name may hold
 * parentheses: its end is the last one.
 */
static bool parse_stat(struct str stat, struct str *name, char *state)
{
	size_t open_at = str_find(stat, STR("("));
	struct str rest = stat;

	while (rest.len && rest.ptr[rest.len - 1] != ')')
		rest.len--;
	if (open_at >= rest.len || rest.len + 2 >= stat.len)
		return false;
	*state = stat.ptr[rest.len + 1];
	*name = (struct str){stat.ptr + open_at + 1, rest.len - open_at - 2};
	return true;
}

/* The kernel refuses a process that is just ending as it would any other. */
static bool has_ended(const struct target *target)
{
	struct arena scratch = {0};
	struct str stat, name, maps;
	char state = 'X';
	bool ended;

	if (proc_read(&scratch, target->pid, "stat", &stat))
		parse_stat(stat, &name, &state);
	ended = state == 'Z' || state == 'X' ||
		(proc_read(&scratch, target->pid, "maps", &maps) && !maps.len);
	arena_free(&scratch);
	return ended;
}

bool fail_permission(const struct target *target, struct diag *diag)
{
	struct process_info info;
	const char *name = target->name;
	int scope = yama_scope();

	if (has_ended(target))
		return diag_set(diag, "%s has ended", name);
	if (geteuid() == 0)
		return diag_set(diag,
				"cannot read the memory of %s: not permitted "
				"even to root; in a container, allow it "
				"CAP_SYS_PTRACE",
				name);
	if (process_info(target->pid, &info) && info.uid != geteuid())
		return diag_set(diag,
				"cannot read the memory of %s: it belongs to "
				"user %u; run as that user or as root",
				name, info.uid);
	if (scope > 0)
		return diag_set(diag,
				"cannot read the memory of %s: not permitted "
				"while kernel.yama.ptrace_scope is %d; run as "
				"root, or set it to 0",
				name, scope);
	return diag_set(diag,
			"cannot read the memory of %s: not permitted, as it "
			"runs with privileges or forbids dumps; run as root",
			name);
}

static bool fail_proc(const struct target *target, int error, struct diag *diag)
{
	if (error == EACCES || error == EPERM)
		return fail_permission(target, diag);
	if (error == ENOENT || error == ESRCH)
		return diag_set(diag, "%s is gone: no such process",
				target->name);
	errno = error;
	return diag_errno(diag, "cannot look at %s", target->name);
}

bool target_is_stopped(const struct target *target)
{
	struct arena scratch = {0};
	struct str stat, name;
	char state = 0;

	if (target->core)
		return true;
	if (proc_read(&scratch, target->pid, "stat", &stat))
		parse_stat(stat, &name, &state);
	arena_free(&scratch);
	return state == 'T' || state == 't';
}

static bool identify(struct target *target, char *state, struct diag *diag)
{
	char command[20] = "";
	struct str stat, name;

	if (!proc_read(&target->arena, target->pid, "stat", &stat))
		return fail_proc(target, errno, diag);
	if (!parse_stat(stat, &name, state))
		return diag_set(diag, "cannot understand /proc/%d/stat",
				target->pid);
	snprintf(command, sizeof(command), "%.*s", STR_ARG(name));
	mask_text(command, strlen(command));
	snprintf(target->name, sizeof(target->name), "process %d (%s)",
		 target->pid, command);
	return true;
}

static bool open_checked(struct target *target, struct diag *diag)
{
	char state = 0;

	if (!identify(target, &state, diag))
		return false;
	if (state == 'Z' || state == 'X')
		return diag_set(diag,
				"%s has ended, and only waits for its parent: "
				"it has no memory to read",
				target->name);
	if (!proc_read(&target->arena, target->pid, "maps", &target->maps))
		return fail_proc(target, errno, diag);
	if (!target->maps.len)
		return diag_set(diag,
				"%s has no memory of its own: it is a kernel "
				"thread, or just ending",
				target->name);
	return true;
}

bool target_open(struct target *target, int pid, struct diag *diag)
{
	*target =
		(struct target){.pid = pid, .memory_fd = -1, .snapshot_fd = -1};
	snprintf(target->name, sizeof(target->name), "process %d", pid);
	if (pid <= 0)
		return diag_set(diag, "%d is no process id", pid);
	if (open_checked(target, diag))
		return true;
	target_close(target);
	return false;
}

bool target_open_core(struct target *target, const char *path,
		      struct diag *diag)
{
	size_t length;

	*target = (struct target){.memory_fd = -1, .snapshot_fd = -1};
	snprintf(target->name, sizeof(target->name), "core file %s", path);
	target->core = core_open(path, target->name, &target->arena, diag);
	if (!target->core) {
		target_close(target);
		return false;
	}
	length = strlen(target->name);
	if (target->core->program[0])
		snprintf(target->name + length, sizeof(target->name) - length,
			 " (%s)", target->core->program);
	target->pid = target->core->pid;
	target->maps = target->core->maps;
	return true;
}

void target_close(struct target *target)
{
	if (target->core)
		core_close(target->core);
	target->core = NULL;
	if (target->memory_fd >= 0)
		close(target->memory_fd);
	if (target->snapshot_fd >= 0)
		close(target->snapshot_fd);
	target->memory_fd = target->snapshot_fd = -1;
	arena_free(&target->arena);
}

/* Partial transfers go on; an error of 0 stands for "unmapped". */
static bool read_vm(int pid, uint64_t address, void *buffer, size_t size)
{
	char *to = buffer;

	while (size) {
		struct iovec here = {to, size};
		struct iovec there = {(void *)(uintptr_t)address, size};
		ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);

		if (n <= 0)
			return false;
		to += n;
		address += (uint64_t)n;
		size -= (size_t)n;
	}
	return true;
}

static bool read_mem(int fd, uint64_t address, void *buffer, size_t size)
{
	char *to = buffer;

	while (size) {
		ssize_t n = pread(fd, to, size, (off_t)address);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		address += (uint64_t)n;
		size -= (size_t)n;
	}
	return true;
}

/* Where process_vm_readv is filtered away, as by seccomp, the file may work. */
static bool open_memory(struct target *target)
{
	char path[64];

	if (target->memory_fd >= 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/mem", target->pid);
	target->memory_fd = open(path, O_RDONLY | O_CLOEXEC);
	return target->memory_fd >= 0;
}

bool target_read(struct target *target, uint64_t address, void *buffer,
		 size_t size, struct diag *diag)
{
	int error;

	if (address > INT64_MAX || size > INT64_MAX - address)
		return diag_set(diag, "%s: address 0x%llx is out of range",
				target->name, (unsigned long long)address);
	if (target->core)
		return core_read(target->core, target->name, address, buffer,
				 size, diag);
	if (read_vm(target->pid, address, buffer, size))
		return true;
	error = errno;
	if (error != ESRCH && open_memory(target) &&
	    read_mem(target->memory_fd, address, buffer, size))
		return true;
	if (error == ESRCH)
		return diag_set(diag, "%s is gone: it ended while being read",
				target->name);
	if (error == EPERM || error == EACCES)
		return fail_permission(target, diag);
	errno = error;
	return diag_errno(diag, "cannot read %zu bytes at 0x%llx of %s", size,
			  (unsigned long long)address, target->name);
}

bool target_probe(struct target *target, struct diag *diag)
{
	struct str maps = target->maps;
	struct map_line line;
	char byte;

	while (next_map(&maps, &line))
		if (line.readable)
			return target_read(target, line.start, &byte, 1, diag);
	return diag_set(diag, "%s has no memory that can be read",
			target->name);
}
