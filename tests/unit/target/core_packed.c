/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packed core files: each format is read as the plain file is, and what is
 * cut, garbled, larger than allowed or no core file ends in one line.
 */
#include "config.h"

#include <fcntl.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "libjeheap/profile/read.h"
#include "libjeheap/target/core_packed.h"
#include "tap/tap.h"
#include "unit/target/core_image.h"

#define BOMB_BYTES ((size_t)64 << 20)
/* lz4 wants room for what cannot be packed. */
#define PACKED_MAX (BOMB_BYTES + (1 << 20))

static struct core_image image;
static uint8_t packed[PACKED_MAX];
static size_t packed_bytes;
static char path[64];
static int fd;

static size_t pack_gzip(const void *from, size_t size)
{
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)from,
		      .avail_in = (uInt)size,
		      .next_out = packed,
		      .avail_out = PACKED_MAX};

	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, 0) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		exit(99);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_lz4(const void *from, size_t size)
{
	size_t n = LZ4F_compressFrame(packed, PACKED_MAX, from, size, NULL);

	if (LZ4F_isError(n))
		exit(99);
	return n;
}

static size_t pack_xz(const void *from, size_t size)
{
	size_t n = 0;

	if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, from, size,
				    packed, &n, PACKED_MAX) != LZMA_OK)
		exit(99);
	return n;
}

static size_t pack_zstd(const void *from, size_t size)
{
	size_t n = ZSTD_compress(packed, PACKED_MAX, from, size, 1);

	if (ZSTD_isError(n))
		exit(99);
	return n;
}

