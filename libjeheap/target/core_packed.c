/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unpacks core files into $TMPDIR or /var/tmp, as far as the bounds and the
 * disk allow. Never leaves a file behind, nor one that others could open.
 */
#include "config.h"

#include "libjeheap/target/core_packed.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/unpack.h"
#include "libjeheap/target/core.h"

#define PART_BYTES ((size_t)256 << 10)
#define PAGE_BYTES 4096

/* What is being written. */
struct copy {
	const char *name, *folder;
	int fd;
	struct core_bounds bounds;
	uint64_t bytes, stored_bytes;
	bool half_of_disk; /* is what bounds the stored bytes */
};

bool core_read_start(int fd, void *start, size_t size)
{
	struct unpack *packed = unpack_file(fd, "");
	struct diag ignored = {0};
	size_t got;
	bool good;

	if (!packed)
		return pread(fd, start, size, 0) == (ssize_t)size;
	good = unpack_read(packed, start, size, &got, &ignored) && got == size;
	unpack_close(packed);
	return good;
}

/* secure_getenv: a privileged program's files are not for its user to place. */
static const char *temporary_folder(void)
{
	const char *named = secure_getenv("TMPDIR");

	if (named && *named)
		return named;
	return access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

/* Some file systems have no nameless files: there it has a name for a moment,
 * that nobody can foresee. */
static int open_temporary(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	char *path;

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if (asprintf(&path, "%s/jeprof-XXXXXX", folder) < 0)
		out_of_memory();
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

static bool begin(struct copy *copy, struct diag *diag)
{
	struct statvfs disk;
	uint64_t half;

	copy->folder = temporary_folder();
	copy->fd = open_temporary(copy->folder);
	if (copy->fd < 0 || fstatvfs(copy->fd, &disk) != 0)
		return diag_errno(diag,
				  "cannot unpack %s into a file in %s (TMPDIR "
				  "names another folder)",
				  copy->name, copy->folder);
	half = (uint64_t)disk.f_bavail * disk.f_frsize / 2;
	copy->half_of_disk = half < copy->bounds.stored_bytes;
	if (copy->half_of_disk)
		copy->bounds.stored_bytes = half;
	return true;
}

static bool too_large(const struct copy *copy, struct diag *diag)
{
	const struct core_bounds *bounds = &copy->bounds;
	bool is_file = copy->bytes > bounds->file_bytes;
	unsigned long long most_mib =
		(is_file ? bounds->file_bytes : bounds->stored_bytes) >> 20;

	if (is_file || !copy->half_of_disk)
		return diag_set(diag,
				"%s holds more than %llu MiB, and so much is "
				"not unpacked here; unpack it by its own tool, "
				"and name that file",
				copy->name, most_mib);
	return diag_set(diag,
			"%s holds more than %llu MiB, which is half of what is "
			"free in %s; name a folder with more room in TMPDIR",
			copy->name, most_mib, copy->folder);
}

static bool write_at(const struct copy *copy, const char *from, size_t size,
		     uint64_t offset, struct diag *diag)
{
	while (size) {
		ssize_t n = pwrite(copy->fd, from, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return diag_errno(diag,
					  "cannot unpack %s into a file in %s",
					  copy->name, copy->folder);
		from += n;
		offset += (size_t)n;
		size -= (size_t)n;
	}
	return true;
}

static bool is_zero(const char *page, size_t size)
{
	return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

/* A core file has many pages of zeros; holes read as that. */
static bool put_page(struct copy *copy, const char *page, size_t size,
		     struct diag *diag)
{
	uint64_t offset = copy->bytes;

	copy->bytes += size;
	if (!is_zero(page, size))
		copy->stored_bytes += size;
	if (copy->bytes > copy->bounds.file_bytes ||
	    copy->stored_bytes > copy->bounds.stored_bytes)
		return too_large(copy, diag);
	return is_zero(page, size) || write_at(copy, page, size, offset, diag);
}

static bool put_part(struct copy *copy, const char *part, size_t size,
		     struct diag *diag)
{
	if (copy->bytes == 0 && !core_begins_so(part, size))
		return diag_set(diag,
				"%s is packed, but no core file of a 64-bit "
				"machine is in it",
				copy->name);
	for (size_t at = 0; at < size; at += PAGE_BYTES)
		if (!put_page(copy, part + at,
			      size - at < PAGE_BYTES ? size - at : PAGE_BYTES,
			      diag))
			return false;
	return true;
}

static bool copy_all(struct copy *copy, struct unpack *packed,
		     struct diag *diag)
{
	char *part = malloc(PART_BYTES);
	size_t got;
	bool good;

	if (!part)
		out_of_memory();
	do {
		good = unpack_read(packed, part, PART_BYTES, &got, diag) &&
		       (!got || put_part(copy, part, got, diag));
	} while (good && got == PART_BYTES);
	free(part);
	if (good && ftruncate(copy->fd, (off_t)copy->bytes) != 0)
		good = diag_errno(diag, "cannot unpack %s into a file in %s",
				  copy->name, copy->folder);
	return good;
}

bool core_unpack(int *fd, const char *name, struct core_bounds bounds,
		 struct diag *diag)
{
	struct copy copy = {.name = name, .fd = -1, .bounds = bounds};
	struct unpack *packed = unpack_file(*fd, name);
	bool good;

	if (!packed)
		return true;
	good = begin(&copy, diag) && copy_all(&copy, packed, diag);
	unpack_close(packed);
	if (!good) {
		if (copy.fd >= 0)
			close(copy.fd);
		return false;
	}
	close(*fd);
	*fd = copy.fd;
	return true;
}
