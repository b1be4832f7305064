/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc_stats_print in JSON, in the structure that programs know from
 * jemalloc: the controls' names, nested. Follows the tables of controls, so
 * that a new control appears here by itself.
 */
#include "config.h"

#include "liballoc/ctl/stats.h"

#include <string.h>

#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/observe.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

struct json {
	struct print *out;
	const struct stats_parts *parts;
	bool comma;	     /* does the next item need one before it? */
	unsigned first, end; /* the rows to look at */
};

#define NAME_BYTES 96 /* the longest name of a control fits in */

static void put_string(struct print *out, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	print_text(out, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		char escape[] = {'\\',	      'u',	    '0', '0',
				 hex[c >> 4], hex[c & 0xf], '\0'};

		if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
			print_text(out, escape);
		else
			print_bytes(out, text, 1);
	}
	print_text(out, "\"");
}

static void put_key(struct json *json, const char *key, size_t length)
{
	if (json->comma)
		print_text(json->out, ",");
	if (key) {
		print_text(json->out, "\"");
		print_bytes(json->out, key, length);
		print_text(json->out, "\":");
	}
	json->comma = true;
}

static void open_object(struct json *json, const char *key)
{
	put_key(json, key, key ? strlen(key) : 0);
	print_text(json->out, "{");
	json->comma = false;
}

static void open_array(struct json *json, const char *key)
{
	put_key(json, key, strlen(key));
	print_text(json->out, "[");
	json->comma = false;
}

static void close_with(struct json *json, const char *bracket)
{
	print_text(json->out, bracket);
	json->comma = true;
}

static void put_value(struct print *out, enum ctl_type type, uint64_t value)
{
	if (type == CTL_BOOL)
		print_text(out, value ? "true" : "false");
	else if (type == CTL_STRING)
		put_string(out, (const char *)(uintptr_t)value);
	else if (type == CTL_SSIZE || type == CTL_INT64)
		print_signed(out, (int64_t)value);
	else
		print_unsigned(out, value);
}

/* jemalloc's JSON names one control by another name. */
static void put_pair(struct json *json, const struct ctl_row *row,
		     const char *name, uint64_t value)
{
	if (strcmp(name, "uptime") == 0)
		name = "uptime_ns";
	put_key(json, name, strlen(name));
	put_value(json->out, row->type, value);
}

/* Is the row of index the first one whose name begins as its first bytes? */
static bool is_first(unsigned index, const struct ctl_row *row, size_t bytes)
{
	struct ctl_row before;

	for (unsigned i = 0; i < index; i++) {
		ctl_row_at(i, &before);
		if (strncmp(before.name, row->name, bytes) == 0 && before.get)
			return false;
	}
	return true;
}

static bool is_left_out(const struct json *json, const char *name)
{
	return !json->parts->mutexes && (strncmp(name, "mutexes.", 8) == 0 ||
					 strncmp(name, "mutex.", 6) == 0);
}

static void put_rows(struct json *json, const char *prefix,
		     const struct stats_index *index);

/* The object of the rows whose names begin as the first bytes of row's. */
static void put_group(struct json *json, const struct ctl_row *row,
		      size_t bytes, size_t key, const struct stats_index *index)
{
	char prefix[NAME_BYTES] = "";

	if (bytes >= sizeof(prefix))
		return;
	memcpy(prefix, row->name, bytes);
	put_key(json, row->name + key, bytes - key - 1);
	print_text(json->out, "{");
	json->comma = false;
	put_rows(json, prefix, index);
	close_with(json, "}");
}

/* The pairs and objects of all rows under prefix; arrays are not among them. */
static void put_rows(struct json *json, const char *prefix,
		     const struct stats_index *index)
{
	size_t head = strlen(prefix);

	for (unsigned i = json->first; i < json->end; i++) {
		struct ctl_row row;
		const char *name, *dot;
		size_t bytes;
		uint64_t value;

		ctl_row_at(i, &row);
		name = stats_name_within(&row, prefix);
		if (!name || !row.get || is_left_out(json, name))
			continue;
		dot = strchr(name, '.');
		bytes = dot ? (size_t)(dot - row.name) + 1 : 0;
		if (dot && is_first(i, &row, bytes))
			put_group(json, &row, bytes, head, index);
		else if (!dot && stats_read(&row, index, &value))
			put_pair(json, &row, name, value);
	}
}

/* Those that put_rows() has to look at, where it is called again and again. */
static void look_at(struct json *json, const char *prefix)
{
	unsigned count = ctl_row_count(), first = count, end = 0;
	struct ctl_row row;

	for (unsigned i = 0; prefix && i < count; i++) {
		ctl_row_at(i, &row);
		if (!stats_name_within(&row, prefix))
			continue;
		first = i < first ? i : first;
		end = i + 1;
	}
	json->first = prefix ? first : 0;
	json->end = prefix ? end : count;
}

