/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc says of processes: facts of one, and which run on liballoc.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libjeheap/base/cursor.h"
#include "libjeheap/base/number.h"
#include "libjeheap/target/core.h"
#include "libjeheap/target/proc.h"
#include "libjeheap/target/target.h"

/* Field 22 of proc_pid_stat(5), counted behind the name's ")". */
static uint64_t start_ticks(struct str stat)
{
	uint64_t value = 0;
	struct str word;
	size_t end = stat.len;

	while (end && stat.ptr[end - 1] != ')')
		end--;
	stat.ptr += end;
	stat.len -= end;
	for (int field = 3; field <= 22; field++) {
		take_spaces(&stat);
		if (field == 22)
			take_decimal(&stat, &value);
		else if (!take_word(&stat, &word))
			return 0;
	}
	return value;
}

/* A line "NAME: value ..." of proc_pid_status(5); empty: it is not there. */
static struct str status_field(struct str status, const char *name)
{
	while (status.len) {
		struct str line = str_split(status, '\n', &status);

		if (take_literal(&line, name) && take_char(&line, ':'))
			return str_trim(line);
	}
	return (struct str){0};
}

static uint64_t status_number(struct str status, const char *name)
{
	struct str field = status_field(status, name);
	uint64_t value = 0;

	take_decimal(&field, &value);
	return value;
}

int target_inner_pid(int pid)
{
	struct arena arena = {0};
	struct str status, pids;
	uint64_t inner = 0, next;

	if (proc_read(&arena, pid, "status", &status)) {
		pids = status_field(status, "NSpid");
		while (take_spaces(&pids), take_decimal(&pids, &next))
			inner = next;
	}
	arena_free(&arena);
	return inner && inner <= INT32_MAX ? (int)inner : pid;
}

static void copy_command(struct process_info *info, struct str name)
{
	size_t len = name.len < sizeof(info->command) - 1
			     ? name.len
			     : sizeof(info->command) - 1;

	if (len)
		memcpy(info->command, name.ptr, len);
	mask_text(info->command, len);
}

bool process_info(int pid, struct process_info *info)
{
	struct arena arena = {0};
	struct str stat, status, uids;
	bool good;

	memset(info, 0, sizeof(*info));
	good = proc_read(&arena, pid, "status", &status) &&
	       proc_read(&arena, pid, "stat", &stat);
	if (good) {
		uint64_t uid = 0;
		struct str real;

		copy_command(info, status_field(status, "Name"));
		info->rss_bytes = status_number(status, "VmRSS") << 10;
		info->swap_bytes = status_number(status, "VmSwap") << 10;
		info->threads = (unsigned)status_number(status, "Threads");
		info->start_time_ticks = start_ticks(stat);
		/* Real, then effective: who may read it is the latter. */
		uids = status_field(status, "Uid");
		take_word(&uids, &real);
		take_spaces(&uids);
		take_decimal(&uids, &uid);
		info->uid = (unsigned)uid;
	}
	arena_free(&arena);
	return good;
}

struct str target_command_line(const struct target *target, struct arena *arena)
{
	struct str content;
	char *text;

	if (target->core)
		return str_copy(arena, target->core->command);
	if (!proc_read(arena, target->pid, "cmdline", &content))
		return (struct str){0};
	text = arena_copy(arena, content.ptr, content.len);
	while (content.len && text[content.len - 1] == '\0')
		content.len--;
	for (size_t i = 0; i < content.len; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	mask_text(text, content.len);
	return (struct str){text, content.len};
}

static int compare_pids(const void *pa, const void *pb)
{
	int a = *(const int *)pa, b = *(const int *)pb;

	return (a > b) - (a < b);
}

/* Has it memory that this user may not see? Kernel threads have none. */
static bool is_hidden(int pid)
{
	struct process_info info;

	return process_info(pid, &info) && info.rss_bytes > 0;
}

size_t target_list(struct arena *arena, int **pids, size_t *hidden)
{
	DIR *proc = opendir("/proc");
	size_t count = 0, capacity = 0;
	struct dirent *entry;

	*pids = NULL;
	*hidden = 0;
	while (proc && (entry = readdir(proc))) {
		struct diag diag = {0};
		struct target target;
		uint64_t pid;

		if (!parse_uint(entry->d_name, &pid) || pid > INT32_MAX)
			continue;
		if (!target_open(&target, (int)pid, &diag)) {
			*hidden += is_hidden((int)pid);
			continue;
		}
		if (target_find_ledger(&target, &diag))
			*ARENA_PUSH(arena, *pids, count, capacity) = (int)pid;
		else if (!target_probe(&target, &diag))
			*hidden += is_hidden((int)pid);
		target_close(&target);
	}
	if (proc)
		closedir(proc);
	if (count)
		qsort(*pids, count, sizeof(**pids), compare_pids);
	return count;
}
