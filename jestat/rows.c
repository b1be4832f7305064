/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line a reading: aligned for people, with the header again on each
 * screenful of a terminal, or as CSV, with the header once.
 */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "jestat/print.h"
#include "libjeheap/base/number.h"

enum shape { SIZE, SHARE, RATE, SIZE_RATE, COUNT };

static const struct column {
	const char *title; /* for people */
	const char *name;  /* in CSV */
	enum shape shape;
	size_t offset; /* in struct figures */
} columns[] = {
	{"allocated", "allocated", SIZE, offsetof(struct figures, allocated)},
	{"active", "active", SIZE, offsetof(struct figures, active)},
	{"resident", "resident", SIZE, offsetof(struct figures, resident)},
	{"RSS", "rss", SIZE, offsetof(struct figures, rss)},
	{"dirty", "dirty", SIZE, offsetof(struct figures, dirty)},
	{"metadata", "metadata", SIZE, offsetof(struct figures, metadata)},
	{"frag", "fragmentation", SHARE,
	 offsetof(struct figures, fragmentation)},
	{"mallocs/s", "mallocs_per_second", RATE,
	 offsetof(struct figures, mallocs_per_second)},
	{"bytes/s", "bytes_per_second", SIZE_RATE,
	 offsetof(struct figures, bytes_per_second)},
	{"threads", "threads", COUNT, offsetof(struct figures, threads)},
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(*columns))

static const int widths[] = {
	[SIZE] = 10, [SHARE] = 6, [RATE] = 10, [SIZE_RATE] = 10, [COUNT] = 8};
#define PLAIN_BYTES_WIDTH 14

static double figure(const struct figures *figures, const struct column *c)
{
	double value;

	memcpy(&value, (const char *)figures + c->offset, sizeof(value));
	return value;
}

static int width_of(const struct column *column,
		    const struct print_options *options)
{
	int width = widths[column->shape];

	if (options->bytes &&
	    (column->shape == SIZE || column->shape == SIZE_RATE))
		width = PLAIN_BYTES_WIDTH;
	if (width <= (int)strlen(column->title))
		width = (int)strlen(column->title) + 1;
	return width;
}

char *print_size(char *buffer, const struct print_options *options,
		 double bytes)
{
	return options->bytes ? format_count(buffer, bytes)
			      : format_bytes(buffer, bytes);
}

static char *format_figure(char *buffer, const struct column *column,
			   const struct print_options *options, double value)
{
	switch (column->shape) {
	case SHARE:
		return format_percent(buffer, value, 1);
	case RATE:
		return options->bytes ? format_count(buffer, value)
				      : format_count_short(buffer, value);
	case COUNT:
		return format_count(buffer, value);
	default:
		return print_size(buffer, options, value);
	}
}

char *format_utc(char *buffer, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(buffer, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buffer + n, 32 - n, ".%03uZ",
		 (unsigned)(time_ns / 1000000 % 1000));
	return buffer;
}

static char *local_time(char *buffer, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(buffer, 32, "%H:%M:%S", &tm);
	return buffer;
}

/* Lines of a terminal, less the header; 0: not one. */
static unsigned screen_rows(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_row > 2 ? size.ws_row - 2u : 1;
}

static bool wants_colour(void)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) &&
	       terminal && strcmp(terminal, "dumb") != 0;
}

static void print_header(const struct print_options *options)
{
	bool colour = wants_colour();
	size_t i;

	if (colour)
		fputs("\033[1m", stdout);
	if (options->timestamp)
		printf("%-8s ", "time");
	for (i = 0; i < COLUMN_COUNT; i++)
		printf("%*s", width_of(&columns[i], options), columns[i].title);
	puts(colour ? "\033[0m" : "");
}

static void print_row(const struct reading *now, const struct figures *figures,
		      const struct print_options *options)
{
	char buffer[NUMBER_BYTES];
	size_t i;

	if (options->timestamp)
		printf("%s ", local_time(buffer, now->time_ns));
	for (i = 0; i < COLUMN_COUNT; i++)
		printf("%*s", width_of(&columns[i], options),
		       format_figure(buffer, &columns[i], options,
				     figure(figures, &columns[i])));
	putchar('\n');
}

static void print_csv_row(const struct reading *now,
			  const struct figures *figures, bool header)
{
	char buffer[NUMBER_BYTES];
	size_t i;

	if (header) {
		fputs("time,pid", stdout);
		for (i = 0; i < COLUMN_COUNT; i++)
			printf(",%s", columns[i].name);
		putchar('\n');
	}
	printf("%s,%d", format_utc(buffer, now->time_ns), now->pid);
	for (i = 0; i < COLUMN_COUNT; i++) {
		double value = figure(figures, &columns[i]);

		if (value != value)
			putchar(',');
		else if (columns[i].shape == SHARE)
			printf(",%.6f", value);
		else
			printf(",%.0f", value);
	}
	putchar('\n');
}

static void print_tables(const struct reading *now,
			 const struct reading *before,
			 const struct print_options *options)
{
	char buffer[32];

	if (options->timestamp && !options->csv)
		puts(local_time(buffer, now->time_ns));
	if (options->bins)
		print_bins(now, before, options);
	if (options->bins && options->arenas)
		putchar('\n');
	if (options->arenas)
		print_arenas(now, options);
	if ((options->bins || options->arenas) && options->histograms)
		putchar('\n');
	if (options->histograms)
		print_histograms(now, options);
}

void print_reading(const struct reading *now, const struct reading *before,
		   const struct print_options *options, uint64_t number)
{
	unsigned screen = screen_rows();
	struct figures figures;

	if (options->json) {
		print_json_reading(now, before, options);
		return;
	}
	if (options->bins || options->arenas || options->histograms) {
		if (number)
			putchar('\n');
		print_tables(now, before, options);
		return;
	}
	figures = reading_figures(now, before);
	if (options->csv) {
		print_csv_row(now, &figures, number == 0);
		return;
	}
	if (number == 0 || (screen && number % screen == 0))
		print_header(options);
	print_row(now, &figures, options);
}