static void put_object(struct json *json, const char *key, const char *prefix)
{
	const struct stats_index none = {{0}};

	open_object(json, key);
	put_rows(json, prefix, &none);
	close_with(json, "}");
}

static void put_classes(struct json *json, const char *key, const char *prefix,
			unsigned count)
{
	open_array(json, key);
	look_at(json, prefix);
	for (unsigned i = 0; i < count; i++) {
		const struct stats_index index = stats_index_of_class(i);

		open_object(json, NULL);
		put_rows(json, prefix, &index);
		close_with(json, "}");
	}
	look_at(json, NULL);
	close_with(json, "]");
}

static void put_general(struct json *json)
{
	const struct stats_index none = {{0}};

	put_key(json, "version", strlen("version"));
	put_value(json->out, CTL_STRING, stats_value("version", &none));
	put_object(json, "config", "config.");
	put_object(json, "opt", "opt.");
	put_object(json, "prof", "prof.");
	open_object(json, "arenas");
	put_rows(json, "arenas.", &none);
	put_classes(json, "bin", "arenas.bin.<i>.", heap_small_class_count());
	put_classes(json, "lextent", "arenas.lextent.<i>.",
		    heap_class_count() - heap_small_class_count());
	close_with(json, "}");
}

static void put_array(struct json *json, const char *key, const char *prefix,
		      size_t arena, unsigned count)
{
	open_array(json, key);
	look_at(json, prefix);
	for (unsigned j = 0; j < count; j++) {
		const struct stats_index index = stats_index_of_arena(arena, j);

		open_object(json, NULL);
		put_rows(json, prefix, &index);
		close_with(json, "}");
	}
	look_at(json, NULL);
	close_with(json, "]");
}

static void put_arena(struct json *json, const char *key, size_t arena,
		      const struct stats_parts *parts)
{
	const struct stats_index index = stats_index_of_arena(arena, 0);
	unsigned small = heap_small_class_count();

	open_object(json, key);
	put_rows(json, "stats.arenas.<i>.", &index);
	if (parts->bins)
		put_array(json, "bins", "stats.arenas.<i>.bins.<j>.", arena,
			  small);
	if (parts->lextents)
		put_array(json, "lextents", "stats.arenas.<i>.lextents.<j>.",
			  arena, heap_class_count() - small);
	if (parts->extents)
		put_array(json, "extents", "stats.arenas.<i>.extents.<j>.",
			  arena, observe_run_sizes());
	close_with(json, "}");
}

static void put_arenas(struct json *json, const struct stats_parts *parts)
{
	open_object(json, "stats.arenas");
	if (parts->merged)
		put_arena(json, "merged", MALLCTL_ARENAS_ALL, parts);
	if (parts->destroyed && stats_has_arena(MALLCTL_ARENAS_DESTROYED))
		put_arena(json, "destroyed", MALLCTL_ARENAS_DESTROYED, parts);
	for (unsigned i = 0; parts->arenas && i < heap_arena_count(); i++) {
		char number[PRINT_NUMBER_BYTES];

		if (stats_has_arena(i))
			put_arena(json, print_number(number, i), i, parts);
	}
	close_with(json, "}");
}

/* A number, or the words of a histogram. */
static void put_metric(struct json *json, const struct ledger_metric *metric)
{
	put_key(json, metric->name, strlen(metric->name));
	if (metric->count == 1) {
		print_unsigned(json->out, ledger_metric_get(metric, 0));
		return;
	}
	for (uint32_t i = 0; i < metric->count; i++) {
		print_text(json->out, i ? "," : "[");
		print_unsigned(json->out, ledger_metric_word(metric, 0, i));
	}
	print_text(json->out, "]");
}

/* What jemalloc has no name for: the ledger's metrics of the process. */
static void put_process(struct json *json)
{
	const struct ledger_metric *metrics = ledger_rows(LEDGER_METRICS);
	uint64_t count = ledger_published(LEDGER_METRICS);

	open_object(json, "process");
	for (uint64_t i = 0; i < count; i++) {
		if (metrics[i].section != LEDGER_PROCESS)
			continue;
		put_metric(json, &metrics[i]);
	}
	close_with(json, "}");
}

void stats_print_json(struct print *out, const struct stats_parts *parts)
{
	struct json json = {.out = out, .parts = parts, .end = ctl_row_count()};

	open_object(&json, NULL);
	open_object(&json, "jemalloc");
	if (parts->general)
		put_general(&json);
	put_object(&json, "stats", "stats.");
	put_process(&json);
	if (parts->merged || parts->destroyed || parts->arenas)
		put_arenas(&json, parts);
	close_with(&json, "}");
	close_with(&json, "}");
	print_text(out, "\n");
}
