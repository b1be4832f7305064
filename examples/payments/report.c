/* SPDX-License-Identifier: BSD-2-Clause */
/* The buffer doubles as it fills, which is what large reallocs look like. */
#include "report.h"

#include "subsystem.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	REPORTS_KEPT = 3,
	FIRST_BYTES = 64 << 10,
	LINE_BYTES = 96,
};

struct buffer {
	char *text;
	size_t used;
	size_t room;
};

struct report_archive {
	struct subsystem memory;
	pthread_mutex_t lock; /* guards what follows */
	char *kept[REPORTS_KEPT];
	unsigned next;
};

static void buffer_reserve(const struct subsystem *memory,
			   struct buffer *buffer, size_t bytes)
{
	if (buffer->room - buffer->used >= bytes)
		return;
	buffer->room = buffer->room ? buffer->room * 2 : FIRST_BYTES;
	buffer->text = subsystem_resize(memory, buffer->text, buffer->room);
}

static void report_line(const struct subsystem *memory, struct buffer *buffer,
			uint64_t id, size_t line)
{
	int length;

	buffer_reserve(memory, buffer, LINE_BYTES);
	length = snprintf(buffer->text + buffer->used, LINE_BYTES,
			  "settlement %" PRIu64 " line %zu total %" PRIu64
			  " EUR to be paid out on the next working day\n",
			  id, line, id * 31 + line);
	buffer->used += (size_t)length;
}

struct report_archive *report_archive_new(void)
{
	struct report_archive *archive =
		allocate(sizeof(struct report_archive));

	memset(archive, 0, sizeof(struct report_archive));
	subsystem_open(&archive->memory, "reports");
	pthread_mutex_init(&archive->lock, NULL);
	return archive;
}

void report_archive_free(struct report_archive *archive)
{
	for (unsigned i = 0; i < REPORTS_KEPT; i++)
		subsystem_free(&archive->memory, archive->kept[i]);
	pthread_mutex_destroy(&archive->lock);
	free(archive);
}

void report_settlement(struct report_archive *archive, uint64_t id,
		       size_t lines)
{
	struct buffer buffer = {NULL, 0, 0};
	char *oldest;

	for (size_t line = 0; line < lines; line++)
		report_line(&archive->memory, &buffer, id, line);
	pthread_mutex_lock(&archive->lock);
	oldest = archive->kept[archive->next];
	archive->kept[archive->next] = buffer.text;
	archive->next = (archive->next + 1) % REPORTS_KEPT;
	pthread_mutex_unlock(&archive->lock);
	subsystem_free(&archive->memory, oldest);
}
