/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading whole inputs, packed or not, within FILE_MAX_BYTES, and writing
 * outputs that appear complete or not at all. Knows no format.
 */
#include "config.h"

#include "libjeheap/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libjeheap/base/unpack.h"

#define FIRST_BUFFER_BYTES ((size_t)64 << 10)

/* Bytes whose number is not known beforehand; malloc's, not an arena's. */
struct buffer {
	char *data;
	size_t used, size;
	size_t limit, expected;
	const char *name;
	file_judge *judge; /* of what is in it when it first is full; or NULL */
};

int file_open_to_look(const char *path)
{
	struct stat info;

	if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static bool is_packed(struct str content)
{
	struct unpack *unpack = unpack_bytes(content, "");

	unpack_close(unpack);
	return unpack != NULL;
}

static bool too_large(const char *name, size_t limit, struct diag *diag)
{
	return diag_set(diag,
			"%s: holds more than %zu MiB, which no profile "
			"does; is it the right file?",
			name, limit >> 20);
}

/* Is it worth while to read on? */
static bool buffer_judge(struct buffer *buffer, struct diag *diag)
{
	struct str start = {buffer->data, buffer->used};
	file_judge *judge = buffer->judge;

	if (!start.len)
		return true;
	buffer->judge = NULL;
	if (judge && !is_packed(start) && !judge(start, buffer->name, diag))
		return false;
	return (buffer->size < buffer->limit &&
		buffer->expected <= buffer->limit) ||
	       too_large(buffer->name, buffer->limit, diag);
}

/* Makes room for at least one more byte. */
static bool buffer_grow(struct buffer *buffer, struct diag *diag)
{
	size_t size = buffer->size ? buffer->size * 2 : FIRST_BUFFER_BYTES;
	char *data;

	if (buffer->used < buffer->size)
		return true;
	if (!buffer_judge(buffer, diag))
		return false;
	if (size > buffer->limit)
		size = buffer->limit;
	data = realloc(buffer->data, size);
	if (!data)
		out_of_memory();
	buffer->data = data;
	buffer->size = size;
	return true;
}

static struct str buffer_finish(struct buffer *buffer, struct arena *arena)
{
	struct str copy =
		str_copy(arena, (struct str){buffer->data, buffer->used});

	free(buffer->data);
	return copy;
}

static bool read_all(int fd, struct buffer *buffer, struct diag *diag)
{
	ssize_t n;

	do {
		if (!buffer_grow(buffer, diag))
			return false;
		n = read(fd, buffer->data + buffer->used,
			 buffer->size - buffer->used);
		if (n > 0)
			buffer->used += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 || diag_errno(diag, "cannot read %s", buffer->name);
}

static bool unpack_all(struct unpack *packed, struct buffer *out,
		       struct diag *diag)
{
	size_t got;

	do {
		if (!buffer_grow(out, diag) ||
		    !unpack_read(packed, out->data + out->used,
				 out->size - out->used, &got, diag))
			return false;
		out->used += got;
	} while (got);
	return true;
}

static bool unpack(struct arena *arena, struct str packed, struct buffer *out,
		   struct str *content, struct diag *diag)
{
	struct unpack *unpack = unpack_bytes(packed, out->name);
	bool good;

	if (!unpack) {
		*content = packed;
		return true;
	}
	good = unpack_all(unpack, out, diag);
	unpack_close(unpack);
	if (!good) {
		free(out->data);
		return false;
	}
	*content = buffer_finish(out, arena);
	return true;
}

bool file_unpack(struct arena *arena, struct str packed, const char *name,
		 size_t limit, struct str *content, struct diag *diag)
{
	struct buffer out = {.name = name, .limit = limit};

	return unpack(arena, packed, &out, content, diag);
}

static int open_input(const char *path, struct buffer *buffer,
		      struct diag *diag)
{
	struct stat info;
	int fd = STDIN_FILENO;

	buffer->name = "standard input";
	if (strcmp(path, "-") == 0)
		return fd;
	buffer->name = path;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		diag_errno(diag, "cannot open %s",
			   *path ? path : "a file without a name");
		return -1;
	}
	if (fstat(fd, &info) != 0)
		info = (struct stat){0};
	if (S_ISDIR(info.st_mode)) {
		diag_set(diag, "cannot read %s: it is a directory", path);
		close(fd);
		return -1;
	}
	buffer->expected = (size_t)info.st_size;
	return fd;
}

bool file_read(struct arena *arena, const char *path, file_judge *judge,
	       struct str *content, struct diag *diag)
{
	struct buffer raw = {.limit = FILE_MAX_BYTES, .judge = judge};
	struct buffer out = {.limit = FILE_MAX_BYTES, .judge = judge};
	struct str whole;
	bool good;
	int fd = open_input(path, &raw, diag);

	if (fd < 0)
		return false;
	good = read_all(fd, &raw, diag);
	if (fd != STDIN_FILENO)
		close(fd);
	whole = (struct str){raw.data, raw.used};
	out.name = raw.name;
	good = good && unpack(arena, whole, &out, content, diag);
	if (good && content->ptr == raw.data)
		*content = str_copy(arena, whole);
	free(raw.data);
	return good;
}

static const char *output_name(const struct output *out)
{
	return out->path ? out->path : "standard output";
}

/* Is it a name for what is open already, and may be a file? */
static bool names_open(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 ||
	       strncmp(path, "/dev/fd/", 8) == 0 ||
	       strcmp(path, "/dev/stdout") == 0 ||
	       strcmp(path, "/dev/stderr") == 0;
}

/* Is a rename onto it impossible or wrong? */
static bool is_direct(const char *path)
{
	struct stat info;

	return names_open(path) ||
	       (stat(path, &info) == 0 && !S_ISREG(info.st_mode));
}

/* A name beside the path that nobody can foresee. */
static char *temporary_name(const char *path)
{
	uint64_t random;
	char *name;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return NULL;
	if (asprintf(&name, "%s.%016" PRIx64 ".tmp", path, random) < 0)
		out_of_memory();
	return name;
}

/* A file of no name, which is gone with the process; -1 without support. */
static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
	int fd;

	if (!folder)
		out_of_memory();
	fd = open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
	free(folder);
	return fd;
}

