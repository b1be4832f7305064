/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of option strings: what it sets, what it refuses, and how it
 * says so.
 */
#include "config.h"

#include "liballoc/ctl/conf.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <fcntl.h>

#include "liballoc/ctl/option_table.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "tap/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char said[4096];

static void capture(void *opaque, const char *text)
{
	size_t used = strlen(said);

	(void)opaque;
	snprintf(said + used, sizeof(said) - used, "%s", text);
}

struct bad_case {
	const char *text;
	const char *says;
};

static const struct bad_case bad_cases[] = {
	{"nonsense:1", "<liballoc>: Invalid conf pair: nonsense:1\n"},
	{"prof:maybe", "<liballoc>: Invalid conf value: prof:maybe\n"},
	{"prof:", "<liballoc>: Invalid conf value: prof:\n"},
	{"prof:TRUE", "<liballoc>: Invalid conf value: prof:TRUE\n"},
	{"prof", "<liballoc>: Conf string ends with key\n"},
	{"prof:false,", "<liballoc>: Conf string ends with comma\n"},
	{"prof=false", "<liballoc>: Malformed conf string\n"},
	{":false", "<liballoc>: Malformed conf string\n"},
	{",prof:false", "<liballoc>: Malformed conf string\n"},
	{"prof :false", "<liballoc>: Malformed conf string\n"},
	{"narenas:0", "<liballoc>: Out-of-range conf value: narenas:0\n"},
	{"narenas:-1", "<liballoc>: Out-of-range conf value: narenas:-1\n"},
	{"narenas:two", "<liballoc>: Invalid conf value: narenas:two\n"},
	{"narenas:2k", "<liballoc>: Invalid conf value: narenas:2k\n"},
	{"narenas:0x", "<liballoc>: Invalid conf value: narenas:0x\n"},
	{"narenas:", "<liballoc>: Invalid conf value: narenas:\n"},
	{"narenas:-", "<liballoc>: Invalid conf value: narenas:-\n"},
	{"narenas: ", "<liballoc>: Invalid conf value: narenas: \n"},
	{"narenas:2 ", "<liballoc>: Invalid conf value: narenas:2 \n"},
	{"narenas:99999999999999999999999",
	 "<liballoc>: Invalid conf value: narenas:99999999999999999999999\n"},
	{"mutex_max_spin:18446744073709551616",
	 "<liballoc>: Invalid conf value: "
	 "mutex_max_spin:18446744073709551616\n"},
	{"lg_prof_sample:default",
	 "<liballoc>: Invalid conf value: lg_prof_sample:default\n"},
	{"dirty_decay_ms:-2",
	 "<liballoc>: Out-of-range conf value: dirty_decay_ms:-2\n"},
	{"zero_realloc:no",
	 "<liballoc>: Invalid conf value: zero_realloc:no\n"},
	{"zero_realloc:fre",
	 "<liballoc>: Invalid conf value: zero_realloc:fre\n"},
	{"percpu_arena:", "<liballoc>: Invalid conf value: percpu_arena:\n"},
	{"dss:primary", "<liballoc>: Invalid conf value: dss:primary\n"},
	{"stats_interval:-2",
	 "<liballoc>: Out-of-range conf value: stats_interval:-2\n"},
	{"experimental_:1", "<liballoc>: Invalid conf pair: experimental_:1\n"},
	{"background_thread:tru",
	 "<liballoc>: Invalid conf value: background_thread:tru\n"},
	{"junk:tru", "<liballoc>: Invalid conf value: junk:tru\n"},
	{"prof_dump_above:0%",
	 "<liballoc>: Invalid conf value: prof_dump_above:0%\n"},
	{"prof_dump_above:101%",
	 "<liballoc>: Invalid conf value: prof_dump_above:101%\n"},
	{"prof_dump_above:-1",
	 "<liballoc>: Invalid conf value: prof_dump_above:-1\n"},
	{"prof_dump_above:%",
	 "<liballoc>: Invalid conf value: prof_dump_above:%\n"},
	{"prof_dump_above:M",
	 "<liballoc>: Invalid conf value: prof_dump_above:M\n"},
	{"prof_dump_above:9M9",
	 "<liballoc>: Invalid conf value: prof_dump_above:9M9\n"},
	{"prof_dump_above:8388608T",
	 "<liballoc>: Invalid conf value: prof_dump_above:8388608T\n"},
	{"prof_dump_above:0000000000000000000000001",
	 "<liballoc>: Invalid conf value: "
	 "prof_dump_above:0000000000000000000000001\n"},
	{"prof_signal:SIGKILL",
	 "<liballoc>: Invalid conf value: prof_signal:SIGKILL\n"},
	{"a\x1b:\x07\n", "<liballoc>: Malformed conf string\n"},
	{"a:\x1b[2J", "<liballoc>: Invalid conf pair: a:?[2J\n"},
};

