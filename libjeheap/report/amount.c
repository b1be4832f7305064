/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quantities, totals, titles and times as all reports word them.
 */
#include "config.h"

#include "libjeheap/report/amount.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

bool is_space(enum sample_type type)
{
	return type == ALLOC_SPACE || type == INUSE_SPACE;
}

char *format_amount(char *buffer, const struct report_options *options,
		    double amount)
{
	/* No "-0". */
	double rounded = round(amount) == 0 ? 0 : round(amount);

	if (is_space(options->type) && !options->show_bytes)
		return format_bytes(buffer, rounded);
	snprintf(buffer, NUMBER_BYTES, "%.0f", rounded);
	return buffer;
}

double report_whole(const struct profile *profile,
		    const struct report_options *options)
{
	if (options->whole)
		return options->whole[options->type].total;
	return profile_total(profile, options->type).total;
}

double report_samples(const struct profile *profile, enum sample_type type)
{
	bool alloc = type == ALLOC_OBJECTS || type == ALLOC_SPACE;
	double sum = 0;

	for (size_t i = 0; i < profile->sample_count; i++)
		sum += alloc ? profile->samples[i].alloc_samples
			     : profile->samples[i].inuse_samples;
	return sum;
}

const char *report_title(const struct profile *profile,
			 const struct report_options *options,
			 struct arena *arena)
{
	const char *text = options->title;
	char *title = text ? arena_strdup(arena, text)
			   : str_cstring(arena, profile->source);

	mask_text(title, strlen(title));
	return title;
}

char *format_time(char *buffer, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000u);
	struct tm tm;

	*buffer = '\0';
	if (time_ns && gmtime_r(&seconds, &tm))
		strftime(buffer, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return buffer;
}

struct str describe_period(const struct profile *profile, struct arena *arena)
{
	char number[NUMBER_BYTES];

	if (profile->period_bytes <= 1)
		return STR("Period: 1 (every object was counted)");
	format_bytes(number, (double)profile->period_bytes);
	return str_of(arena_printf(arena, "Period: %s", number));
}