static int open_temporary(struct output *out)
{
	struct stat info;
	int fd;

	if (access(out->path, F_OK) == 0 && access(out->path, W_OK) != 0)
		return -1;
	out->temporary = temporary_name(out->path);
	if (!out->temporary)
		return -1;
	fd = open_nameless(out->path);
	out->nameless = fd >= 0;
	if (fd < 0)
		fd = open(out->temporary,
			  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd >= 0 && stat(out->path, &info) == 0)
		(void)!fchmod(fd, info.st_mode & 07777);
	return fd;
}

/* Gives the complete file its name. */
static bool publish(struct output *out, int fd)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (out->nameless && linkat(AT_FDCWD, self, AT_FDCWD, out->temporary,
				    AT_SYMLINK_FOLLOW) != 0)
		return false;
	out->nameless = false;
	return rename(out->temporary, out->path) == 0;
}

static bool forget(struct output *out)
{
	free(out->path);
	free(out->temporary);
	*out = (struct output){0};
	return false;
}

bool output_open(struct output *out, const char *path, struct diag *diag)
{
	int fd;

	*out = (struct output){0};
	signal(SIGPIPE, SIG_IGN);
	if (!path || strcmp(path, "-") == 0) {
		out->stream = stdout;
		return true;
	}
	/* A symbolic link stays; what it points to is replaced. */
	out->path = realpath(path, NULL);
	if (!out->path || is_direct(path)) {
		free(out->path);
		out->path = strdup(path);
	}
	if (!out->path)
		out_of_memory();
	fd = is_direct(path) ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
			     : open_temporary(out);
	if (fd < 0) {
		diag_errno(diag, "cannot write %s", path);
		return forget(out);
	}
	out->stream = fdopen(fd, "w");
	if (!out->stream)
		out_of_memory();
	return true;
}

/*
 * stdio keeps that a write failed, but not why: the same failure comes again
 * on one more byte.
 */
static bool all_written(struct output *out)
{
	bool failed_before = ferror(out->stream);

	if (!failed_before)
		return fflush(out->stream) == 0;
	errno = EIO;
	(void)!write(fileno(out->stream), "\n", 1);
	return false;
}

bool output_close(struct output *out, struct diag *diag)
{
	bool good = all_written(out);
	int fd = -1;

	if (!good)
		diag_errno(diag, "cannot write %s", output_name(out));
	if (out->temporary)
		fd = dup(fileno(out->stream));
	if (out->stream != stdout && fclose(out->stream) != 0 && good)
		good = diag_errno(diag, "cannot write %s", output_name(out));
	if (good && out->temporary && !publish(out, fd))
		good = diag_errno(diag, "cannot write %s", out->path);
	if (fd >= 0)
		close(fd);
	if (out->temporary && !good && !out->nameless)
		unlink(out->temporary);
	forget(out);
	return good;
}

void output_abandon(struct output *out)
{
	if (out->stream && out->stream != stdout)
		fclose(out->stream);
	if (out->temporary && !out->nameless)
		unlink(out->temporary);
	forget(out);
}