static void test_bad(void)
{
	for (unsigned i = 0; i < COUNT(bad_cases); i++) {
		struct options options = opt;

		said[0] = '\0';
		ok(!conf_apply(&options, bad_cases[i].text, CONF_REPORT),
		   "bad pair %u is refused", i);
		is_string(said, bad_cases[i].says, "and reported");
		options.prof = opt.prof;
		ok(memcmp(&options, &opt, sizeof(opt)) == 0,
		   "and sets nothing");
	}
}

static void test_overlong(void)
{
	static char text[OPTION_PATH_BYTES + 32];
	struct options options = opt;
	int head = snprintf(text, sizeof(text), "prof_prefix:");

	said[0] = '\0';
	memset(text + head, 'x', OPTION_PATH_BYTES);
	ok(!conf_apply(&options, text, CONF_REPORT), "too long a path");
	ok(strstr(said, "Too long conf value: prof_prefix:xxx") &&
		   strlen(said) < 256,
	   "is reported, and cut in the report");
	is_string(options.prof_prefix, "jeprof", "and not used");
	text[head + OPTION_PATH_BYTES - 1] = '\0';
	ok(conf_apply(&options, text, CONF_REPORT), "the longest path");
	is_uint(strlen(options.prof_prefix), OPTION_PATH_BYTES - 1,
		"is used whole");
}

static void test_amounts(void)
{
	struct options options = opt;
	const struct option_amount *above = &options.prof_dump_above;

	ok(conf_apply(&options, "prof_dump_above:2g,prof_dump_step:7%",
		      CONF_REPORT) &&
		   above->bytes == UINT64_C(2) << 30 && above->percent == 0 &&
		   options.prof_dump_step.bytes == 0 &&
		   options.prof_dump_step.percent == 7,
	   "bytes with a unit, and a percentage");
	is_string(above->text, "2g", "as they were given");
	ok(conf_apply(&options, "prof_dump_above:0x100", CONF_REPORT) &&
		   above->bytes == 256,
	   "bytes alone");
	ok(conf_apply(&options, "prof_dump_above:8388607T", CONF_REPORT) &&
		   above->bytes == UINT64_C(8388607) << 40,
	   "very many");
	ok(conf_apply(&options, "prof_dump_above:", CONF_REPORT) &&
		   above->bytes == 0 && above->percent == 0 && !*above->text,
	   "none");
}

static void test_good(void)
{
	struct options options = opt;

	said[0] = '\0';
	ok(conf_apply(&options, "", CONF_CONFIRM), "an empty string");
	ok(conf_apply(&options,
		      "abort:true,narenas:0x10,dirty_decay_ms:-1,"
		      "muzzy_decay_ms:010,prof:true,prof:false,prof_prefix:,"
		      "stats_print_opts:Jgm,stats_print_opts:gqJxx,"
		      "zero_realloc:abort,percpu_arena:phycpu,"
		      "mutex_max_spin:-1,experimental_foo:7,"
		      "lg_tcache_max:99,lg_prof_interval:+30,"
		      "prof_bt_max:1000000,lg_tcache_max:14,"
		      "prof_ledger_bytes:1",
		      CONF_REPORT),
	   "good pairs are taken");
	is_string(said, "", "without a word");
	ok(options.abort, "a boolean");
	is_uint(options.narenas, 16, "hexadecimal");
	is_int(options.dirty_decay_ms, -1, "negative");
	is_int(options.muzzy_decay_ms, 8, "octal");
	ok(!options.prof, "the later of two wins");
	is_string(options.prof_prefix, "", "an empty string is one");
	is_string(options.stats_print_opts, "Jgmx",
		  "letters add up, each once, and unknown ones pass");
	is_uint(options.zero_realloc, ZERO_REALLOC_ABORT, "a word");
	is_uint(options.percpu_arena, PERCPU_ARENA_PHYSICAL, "another");
	is_int(options.mutex_max_spin, -1, "a signed number of 64 bits");
	is_int(options.lg_prof_interval, 30, "with a plus");
	is_uint(options.prof_bt_max, 128, "clipped from above");
	is_uint(options.tcache_max, 16384, "lg_tcache_max is tcache_max");
	is_uint(options.prof_ledger_bytes, 1 << 20, "clipped from below");
	ok(conf_apply(&options,
		      "narenas:4096,lg_prof_sample:64,"
		      "max_background_threads:0,tcache_nslots_large: \t 7,"
		      "mutex_max_spin:18446744073709551615",
		      CONF_REPORT) &&
		   options.narenas == 4094 && options.lg_prof_sample == 63 &&
		   options.max_background_threads == 1 &&
		   options.tcache_nslots_large == 7 &&
		   options.mutex_max_spin == INT64_MAX,
	   "what is too much is the most, and blanks may come first");
	ok(conf_apply(&options, "narenas:default", CONF_REPORT) &&
		   options.narenas == 0,
	   "narenas:default");
}

