/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in and out: packed, cut, endless, unwritable, abandoned.
 */
#include "config.h"

#include "libjeheap/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "tap/tap.h"

static struct arena arena;

static void put(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(name, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		abort();
}

static bool reads(const char *name, struct str want)
{
	struct diag diag = {0};
	struct str content;

	return file_read(&arena, name, NULL, &content, &diag) &&
	       str_equal(content, want);
}

static const char *error_of(const char *name)
{
	static struct diag diag;
	struct str content;

	diag_clear(&diag);
	if (file_read(&arena, name, NULL, &content, &diag))
		return "(none)";
	return diag.text;
}

static struct str gzip_of(struct str plain)
{
	z_stream z = {0};
	char *packed = arena_alloc(&arena, plain.len + 1000);

	z.next_in = (z_const Bytef *)(uintptr_t)plain.ptr;
	z.avail_in = (uInt)plain.len;
	z.next_out = (Bytef *)packed;
	z.avail_out = (uInt)plain.len + 1000;
	if (deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) !=
		    Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&z);
	return (struct str){packed, z.total_out};
}

static struct str long_text(void)
{
	struct text text = {.arena = &arena};
	int i;

	for (i = 0; i < 40000; i++)
		text_printf(&text, "line %d\n", i * 7919);
	return text_str(&text);
}

static void test_plain(void)
{
	put("plain", "abc", 3);
	ok(reads("plain", STR("abc")), "a plain file");
	put("empty", "", 0);
	ok(reads("empty", STR("")), "an empty file");
	is_string(error_of("absent"),
		  "cannot open absent: No such file or directory", "no file");
	is_string(error_of("."), "cannot read .: it is a directory",
		  "a directory");
}

static void test_gzip(void)
{
	struct str plain = long_text(), packed = gzip_of(plain);
	struct text two = {.arena = &arena};

	put("packed", packed.ptr, packed.len);
	ok(reads("packed", plain), "a gzip file");
	put("cut", packed.ptr, packed.len / 2);
	is_string(error_of("cut"),
		  "cut: the gzip data end too early; the file is truncated: "
		  "copy it again",
		  "a cut gzip file");
	text_add(&two, gzip_of(STR("ab")));
	text_add(&two, gzip_of(STR("cd")));
	text_add(&two, (struct str){"\0\0\0", 3});
	put("two", two.ptr, two.len);
	ok(reads("two", STR("abcd")), "two members and padding");
	text_add(&two, STR("x"));
	put("tail", two.ptr, two.len);
	ok(strncmp(error_of("tail"), "tail: the gzip data are damaged", 31) ==
		   0,
	   "rubbish behind the members");
}

static void test_zstd(void)
{
	struct str plain = long_text();
	size_t room = ZSTD_compressBound(plain.len);
	char *packed = arena_alloc(&arena, room);
	size_t size = ZSTD_compress(packed, room, plain.ptr, plain.len, 3);

	put("z", packed, size);
	ok(reads("z", plain), "a zstd file");
	put("zcut", packed, size / 2);
	ok(strstr(error_of("zcut"), "end too early") != NULL, "a cut one");
	packed[size / 2] ^= 0x55;
	packed[size / 2 + 1] ^= 0x55;
	packed[5] ^= 0xff;
	put("zbad", packed, size);
	ok(strncmp(error_of("zbad"), "zbad: the zstd data are damaged", 31) ==
		   0,
	   "a damaged one");
}

static void test_bomb(void)
{
	struct str zeros = {arena_alloc(&arena, 8 << 20), 8 << 20};
	struct diag diag = {0};
	struct str content;

	ok(!file_unpack(&arena, gzip_of(zeros), "bomb", 4 << 20, &content,
			&diag),
	   "more than the limit is refused");
	is_string(diag.text,
		  "bomb: holds more than 4 MiB, which no profile does; is it "
		  "the right file?",
		  "with the limit");
}

static bool no_zeros(struct str start, const char *name, struct diag *diag)
{
	return *start.ptr || diag_set(diag, "%s: begins with zero", name);
}

