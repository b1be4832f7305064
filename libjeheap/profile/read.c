/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an argument of a command stands for: a file, standard input, or a
 * process.
 */
#include "config.h"

#include "libjeheap/profile/read.h"

#include <limits.h>
#include <unistd.h>

#include "libjeheap/base/cursor.h"
#include "libjeheap/base/file.h"

bool input_is_pid(const char *name, int *pid)
{
	struct str digits = str_of(name);
	uint64_t value;

	if (!take_decimal(&digits, &value) || digits.len || value == 0 ||
	    value > INT_MAX || access(name, F_OK) == 0)
		return false;
	*pid = (int)value;
	return true;
}

struct profile *profile_read(const char *input, struct diag *diag)
{
	struct arena arena = {0};
	struct profile *profile = NULL;
	struct str content;
	int pid;

	if (strcmp(input, "-") != 0 && input_is_pid(input, &pid))
		return read_process(pid, false, diag);
	if (file_read(&arena, input, profile_may_begin_so, &content, diag))
		profile = profile_parse(
			content,
			strcmp(input, "-") == 0 ? "standard input" : input,
			diag);
	arena_free(&arena);
	return profile;
}

struct profile *profile_read_peak(const char *input, struct diag *diag)
{
	int pid;

	if (strcmp(input, "-") != 0 && input_is_pid(input, &pid))
		return read_process(pid, true, diag);
	diag_set(
		diag,
		"%s is no process, whose peak could be asked for; a dump by "
		"prof.dump_peak or prof_peak_final is of the peak without that",
		input);
	return NULL;
}
