/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an argument of a command stands for: a dump, standard input, a process,
 * or a core file.
 */
#include "config.h"

#include "libjeheap/profile/read.h"

#include <limits.h>
#include <unistd.h>

#include "libjeheap/base/cursor.h"
#include "libjeheap/base/file.h"
#include "libjeheap/target/target.h"

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

/* A process or a core file, which are read alike; else false. */
static bool is_memory(const char *input, bool at_peak, struct profile **profile,
		      struct diag *diag)
{
	int pid;

	if (strcmp(input, "-") == 0)
		return false;
	if (input_is_pid(input, &pid)) {
		*profile = read_process(pid, at_peak, diag);
		return true;
	}
	if (!core_is_one(input))
		return false;
	*profile = read_core(input, at_peak, diag);
	return true;
}

struct profile *profile_read(const char *input, struct diag *diag)
{
	struct arena arena = {0};
	struct profile *profile = NULL;
	struct str content;

	if (is_memory(input, false, &profile, diag))
		return profile;
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
	struct profile *profile = NULL;

	if (is_memory(input, true, &profile, diag))
		return profile;
	diag_set(
		diag,
		"%s is no process or core file, whose peak could be asked for; a dump by "
		"prof.dump_peak or prof_peak_final is of the peak without that",
		input);
	return NULL;
}
