/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a log in jemalloc's JSON: facts, then threads and stacks, then the
 * frees, which refer to those by their places. Two keys are ours, and come
 * last: what was not kept, and the mappings.
 */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/os.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/images.h"
#include "liballoc/prof/json.h"
#include "liballoc/prof/log_record.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/tables.h"
#include "liballoc/prof/writer.h"

/* The stacks that the log refers to, in the order in which it does. */
struct numbers {
	uint32_t *place; /* by row: 1 + its place; the last one is NONE's */
	uint32_t *rows;	 /* by place */
	uint32_t count;
	uint32_t none; /* the row that stands for TABLES_NONE */
	size_t bytes;
};

static uint32_t row_of(const struct numbers *numbers, uint32_t stack)
{
	return stack < numbers->none ? stack : numbers->none;
}

static void number(struct numbers *numbers, uint32_t stack)
{
	uint32_t row = row_of(numbers, stack);

	if (numbers->place[row] != 0)
		return;
	numbers->rows[numbers->count++] = row;
	numbers->place[row] = numbers->count;
}

static bool number_stacks(const struct log *log, struct numbers *numbers)
{
	uint64_t rows = ledger_published(LEDGER_STACKS);
	const struct log_chunk *chunk;

	*numbers = (struct numbers){.none = (uint32_t)rows};
	numbers->bytes =
		(2 * (rows + 1) * sizeof(uint32_t) / os_page_bytes + 1) *
		os_page_bytes;
	numbers->place = os_map(numbers->bytes, false);
	if (!numbers->place)
		return false;
	numbers->rows = numbers->place + rows + 1;
	for (chunk = log->chunks; chunk; chunk = chunk->next)
		for (uint32_t i = 0; i < chunk->count; i++) {
			number(numbers, chunk->records[i].allocated_at);
			number(numbers, chunk->records[i].freed_at);
		}
	return true;
}

static void put_info(struct json *json, const struct log *log)
{
	json_object(json, "info");
	json_unsigned(json, "duration", os_clock_ns() - log->start_ns);
	json_string(json, "version", ledger_header()->version);
	json_unsigned(json, "lg_sample_rate", prof_lg_sample_get());
	json_string(json, "prof_time_resolution",
		    opt.prof_time_resolution == 0 ? "default" : "high");
	json_unsigned(json, "pid", (uint64_t)getpid());
	json_end_object(json);
}

static void put_threads(struct json *json, const struct log *log)
{
	const struct log_thread *thread;

	json_array(json, "threads");
	for (thread = log->threads; thread; thread = thread->next) {
		json_object(json, NULL);
		json_unsigned(json, "thr_uid", thread->uid);
		json_string(json, "thr_name", thread->name);
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_stacks(struct json *json, const struct numbers *numbers)
{
	uint64_t frames[BACKTRACE_MAX];

	json_array(json, "stack_traces");
	for (uint32_t i = 0; i < numbers->count; i++) {
		uint32_t row = numbers->rows[i];
		unsigned depth =
			row == numbers->none
				? 0
				: stacks_peek(row, frames, BACKTRACE_MAX);

		json_array(json, NULL);
		for (unsigned k = 0; k < depth; k++)
			json_address(json, NULL, frames[k]);
		json_end_array(json);
	}
	json_end_array(json);
}

static void put_record(struct json *json, const struct numbers *numbers,
		       const struct log_record *record)
{
	uint32_t allocated_at = row_of(numbers, record->allocated_at);
	uint32_t freed_at = row_of(numbers, record->freed_at);

	json_object(json, NULL);
	json_unsigned(json, "alloc_thread", record->allocated_by);
	json_unsigned(json, "free_thread", record->freed_by);
	json_unsigned(json, "alloc_trace", numbers->place[allocated_at] - 1);
	json_unsigned(json, "free_trace", numbers->place[freed_at] - 1);
	json_unsigned(json, "alloc_timestamp", record->allocated_ns);
	json_unsigned(json, "free_timestamp", record->freed_ns);
	json_unsigned(json, "usize", record->usable_bytes);
	json_end_object(json);
}

static void put_records(struct json *json, const struct log *log,
			const struct numbers *numbers)
{
	const struct log_chunk *chunk;

	json_array(json, "allocations");
	for (chunk = log->chunks; chunk; chunk = chunk->next)
		for (uint32_t i = 0; i < chunk->count; i++)
			put_record(json, numbers, &chunk->records[i]);
	json_end_array(json);
}

static void write_piece(void *opaque, const char *text)
{
	writer_text(opaque, text);
}

int log_write(const struct log *log, const char *path, bool asked_for)
{
	struct numbers numbers;
	struct writer writer;
	struct json json;
	int error;

	if (!number_stacks(log, &numbers))
		return ENOMEM;
	writer_open(&writer, path, asked_for);
	json_start(&json, write_piece, &writer);
	json_object(&json, NULL);
	put_info(&json, log);
	put_threads(&json, log);
	put_stacks(&json, &numbers);
	put_records(&json, log, &numbers);
	json_unsigned(&json, "dropped", log->dropped);
	images_put_mappings(&json);
	json_end_object(&json);
	json_finish(&json);
	error = writer_close(&writer);
	os_unmap(numbers.place, numbers.bytes);
	return error;
}
