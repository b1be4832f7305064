/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of processes on liballoc. A process that ends, or cannot be read,
 * while the list is made is left out.
 */
#include "config.h"

#include "jestat/list.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "libjeheap/base/json.h"
#include "libjeheap/base/number.h"
#include "libjeheap/base/table.h"

#define COLUMNS 8

static const char *const titles[COLUMNS] = {
	"pid", "user", "RSS", "allocated", "frag", "threads", "up", "command"};
static const char *const csv_names[COLUMNS] = {"pid",
					       "user",
					       "rss",
					       "allocated",
					       "fragmentation",
					       "threads",
					       "elapsed_seconds",
					       "command"};

static bool read_process_figures(int pid, struct reading *reading)
{
	struct target target;
	struct diag diag = {0};
	bool good;

	if (!target_open(&target, pid, &diag))
		return false;
	good = target_find_ledger(&target, &diag) &&
	       reading_take(reading, &target, &diag);
	target_close(&target);
	return good;
}

/* The user's name, or the number where it has none. */
static const char *user_name(unsigned uid, char *buffer)
{
	struct passwd *user = getpwuid(uid);

	if (user)
		return user->pw_name;
	snprintf(buffer, NUMBER_BYTES, "%u", uid);
	return buffer;
}

static void add_row(struct table *table, const struct reading *r,
		    const struct print_options *options)
{
	struct figures f = reading_figures(r, NULL);
	char b[NUMBER_BYTES];

	table_cellf(table, "%d", r->pid);
	table_cellf(table, "%s", user_name(r->info.uid, b));
	if (options->csv) {
		table_cellf(table, "%.0f", f.rss);
		table_cellf(table, "%.0f", f.allocated);
		table_cellf(table, "%.6f", f.fragmentation);
		table_cellf(table, "%.0f", f.threads);
		table_cellf(table, "%.3f", f.elapsed_seconds);
	} else {
		table_cellf(table, "%s", print_size(b, options, f.rss));
		table_cellf(table, "%s", print_size(b, options, f.allocated));
		table_cellf(table, "%s", format_percent(b, f.fragmentation, 1));
		table_cellf(table, "%.0f", f.threads);
		table_cellf(
			table, "%s",
			format_duration_ns(
				b, f.elapsed_seconds > 0
					   ? (uint64_t)(f.elapsed_seconds * 1e9)
					   : 0));
	}
	table_cell(table, str_of(r->info.command));
}

static void write_json(const struct reading *r)
{
	struct json json = {.stream = stdout};
	struct figures f = reading_figures(r, NULL);
	char b[NUMBER_BYTES], time[32];

	json_object(&json, NULL);
	json_string(&json, "time", str_of(format_utc(time, r->time_ns)));
	json_int(&json, "pid", r->pid);
	json_string(&json, "user", str_of(user_name(r->info.uid, b)));
	json_double(&json, "rss", f.rss);
	json_double(&json, "allocated", f.allocated);
	json_double(&json, "fragmentation", f.fragmentation);
	json_double(&json, "threads", f.threads);
	json_double(&json, "elapsed_seconds", f.elapsed_seconds);
	json_string(&json, "command", str_of(r->info.command));
	json_end_object(&json);
}

void print_processes(const struct print_options *options)
{
	static const bool left[COLUMNS] = {[1] = true, [COLUMNS - 1] = true};
	struct arena arena = {NULL, NULL, NULL};
	struct table table = {
		.arena = &arena, .columns = COLUMNS, .left = left};
	struct reading reading = {.time_ns = 0};
	size_t hidden, count, i;
	int *pids;

	count = target_list(&arena, &pids, &hidden);
	for (i = 0; i < COLUMNS; i++)
		table_cell(&table,
			   str_of(options->csv ? csv_names[i] : titles[i]));
	for (i = 0; i < count; i++) {
		if (!read_process_figures(pids[i], &reading))
			continue;
		if (options->json)
			write_json(&reading);
		else
			add_row(&table, &reading, options);
	}
	if (options->csv)
		table_print_csv(&table, stdout);
	else if (!options->json)
		table_print(&table, stdout);
	if (hidden)
		warn("jestat", "%zu process%s could not be looked at%s", hidden,
		     hidden == 1 ? "" : "es",
		     geteuid() ? "; root sees those of all users" : "");
	reading_free(&reading);
	arena_free(&arena);
}