static const struct {
	const char *name;
	size_t (*pack)(const void *from, size_t size);
} formats[] = {
	{"gzip", pack_gzip},
	{"lz4", pack_lz4},
	{"xz", pack_xz},
	{"zstd", pack_zstd},
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static void put(const void *bytes, size_t size)
{
	if (ftruncate(fd, 0) != 0 ||
	    pwrite(fd, bytes, size, 0) != (ssize_t)size)
		exit(99);
}

static void put_packed(void)
{
	put(packed, packed_bytes);
}

static bool is_refused(const struct diag *diag, const char *why)
{
	bool good = strstr(diag->text, why) && !strchr(diag->text, '\n');

	if (!good)
		tap_line("# got \"%s\"\n", diag->text);
	return good;
}

static void test_good(size_t i)
{
	struct diag diag = {0};
	struct profile *p;

	packed_bytes = formats[i].pack(&image, sizeof(image));
	put_packed();
	p = profile_read(path, &diag);
	if (!ok(p && p->sample_count == 3 && profile_is_valid(p),
		"a core file packed by %s is read", formats[i].name))
		tap_line("# %s\n", diag.text);
	profile_free(p);
	p = profile_read_peak(path, &diag);
	ok(p && p->peak_bytes == 1000000, "and its peak");
	profile_free(p);
}

/* What comes out is the same file, holes and all. */
static void test_content(size_t i)
{
	static uint8_t plain[1 << 20], got[sizeof(plain)];
	struct core_bounds bounds = {sizeof(plain), sizeof(plain)};
	struct diag diag = {0};
	struct stat info;
	int copy;

	memcpy(plain, &image, sizeof(image));
	plain[700001] = 1;
	packed_bytes = formats[i].pack(plain, sizeof(plain) - 1);
	put_packed();
	copy = dup(fd);
	ok(core_unpack(&copy, "it", bounds, &diag) && fstat(copy, &info) == 0 &&
		   info.st_size == sizeof(plain) - 1 &&
		   pread(copy, got, sizeof(got), 0) == sizeof(got) - 1 &&
		   !memcmp(plain, got, sizeof(got)),
	   "all of it is unpacked");
	ok(info.st_nlink == 0, "into a file of no name");
	ok((size_t)info.st_blocks * 512 < sizeof(plain) / 2,
	   "where zeros take no room");
	close(copy);
}

/* Two frames that follow each other are one file. */
static void test_two(size_t i)
{
	static uint8_t both[1 << 16];
	struct diag diag = {0};
	struct profile *p;
	size_t first, half = 5000;

	first = formats[i].pack(&image, half);
	memcpy(both, packed, first);
	packed_bytes = formats[i].pack((const char *)&image + half,
				       sizeof(image) - half);
	memcpy(both + first, packed, packed_bytes);
	put(both, first + packed_bytes);
	p = profile_read(path, &diag);
	ok(p && p->sample_count == 3, "in two frames, too");
	profile_free(p);
}

static void test_cut(size_t i)
{
	bool good = true;

	packed_bytes = formats[i].pack(&image, sizeof(image));
	for (size_t size = packed_bytes - 1; size > 8; size -= 7) {
		struct diag diag = {0};
		int copy = dup(fd);

		put(packed, size);
		good &= !core_unpack(&copy, "it", CORE_BOUNDS_DEFAULT, &diag) &&
			is_refused(&diag, "data end too early; the file is "
					  "truncated");
		close(copy);
		if (size < 9 + 7)
			break;
	}
	ok(good, "cut anywhere, it is told so");
}

static void test_garbled(size_t i)
{
	bool good = true;

	packed_bytes = formats[i].pack(&image, sizeof(image));
	for (size_t at = 0; at < packed_bytes; at += 3) {
		struct diag diag = {0};
		struct profile *p;

		packed[at] ^= 0x41;
		put_packed();
		p = profile_read(path, &diag);
		good &= p ? profile_is_valid(p)
			  : diag.set && !strchr(diag.text, '\n');
		profile_free(p);
		packed[at] ^= 0x41;
	}
	ok(good, "garbled anywhere, it does no harm");
}

static bool is_too_large(struct core_bounds bounds, const char *why)
{
	struct diag diag = {0};
	int copy = dup(fd);
	bool good = !core_unpack(&copy, "it", bounds, &diag) &&
		    is_refused(&diag, why);

	close(copy);
	return good;
}

/* A core file that goes on and on: with zeros, and with what takes room. */
static void test_bomb(size_t i)
{
	char *bomb = malloc(BOMB_BYTES);

	if (!bomb)
		exit(99);
	memset(bomb, 0, BOMB_BYTES);
	memcpy(bomb, &image, sizeof(image));
	packed_bytes = formats[i].pack(bomb, BOMB_BYTES);
	put_packed();
	ok(is_too_large((struct core_bounds){BOMB_BYTES / 2, BOMB_BYTES},
			"it holds more than 32 MiB, and so much is not "
			"unpacked here"),
	   "more than may be is refused, with the bound");
	memset(bomb + sizeof(image), 'a', BOMB_BYTES - sizeof(image));
	packed_bytes = formats[i].pack(bomb, BOMB_BYTES);
	put_packed();
	ok(is_too_large((struct core_bounds){BOMB_BYTES, BOMB_BYTES / 4},
			"it holds more than 16 MiB, and so much"),
	   "more than may be stored, too");
	free(bomb);
}

static void test_others(size_t i)
{
	static const char text[4096] = "Something else\n";
	struct diag diag = {0};
	int copy = dup(fd);
	struct profile *p;

	packed_bytes = formats[i].pack(text, sizeof(text));
	put_packed();
	ok(!core_unpack(&copy, "it", CORE_BOUNDS_DEFAULT, &diag) &&
		   is_refused(&diag, "it is packed, but no core file of a "
				     "64-bit machine is in it"),
	   "what is no core file is not unpacked");
	close(copy);
	diag_clear(&diag);
	p = profile_read(path, &diag);
	ok(!p && is_refused(&diag, "is no heap profile"),
	   "and is no profile either");
	packed_bytes = formats[i].pack(NULL, 0);
	put_packed();
	diag_clear(&diag);
	p = profile_read(path, &diag);
	ok(!p && is_refused(&diag, "is empty"), "nor is nothing at all");
}

/* The header of a block that wants a dictionary of 4 GiB to be unpacked. */
static void test_memory(void)
{
	uint8_t *block;
	size_t header_bytes;
	uint32_t sum;

	packed_bytes = pack_xz(&image, sizeof(image));
	block = packed + LZMA_STREAM_HEADER_SIZE;
	header_bytes = lzma_block_header_size_decode(block[0]);
	for (size_t at = 1; at < header_bytes - 6; at++)
		if (block[at] == LZMA_FILTER_LZMA2 && block[at + 1] == 1)
			block[at + 2] = 40;
	sum = lzma_crc32(block, header_bytes - 4, 0);
	memcpy(block + header_bytes - 4, &sum, 4);
	put_packed();
	ok(is_too_large(CORE_BOUNDS_DEFAULT,
			"it: the xz data are damaged: they want more than 256 "
			"MiB of memory"),
	   "memory for it is bounded");
}

static void test_folder(void)
{
	struct diag diag = {0};
	int copy = dup(fd);

	packed_bytes = pack_zstd(&image, sizeof(image));
	put_packed();
	setenv("TMPDIR", "/nowhere", 1);
	ok(!core_unpack(&copy, "it", CORE_BOUNDS_DEFAULT, &diag) &&
		   is_refused(&diag, "cannot unpack it into a file in "
				     "/nowhere (TMPDIR names another "
				     "folder): No such file"),
	   "a folder that is not there is named");
	unsetenv("TMPDIR");
	close(copy);
}

int main(void)
{
	plan(FORMATS * 13 + 2);
	alarm(300);
	fd = memfd_create("core", MFD_CLOEXEC);
	if (fd < 0)
		exit(77);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	core_image_fill(&image);
	for (size_t i = 0; i < FORMATS; i++) {
		test_good(i);
		test_content(i);
		test_two(i);
		test_cut(i);
		test_garbled(i);
		test_bomb(i);
		test_others(i);
	}
	test_memory();
	test_folder();
	return done_testing();
}
