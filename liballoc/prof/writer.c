/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer of dumps. Knows nothing of what is in them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "liballoc/ctl/print.h"
#include "liballoc/prof/random.h"
#include "liballoc/prof/writer.h"

#define ATTEMPTS 16u
/* So many links are followed, one after the other. */
#define LINKS 16u
#define SUFFIX_BYTES 17u

static char buffer[64 * 1024] __attribute__((aligned(4096)));
static const char digits[] = "0123456789abcdef";

/* Behind the last slash. */
static char *name_in(char *path)
{
	char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * path with a random suffix that nobody can foresee; its end goes where the
 * name would be too long otherwise.
 */
static bool name_temporary(struct writer *writer, uint64_t random[4])
{
	size_t length = strlen(writer->path);
	char *to = writer->temporary, *name;
	uint64_t number = random_next(random);

	if (length + SUFFIX_BYTES + 1 > sizeof(writer->temporary))
		return false;
	memcpy(to, writer->path, length + 1);
	name = name_in(to);
	if (to + length - name > NAME_MAX)
		return false;
	if (to + length - name > (ptrdiff_t)(NAME_MAX - SUFFIX_BYTES))
		length = (size_t)(name - to) + NAME_MAX - SUFFIX_BYTES;
	to[length++] = '.';
	for (unsigned i = 0; i < 16; i++)
		to[length++] = digits[(number >> (4 * i)) & 15];
	to[length] = 0;
	return true;
}

/* there: the file of which it will take the place, and the mode; or NULL. */
static void open_temporary(struct writer *writer, const struct stat *there)
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
	else if (there)
		fchmod(writer->fd, there->st_mode & 0777);
}

/*
 * how: O_APPEND or O_TRUNC. Does not wait for somebody to read a pipe, but for
 * him to read on.
 */
static void open_in_place(struct writer *writer, int how)
{
	writer->temporary[0] = 0;
	writer->error = 0;
	writer->fd = open(writer->path,
			  O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | how);
	if (writer->fd < 0)
		writer->error = errno;
	else
		fcntl(writer->fd, F_SETFL, O_WRONLY | (how & O_APPEND));
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

/*
 * What the names there lead to is open already, and not to be replaced.
 * /dev/stdout is a link to one.
 */
static bool leads_to_open(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 ||
	       strncmp(path, "/dev/fd/", 8) == 0;
}

/* The descriptor of our own that path is a name of; -1: it is of none. */
static int own_descriptor(const char *path)
{
	static const char *const folders[] = {
		"/proc/self/fd/", "/proc/thread-self/fd/", "/dev/fd/"};
	int fd = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t length = strlen(folders[i]);

		if (strncmp(path, folders[i], length) != 0)
			continue;
		for (path += length; *path >= '0' && *path <= '9'; path++)
			fd = fd < 1000000 ? fd * 10 + (*path - '0') : fd;
		return *path || path[-1] == '/' ? -1 : fd;
	}
	return -1;
}

/* What is open goes on where it is: no other offset, and no other flags. */
static void open_again(struct writer *writer)
{
	int own = own_descriptor(writer->path);

	if (own < 0) {
		open_in_place(writer, O_APPEND);
		return;
	}
	writer->fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
	if (writer->fd < 0)
		writer->error = errno;
}

/*
 * As the kernel has it with protected_symlinks: in a folder where all may
 * write, but each only owns what is his, others' links are not followed.
 */
static bool is_planted(char *link)
{
	char *name = name_in(link), kept = *name;
	struct stat it, folder;
	bool known;

	if (lstat(link, &it) != 0)
		return false;
	*name = '\0';
	known = stat(*link ? link : ".", &folder) == 0;
	*name = kept;
	return !known ||
	       ((folder.st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH) &&
		it.st_uid != geteuid() && it.st_uid != folder.st_uid);
}

/* Where a symbolic link leads in the end; path, where it is none. */
static const char *follow(const char *path)
{
	static char at[WRITER_PATH_BYTES], to[WRITER_PATH_BYTES];
	size_t head = strlen(path);
	unsigned i;
	ssize_t n;

	if (head >= sizeof(at))
		return path;
	memcpy(at, path, head + 1);
	for (i = 0; i < LINKS && !leads_to_open(at) && !is_planted(at); i++) {
		n = readlink(at, to, sizeof(to));
		head = n > 0 && to[0] == '/' ? 0 : (size_t)(name_in(at) - at);
		if (n <= 0 || head + (size_t)n >= sizeof(at))
			break;
		memcpy(at + head, to, (size_t)n);
		at[head + (size_t)n] = 0;
	}
	return at;
}

/* A new file cannot be made there, but the one that is there can be written. */
static bool is_folder_closed(int error)
{
	return error == EACCES || error == EPERM || error == EROFS;
}

void writer_open(struct writer *writer, const char *path, bool asked_for)
{
	struct stat there;
	bool exists;

	*writer = (struct writer){.fd = -1};
	writer->path = asked_for ? follow(path) : path;
	hold_signals(writer);
	writer->asked_for = asked_for;
	exists = stat(writer->path, &there) == 0;
	/* Devices and pipes are written to, not replaced. */
	if (exists && asked_for && leads_to_open(writer->path)) {
		open_again(writer);
		return;
	}
	if (exists && !S_ISREG(there.st_mode)) {
		open_in_place(writer, O_APPEND);
		return;
	}
	open_temporary(writer, exists && asked_for && there.st_uid == geteuid()
				       ? &there
				       : NULL);
	if (exists && asked_for && is_folder_closed(writer->error))
		open_in_place(writer, O_TRUNC);
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

static void close_file(struct writer *writer)
{
	if (writer->fd >= 0 && close(writer->fd) != 0 && !writer->error)
		writer->error = errno;
	writer->fd = -1;
}

/* Onto a file that is a mount of its own, and cannot be replaced. */
static void copy_over(struct writer *writer, const char *temporary)
{
	int from = open(temporary, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (from < 0) {
		writer->error = errno;
		return;
	}
	open_in_place(writer, O_TRUNC);
	while (!writer->error) {
		n = read(from, buffer, sizeof(buffer));
		if (n < 0)
			writer->error = errno;
		if (n <= 0)
			break;
		writer->length = (size_t)n;
		flush(writer);
	}
	close(from);
	close_file(writer);
}

/* The whole file gets its name. */
static void publish(struct writer *writer)
{
	static char temporary[WRITER_PATH_BYTES];

	if (rename(writer->temporary, writer->path) == 0)
		return;
	writer->error = errno;
	memcpy(temporary, writer->temporary, sizeof(temporary));
	if (writer->error == EBUSY && writer->asked_for)
		copy_over(writer, temporary);
	unlink(temporary);
}

int writer_close(struct writer *writer)
{
	flush(writer);
	close_file(writer);
	if (writer->temporary[0] && !writer->error)
		publish(writer);
	else if (writer->temporary[0])
		unlink(writer->temporary);
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