static void test_goes_on(void)
{
	struct options options = opt;

	said[0] = '\0';
	ok(!conf_apply(&options, "a:1,abort:true,prof:no,zero:true",
		       CONF_REPORT),
	   "bad pairs among good ones");
	ok(options.abort && options.zero, "do not hide the good ones");
	is_string(said,
		  "<liballoc>: Invalid conf pair: a:1\n"
		  "<liballoc>: Invalid conf value: prof:no\n",
		  "each is reported");
	said[0] = '\0';
	conf_apply(&options, "a:1,prof:true", CONF_QUIET);
	is_string(said, "", "quiet says nothing");
	conf_apply(&options, "prof:true,thp:default", CONF_CONFIRM);
	is_string(said,
		  "<liballoc>: -- Set conf value: prof:true\n"
		  "<liballoc>: -- Set conf value: thp:default\n",
		  "confirm says what was set");
}

static bool takes(struct options *options, const struct option_row *row,
		  const char *value)
{
	char text[128];

	*options = opt;
	snprintf(text, sizeof(text), "%s:%s", option_key(row), value);
	return conf_apply(options, text, CONF_REPORT);
}

/* Each row takes the ends of its range, and its field tells them apart. */
static void test_rows(void)
{
	for (unsigned i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];
		struct options low, high;
		char min[32] = "false", max[32] = "true";

		if (row->type == OPTION_AMOUNT) {
			strcpy(min, "");
			strcpy(max, "100%");
		} else if (row->type == OPTION_STRING) {
			strcpy(min, "");
			strcpy(max, "a");
		} else if (row->type == OPTION_LETTERS) {
			strcpy(min, "?");
			strcpy(max, "a");
		} else if (row->type == OPTION_WORD) {
			unsigned last = 0;

			while (option_word(row, last + 1))
				last++;
			strcpy(min, option_word(row, 0));
			strcpy(max, option_word(row, last));
		} else if (row->type != OPTION_BOOL) {
			snprintf(min, sizeof(min), "%" PRId64, row->min);
			snprintf(max, sizeof(max), "%" PRId64, row->max);
		}
		ok(takes(&low, row, min) && takes(&high, row, max) &&
			   (memcmp(&low, &high, sizeof(low)) != 0 ||
			    strcmp(min, max) == 0),
		   "%s takes %s and %s", row->name, min, max);
	}
}

static void test_ignored(void)
{
	for (unsigned i = 0; i < option_ignored_count; i++) {
		const struct option_ignored *row = &option_ignored_rows[i];
		struct options options = opt;
		char text[128], value[64];

		snprintf(value, sizeof(value), "%s",
			 row->values[0] != '\0' ? row->values : "7");
		value[strcspn(value, "|")] = '\0';
		snprintf(text, sizeof(text), "%s:%s", row->key, value);
		said[0] = '\0';
		ok(conf_apply(&options, text, CONF_REPORT) && !said[0] &&
			   memcmp(&options, &opt, sizeof(opt)) == 0,
		   "%s is ignored in silence", text);
	}
}

static void put_file(const char *path, const char *text, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		_exit(99);
	close(fd);
}

static void test_file(void)
{
	static char big[CONF_FILE_BYTES + 10];
	char text[CONF_FILE_BYTES];
	char folder[] = "/tmp/conf-XXXXXX";

	if (!mkdtemp(folder) || chdir(folder) != 0)
		_exit(99);
	ok(!conf_read_file("none", text) && !*text, "no file");
	if (symlink("prof:false,abort:true", "link") != 0)
		_exit(99);
	ok(conf_read_file("link", text), "a link");
	is_string(text, "prof:false,abort:true", "says it by its target");
	put_file("file", "\nprof:false\n\nabort:true,\nzero:true\n\n", 37);
	ok(conf_read_file("file", text), "a file");
	is_string(text, "prof:false,abort:true,zero:true",
		  "says it by its lines");
	put_file("file", "", 0);
	ok(conf_read_file("file", text) && !*text, "an empty file");
	memset(big, 'a', sizeof(big));
	put_file("file", big, sizeof(big));
	said[0] = '\0';
	ok(!conf_read_file("file", text) && !*text, "an enormous file");
	is_string(said, "<liballoc>: Too long, not used: file\n",
		  "is reported");
	ok(!conf_read_file(".", text) && !*text, "a folder");
	unlink("file");
	unlink("link");
	if (chdir("/") == 0)
		rmdir(folder);
}

int main(void)
{
	plan(3 * COUNT(bad_cases) + 5 + 5 + 19 + 5 + option_count +
	     option_ignored_count + 9);
	malloc_message = capture;
	test_bad();
	test_overlong();
	test_amounts();
	test_good();
	test_goes_on();
	test_rows();
	test_ignored();
	test_file();
	return done_testing();
}
