/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the recent allocations as jemalloc does, and the mappings that tell
 * what their addresses are. The text is made in memory of its own, under the
 * dump lock, so that no stack changes meanwhile; the program's function gets
 * it after that, with no lock held.
 */
#include "config.h"

#include <string.h>

#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/images.h"
#include "liballoc/prof/json.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/recent_record.h"
#include "liballoc/prof/tables.h"

/* The program's function gets so much at a time. */
#define PIECE_BYTES ((size_t)64 << 10)
#define FIRST_BYTES ((size_t)256 << 10)

/* Text that grows in mappings of its own. */
struct text {
	char *bytes;
	size_t length, room; /* room is what is mapped: a NUL fits behind */
	bool failed;
};

static size_t whole_pages(size_t bytes)
{
	return (bytes + os_page_bytes - 1) / os_page_bytes * os_page_bytes;
}

static bool grow(struct text *text, size_t more)
{
	size_t room = text->room ? 2 * text->room : FIRST_BYTES;
	char *bytes;

	while (room <= text->length + more)
		room *= 2;
	bytes = os_map(room, false);
	if (!bytes)
		return false;
	if (text->bytes) {
		memcpy(bytes, text->bytes, text->length);
		os_unmap(text->bytes, text->room);
	}
	text->bytes = bytes;
	text->room = room;
	return true;
}

static void keep(void *opaque, const char *piece)
{
	struct text *text = opaque;
	size_t length = strlen(piece);

	if (!text->failed && text->room <= text->length + length)
		text->failed = !grow(text, length);
	if (text->failed)
		return;
	memcpy(text->bytes + text->length, piece, length);
	text->length += length;
}

/* As malloc_stats_print does where it is given no function. */
static void to_messages(void *unused, const char *text)
{
	struct print out;

	(void)unused;
	print_start(&out, NULL, NULL);
	print_text(&out, text);
	print_end(&out);
}

static void hand_on(struct text *text,
		    void (*write)(void *opaque, const char *text), void *opaque)
{
	size_t at, end;
	char kept;

	for (at = 0; at < text->length; at = end) {
		end = text->length - at > PIECE_BYTES ? at + PIECE_BYTES
						      : text->length;
		kept = text->bytes[end];
		text->bytes[end] = '\0';
		write(opaque, text->bytes + at);
		text->bytes[end] = kept;
	}
}

static void put_trace(struct json *json, const char *key, uint32_t stack)
{
	uint64_t frames[BACKTRACE_MAX];
	unsigned depth = stacks_peek(stack, frames, BACKTRACE_MAX);

	json_array(json, key);
	for (unsigned i = 0; i < depth; i++)
		json_address(json, NULL, frames[i]);
	json_end_array(json);
}

static void put_record(struct json *json, const struct recent_record *record)
{
	json_object(json, NULL);
	json_unsigned(json, "size", record->requested_bytes);
	json_unsigned(json, "usize", record->usable_bytes);
	json_bool(json, "released", record->released);
	json_unsigned(json, "alloc_thread_uid", record->allocated_by.uid);
	if (record->allocated_by.name[0])
		json_string(json, "alloc_thread_name",
			    record->allocated_by.name);
	json_unsigned(json, "alloc_time", record->allocated_ns);
	put_trace(json, "alloc_trace", record->allocated_at);
	if (record->freed_at != TABLES_NONE) {
		json_unsigned(json, "dalloc_thread_uid", record->freed_by.uid);
		if (record->freed_by.name[0])
			json_string(json, "dalloc_thread_name",
				    record->freed_by.name);
		json_unsigned(json, "dalloc_time", record->freed_ns);
		put_trace(json, "dalloc_trace", record->freed_at);
	}
	json_end_object(json);
}

static void put_all(struct json *json, const struct recent_record *records,
		    size_t count, ssize_t max)
{
	json_object(json, NULL);
	json_unsigned(json, "sample_interval",
		      (uint64_t)1 << prof_lg_sample_get());
	json_signed(json, "recent_alloc_max", max);
	json_array(json, "recent_alloc");
	for (size_t i = 0; i < count; i++)
		put_record(json, &records[i]);
	json_end_array(json);
	images_put_mappings(json);
	json_end_object(json);
}

/* False where there is no memory. */
static bool compose(struct text *text)
{
	size_t room = recent_count(), count;
	size_t bytes = whole_pages((room + 1) * sizeof(struct recent_record));
	struct recent_record *records = os_map(bytes, false);
	struct json json;
	ssize_t max;

	if (!records)
		return false;
	lock_take(&tables_dump_lock);
	count = recent_copy(records, room, &max);
	json_start(&json, keep, text);
	put_all(&json, records, count, max);
	json_finish(&json);
	lock_release(&tables_dump_lock);
	os_unmap(records, bytes);
	return !text->failed;
}

bool recent_dump(void (*write)(void *opaque, const char *text), void *opaque)
{
	struct thread *thread = thread_peek();
	struct text text = {.length = 0};
	bool good;

	/* Nothing of this is sampled. */
	if (thread)
		thread->reentrancy++;
	good = compose(&text);
	if (good && write)
		hand_on(&text, write, opaque);
	else if (good)
		hand_on(&text, to_messages, NULL);
	if (text.bytes)
		os_unmap(text.bytes, text.room);
	if (thread)
		thread->reentrancy--;
	return good;
}