static void test_judge(void)
{
	struct str zeros = {arena_alloc(&arena, 1 << 20), 1 << 20};
	struct str packed = gzip_of(zeros);
	struct diag endless = {0}, sparse = {0}, bomb = {0}, large = {0};
	struct str content;

	ok(!file_read(&arena, "/dev/zero", no_zeros, &content, &endless),
	   "an endless input is refused by its beginning");
	is_string(endless.text, "/dev/zero: begins with zero", "at once");
	put("zeros.gz", packed.ptr, packed.len);
	ok(!file_read(&arena, "zeros.gz", no_zeros, &content, &bomb),
	   "so is a packed one");
	is_string(bomb.text, "zeros.gz: begins with zero", "when unpacked");
	put("huge", "x", 1);
	ok(truncate("huge", INT64_C(5) << 30) == 0 &&
		   !file_read(&arena, "huge", no_zeros, &content, &large),
	   "a huge file is refused without reading it");
	is_string(large.text,
		  "huge: holds more than 1024 MiB, which no profile does; is "
		  "it the right file?",
		  "by its size");
	put("sparse", "", 0);
	ok(truncate("sparse", INT64_C(5) << 30) == 0 &&
		   !file_read(&arena, "sparse", no_zeros, &content, &sparse),
	   "and where its beginning tells more,");
	is_string(sparse.text, "sparse: begins with zero", "by that");
}

static int entries(void)
{
	DIR *dir = opendir(".");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void test_output(void)
{
	struct diag diag = {0};
	struct output out;
	struct stat info;
	int before = entries();

	ok(output_open(&out, "new", &diag), "open an output");
	fputs("content", out.stream);
	ok(access("new", F_OK) != 0, "it is not there until it is complete");
	output_abandon(&out);
	is_int(entries(), before, "an abandoned output leaves nothing");
	output_open(&out, "new", &diag);
	fputs("content", out.stream);
	ok(output_close(&out, &diag) && reads("new", STR("content")),
	   "then it is");
	is_int(entries(), before + 1, "and nothing else");
	if (symlink("new", "link") != 0 || chmod("new", 0600) != 0)
		abort();
	output_open(&out, "link", &diag);
	fputs("more", out.stream);
	ok(output_close(&out, &diag) && reads("new", STR("more")) &&
		   lstat("link", &info) == 0 && S_ISLNK(info.st_mode),
	   "a link is written through");
	ok(stat("new", &info) == 0 && (info.st_mode & 0777) == 0600,
	   "the file keeps its mode");
}

static void test_bad_output(void)
{
	struct diag diag = {0};
	struct output out;
	int ends[2], saved = dup(STDOUT_FILENO);

	ok(!output_open(&out, "no/such/folder", &diag), "no folder");
	is_string(diag.text,
		  "cannot write no/such/folder: No such file or directory",
		  "is an error that names the file");
	diag_clear(&diag);
	ok(!output_open(&out, ".", &diag), "a folder is no output");
	diag_clear(&diag);
	if (access("/dev/full", W_OK) != 0) {
		skip("a full device", "no /dev/full");
	} else {
		output_open(&out, "/dev/full", &diag);
		fputs("x", out.stream);
		output_close(&out, &diag);
		is_string(diag.text,
			  "cannot write /dev/full: No space left on device",
			  "a full device");
	}
	diag_clear(&diag);
	if (pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0)
		abort();
	close(ends[0]);
	output_open(&out, NULL, &diag);
	fputs(long_text().ptr, out.stream);
	output_close(&out, &diag);
	dup2(saved, STDOUT_FILENO);
	is_string(diag.text, "cannot write standard output: Broken pipe",
		  "a closed pipe");
}

int main(void)
{
	char folder[] = "/tmp/jeheap-unit-XXXXXX";

	plan(33);
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return 99;
	test_plain();
	test_gzip();
	test_zstd();
	test_bomb();
	test_judge();
	test_output();
	test_bad_output();
	arena_free(&arena);
	return system("rm -rf \"$PWD\"") != 0 || done_testing();
}
