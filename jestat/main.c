/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jestat: what the allocator of a running process is doing. The command line;
 * it alone ends the process.
 */
#include "config.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "jestat/list.h"
#include "jestat/set.h"
#include "jestat/watch.h"
#include "libjeheap/base/number.h"
#include "libjeheap/base/options.h"

#define REFUSED 1
#define TROUBLE 2
#define LONGEST_INTERVAL 1e9 /* seconds */

static struct print_options print;
static bool help, version;
static double wait_seconds = 2;
static bool refused; /* the process's own "no" */

static const struct option_row rows[] = {
	{.kind = OPTION_HEADING, .help = "What is shown:"},
	{OPTION_FLAG, "bins", &print.bins, 0, NULL,
	 "a table of the size classes", 0},
	{OPTION_FLAG, "arenas", &print.arenas, 0, NULL, "a table of the arenas",
	 0},
	{OPTION_FLAG, "histograms", &print.histograms, 0, NULL,
	 "times and sizes of slow calls, lifetimes of samples", 0},
	{OPTION_FLAG, "timestamp", &print.timestamp, 0, NULL,
	 "the time of day in front", 't'},

	{.kind = OPTION_HEADING, .help = "How:"},
	{OPTION_FLAG, "json", &print.json, 0, NULL,
	 "an object a line, with all metrics of the process", 0},
	{OPTION_FLAG, "csv", &print.csv, 0, NULL,
	 "comma-separated values, sizes in bytes", 0},
	{OPTION_FLAG, "bytes", &print.bytes, 0, NULL,
	 "plain bytes rather than KiB, MiB, GiB", 'b'},

	{.kind = OPTION_HEADING, .help = "With set:"},
	{OPTION_DOUBLE, "wait", &wait_seconds, 0, "SECONDS",
	 "how long the process may take to answer (default 2)", 0},

	{.kind = OPTION_HEADING, .help = "General:"},
	{OPTION_FLAG, "help", &help, 0, NULL, "print this and exit", 'h'},
	{OPTION_FLAG, "version", &version, 0, NULL,
	 "print the version and exit", 'V'},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void print_help(void)
{
	puts("Usage: jestat [options] PID [INTERVAL [COUNT]]\n"
	     "       jestat [options] ps\n"
	     "       jestat [options] set PID NAME[=VALUE]\n"
	     "Shows what the allocator of a process on liballoc is doing: now, "
	     "or every\n"
	     "INTERVAL seconds, COUNT times or until the process ends; or "
	     "lists the processes\n"
	     "on liballoc; or has one that was started with "
	     "MALLOC_CONF=prof_control:true\n"
	     "set prof.active=true|false, prof.thread_active_init=true|false, "
	     "prof.gdump=\n"
	     "true|false or prof.lg_sample=N, or do prof.dump or purge.");
	options_help(rows, ROW_COUNT);
}

static bool parse_schedule(char **arguments, size_t count,
			   struct schedule *schedule, struct diag *diag)
{
	*schedule = (struct schedule){0, 0};
	if (count > 1 &&
	    (!parse_double(arguments[1], &schedule->interval_seconds) ||
	     schedule->interval_seconds < 1e-3 ||
	     schedule->interval_seconds > LONGEST_INTERVAL))
		return diag_set(diag,
				"interval '%s' is not a number of seconds from "
				"0.001 to 1e9; see --help",
				arguments[1]);
	if (count > 2 &&
	    (!parse_uint(arguments[2], &schedule->count) || !schedule->count))
		return diag_set(diag,
				"count '%s' is not a whole number from 1; see "
				"--help",
				arguments[2]);
	if (count > 3)
		return diag_set(diag,
				"'%s' is one argument too many; see "
				"--help",
				arguments[3]);
	return true;
}

static bool parse_pid(const char *text, int *pid, struct diag *diag)
{
	uint64_t value;

	if (!parse_uint(text, &value) || !value || value > INT32_MAX)
		return diag_set(diag,
				"'%s' is not a process; 'jestat ps' lists "
				"those on liballoc",
				text);
	*pid = (int)value;
	return true;
}

static bool list(char **arguments, size_t count, struct diag *diag)
{
	if (count > 1)
		return diag_set(diag,
				"'%s' is one argument too many: ps takes "
				"none; see --help",
				arguments[1]);
	if (print.bins || print.arenas || print.histograms || print.timestamp)
		return diag_set(diag, "--bins, --arenas, --histograms and "
				      "--timestamp need a process, not ps");
	print_processes(&print);
	return true;
}

static bool set(char **arguments, size_t count, struct diag *diag)
{
	int pid;

	if (count != 3)
		return diag_set(diag, "set takes a process and one thing to "
				      "set: jestat set PID NAME[=VALUE]; see "
				      "--help");
	if (!(wait_seconds >= 0 && wait_seconds <= LONGEST_INTERVAL))
		return diag_set(diag, "--wait takes 0 to 1e9 seconds");
	return parse_pid(arguments[1], &pid, diag) &&
	       set_in_process(pid, arguments[2], wait_seconds, &refused, diag);
}

static bool run(char **arguments, size_t count, struct diag *diag)
{
	struct schedule schedule;
	int pid = 0;

	if (!count)
		return diag_set(diag, "a process is needed: jestat PID "
				      "[INTERVAL [COUNT]]; 'jestat ps' lists "
				      "those on liballoc");
	if (print.json && print.csv)
		return diag_set(diag, "--json and --csv do not go together");
	if (print.csv && print.bins + print.arenas + print.histograms > 1)
		return diag_set(diag, "--csv prints one table: --bins, "
				      "--arenas or --histograms, not several");
	if (!strcmp(arguments[0], "ps"))
		return list(arguments, count, diag);
	if (!strcmp(arguments[0], "set"))
		return set(arguments, count, diag);
	return parse_pid(arguments[0], &pid, diag) &&
	       parse_schedule(arguments, count, &schedule, diag) &&
	       watch_process(pid, &schedule, &print, diag);
}

int main(int argc, char **argv)
{
	struct diag diag = {0};
	char **arguments;
	size_t count;
	bool good;

	setlocale(LC_CTYPE, "");
	/* A reader that went away is told like any output that fails. */
	signal(SIGPIPE, SIG_IGN);
	good = options_parse(rows, ROW_COUNT, argc, argv, &arguments, &count,
			     &diag);
	if (good && help)
		print_help();
	else if (good && version)
		puts("jestat (" PACKAGE_NAME ") " PACKAGE_VERSION);
	else if (good)
		good = run(arguments, count, &diag);
	if (good && (fflush(stdout) != 0 || ferror(stdout)))
		good = diag_errno(&diag, "cannot write standard output");
	if (!good)
		diag_print("jestat", &diag);
	if (good)
		return 0;
	return refused ? REFUSED : TROUBLE;
}
