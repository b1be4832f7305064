/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer of dumps. Knows nothing of what is in them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "liballoc/ctl/print.h"
#include "liballoc/prof/random.h"
#include "liballoc/prof/writer.h"

#define ATTEMPTS 16u

static char buffer[64 * 1024] __attribute__((aligned(4096)));
static const char digits[] = "0123456789abcdef";

/* path with a random suffix that nobody can foresee. */
static bool name_temporary(struct writer *writer, uint64_t random[4])
{
	size_t length = strlen(writer->path);
	char *to = writer->temporary;
	uint64_t number = random_next(random);

	if (length + 18 > sizeof(writer->temporary))
		return false;
	memcpy(to, writer->path, length);
	to[length++] = '.';
	for (unsigned i = 0; i < 16; i++)
		to[length++] = digits[(number >> (4 * i)) & 15];
	to[length] = 0;
	return true;
}

static void open_temporary(struct writer *writer)
{
	uint64_t random[4];

	random_seed(random, (uintptr_t)writer ^ (uint64_t)getpid());
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		if (!name_temporary(writer, random)) {
			writer->error = ENAMETOOLONG;
			return;
		}
		writer->fd = open(writer->temporary,
				  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
					  O_NOFOLLOW,
				  0644);
		if (writer->fd >= 0 || errno != EEXIST)
			break;
	}
	if (writer->fd < 0)
		writer->error = errno;
}

/* Does not wait for somebody to read a pipe, but for him to read on. */
static void open_in_place(struct writer *writer)
{
	writer->fd = open(writer->path,
			  O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (writer->fd < 0)
		writer->error = errno;
	else
		fcntl(writer->fd, F_SETFL, O_WRONLY);
}

/* What a write raises in this thread where its error is so; 0: nothing. */
static int signal_of(int error)
{
	if (error == EFBIG)
		return SIGXFSZ;
	return error == EPIPE ? SIGPIPE : 0;
}

/* A write that fails shall not end the program by a signal. */
static void hold_signals(struct writer *writer)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGXFSZ);
	sigaddset(&held, SIGPIPE);
	sigpending(&writer->pending);
	pthread_sigmask(SIG_BLOCK, &held, &writer->mask);
}

/* Takes off what our own write has raised, and nothing else. */
static void release_signals(struct writer *writer)
{
	static const struct timespec now;
	int raised = signal_of(writer->error);
	sigset_t taken;

	if (raised && !sigismember(&writer->pending, raised)) {
		sigemptyset(&taken);
		sigaddset(&taken, raised);
		sigtimedwait(&taken, NULL, &now);
	}
	pthread_sigmask(SIG_SETMASK, &writer->mask, NULL);
}

void writer_open(struct writer *writer, const char *path)
{
	struct stat there;

	*writer = (struct writer){.fd = -1, .path = path};
	hold_signals(writer);
	/* Devices and pipes are written to, not replaced. */
	if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
		open_in_place(writer);
		return;
	}
	open_temporary(writer);
	if (writer->error)
		writer->temporary[0] = 0;
}

static void flush(struct writer *writer)
{
	const char *at = buffer;

	while (writer->length > 0 && !writer->error) {
		ssize_t n = write(writer->fd, at, writer->length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			writer->error = errno;
			break;
		}
		at += n;
		writer->length -= (size_t)n;
	}
	writer->length = 0;
}

int writer_close(struct writer *writer)
{
	const char *temporary = writer->temporary;

	flush(writer);
	if (writer->fd >= 0 && close(writer->fd) != 0 && !writer->error)
		writer->error = errno;
	if (temporary[0] && !writer->error &&
	    rename(temporary, writer->path) != 0)
		writer->error = errno;
	if (temporary[0] && writer->error)
		unlink(temporary);
	release_signals(writer);
	return writer->error;
}

void writer_bytes(struct writer *writer, const char *bytes, size_t length)
{
	while (length > 0 && !writer->error) {
		size_t room = sizeof(buffer) - writer->length;
		size_t part = length < room ? length : room;

		memcpy(buffer + writer->length, bytes, part);
		writer->length += part;
		bytes += part;
		length -= part;
		if (writer->length == sizeof(buffer))
			flush(writer);
	}
}

void writer_text(struct writer *writer, const char *text)
{
	writer_bytes(writer, text, strlen(text));
}

void writer_decimal(struct writer *writer, uint64_t value)
{
	char number[PRINT_NUMBER_BYTES];

	writer_text(writer, print_number(number, value));
}

void writer_hex(struct writer *writer, uint64_t value, bool prefix)
{
	char number[16];
	size_t at = sizeof(number);

	if (prefix && value != 0)
		writer_bytes(writer, "0x", 2);
	do {
		number[--at] = digits[value & 15];
		value >>= 4;
	} while (value != 0);
	writer_bytes(writer, number + at, sizeof(number) - at);
}

void writer_hex_bytes(struct writer *writer, const uint8_t *bytes,
		      size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

		writer_bytes(writer, pair, 2);
	}
}

void writer_escaped(struct writer *writer, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t c = (uint8_t)bytes[i];

		if (c > ' ' && c < 0x7f && c != '\\') {
			writer_bytes(writer, bytes + i, 1);
			continue;
		}
		writer_bytes(writer, "\\x", 2);
		writer_hex_bytes(writer, &c, 1);
	}
}
