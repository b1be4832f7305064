/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The readers, on the files of tests/data: totals, places and facts of the
 * good ones (the totals of good-jemalloc.heap are Perl jeprof's), the messages
 * of the bad ones.
 */
#include "config.h"

#include "libjeheap/profile/read.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libjeheap/profile/estimate.h"
#include "libjeheap/profile/protobuf.h"
#include "tap/tap.h"

static struct profile *load(const char *name, struct diag *diag)
{
	struct arena arena = {0};
	struct profile *profile;

	profile = profile_read(arena_printf(&arena, "%s/tests/data/%s",
					    getenv("top_srcdir"), name),
			       diag);
	arena_free(&arena);
	return profile;
}

static struct profile *good(const char *name)
{
	struct diag diag = {0};
	struct profile *profile = load(name, &diag);

	if (!ok(profile && profile_is_valid(profile), "%s is read", name)) {
		tap_line("# %s\n", diag.text);
		exit(1);
	}
	return profile;
}

static void is_total(const struct profile *p, enum sample_type t, double want)
{
	is_near(profile_total(p, t).total, want, 0.51, sample_type_names[t]);
}

static void is_str(struct str got, const char *want, const char *what)
{
	struct arena arena = {0};

	is_string(str_cstring(&arena, got), want, what);
	arena_free(&arena);
}

static const struct location *frame(const struct profile *p, size_t sample,
				    uint32_t depth)
{
	const struct stack *stack = &p->stacks[p->samples[sample].stack];

	return &p->locations[p->frames[stack->first + depth]];
}

static void test_jemalloc(void)
{
	struct profile *p = good("good-jemalloc.heap");

	is_total(p, INUSE_SPACE, 5818767);
	is_total(p, ALLOC_SPACE, 8870924);
	is_total(p, INUSE_OBJECTS, 7356.9);
	is_total(p, ALLOC_OBJECTS, 10325.9);
	is_uint(p->period_bytes, 4096, "the period");
	ok(p->has_alloc && !p->exact_sizes, "accumulated, sizes as means");
	is_uint(p->thread_count, 2, "its threads");
	is_uint(frame(p, 0, 4)->address, 0x558fe2a59186,
		"a location is the call, not the return");
	is_uint(frame(p, 0, 4)->offset, 0x1186, "its offset in the file");
	is_str(p->files[frame(p, 0, 4)->file].path, "/opt/demo/payments",
	       "its file");
	profile_free(p);
}

static void test_liballoc_facts(const struct profile *p)
{
	is_uint(p->time_ns, UINT64_C(1750000000000000000), "its time");
	is_uint(p->start_time_ns, UINT64_C(1749999990000000000), "its start");
	is_int(p->pid, 4121, "its pid");
	is_str(p->command, "/opt/demo/app --leak", "its command");
	ok(p->dropped_samples == 3 && p->dropped_bytes == 4096, "its losses");
	is_str(p->threads[1].name, "worker one", "a thread's name");
	is_str(p->files[0].build_id,
	       "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd"
	       "\xef\x01\x23\x45\x67",
	       "a build-id");
	is_str(p->files[1].path, "/opt/demo/lib with space.so",
	       "a path with a space");
	is_uint(p->file_count, 3, "the program, a library, the vdso");
}

static void test_liballoc(const char *name)
{
	struct profile *p = good(name);
	double p64 = -expm1(-64.0 / 65536), p1024 = -expm1(-1024.0 / 65536);
	struct value v = profile_total(p, INUSE_SPACE);

	is_near(v.total, 2 * 64 / p64 + 4 * 1024 / p1024, 0.001,
		"an exact estimate");
	is_near(v.variance /
			(2 * 64 * 64 * (1 - p64) / (p64 * p64) +
			 4 * 1024 * 1024.0 * (1 - p1024) / (p1024 * p1024)),
		1, 1e-9, "an exact variance");
	is_uint(p->sample_count, 4, "a sample a size and thread");
	ok(p->exact_sizes, "sizes are exact");
	test_liballoc_facts(p);
	profile_free(p);
}

static void test_older(void)
{
	struct profile *p = good("good-heapprofile.heap");

	is_total(p, INUSE_SPACE, 163840);
	is_total(p, ALLOC_OBJECTS, 130);
	ok(profile_total(p, ALLOC_SPACE).variance == 0, "without error");
	profile_free(p);
	p = good("good-heapz-v2.heap");
	is_total(p, INUSE_SPACE,
		 131072 / -expm1(-0.125) + 65536 / -expm1(-0.125));
	is_uint(p->comment_count, 2, "warnings are kept as comments");
	profile_free(p);
	p = good("good-heap-v1.heap");
	is_total(p, INUSE_SPACE, 2 * 131072 + 200000);
	is_uint(p->period_bytes, 131072, "half of what the header says");
	profile_free(p);
	p = good("good-oldest.heap");
	is_total(p, INUSE_SPACE, 2 * 131072);
	profile_free(p);
	p = good("good-growth.heap");
	is_total(p, INUSE_SPACE, 2 << 20);
	is_str(p->files[0].path, "/opt/demo/app", "build= is filled in");
	profile_free(p);
}

static void test_crlf(void)
{
	struct profile *p = good("good-crlf.heap");

	is_total(p, INUSE_OBJECTS, 2 / -expm1(-64.0 / 4096));
	is_str(p->threads[0].name, "worker one", "a name without its CR");
	is_str(p->files[0].path, "/opt/demo/app", "the mark of deletion goes");
	ok(p->files[0].deleted, "and is noted");
	profile_free(p);
}

static struct str name_of(const struct profile *p,
			  const struct location *location, uint32_t line)
{
	if (line >= location->line_count)
		return (struct str){0};
	return p->functions[location->lines[line].function].name;
}

static void test_symbolized(void)
{
	struct profile *p = good("good-symbolized.raw");

	is_str(name_of(p, frame(p, 0, 0), 0), "allocate", "the leaf's name");
	is_str(name_of(p, frame(p, 0, 1), 0),
	       "std::vector<int, std::allocator<int> >::push_back(int const&)",
	       "an inlined name comes first");
	is_str(name_of(p, frame(p, 0, 1), 1), "parse", "the outer one next");
	is_str(name_of(p, frame(p, 1, 1), 0), "operator--(int)",
	       "dashes are restored");
	is_uint(frame(p, 1, 2)->line_count, 0, "an address is no name");
	profile_free(p);
}

static void test_lives(void)
{
	struct profile *p = good("good-lives.raw");
	const struct lives *lives = p->samples[0].lives;

	ok(lives && lives->freed == 10 && lives->elsewhere == 4,
	   "what was freed, and elsewhere");
	ok(lives && lives->words[0] == 1 && lives->words[8] == 8 &&
		   lives->words[31] == 1,
	   "its lifetimes");
	ok(!p->samples[2].lives && p->samples[2].block_bytes == 2048,
	   "a size without frees between two with them");
	profile_free(p);
}

/* Each at its own: 4096 bytes are sampled with p = 1 - exp(-4096 / 2^lg). */
static void test_rates(void)
{
	struct profile *p = good("good-rates.heap");
	double often = -expm1(-1), seldom = -expm1(-1 / 16.0);

	is_near(profile_total(p, INUSE_OBJECTS).total, 1 / often + 4 / seldom,
		1e-9, "objects of two rates");
	is_near(profile_total(p, ALLOC_SPACE).total,
		4096 * (2 / often + 4 / seldom), 1e-6, "and bytes");
	ok(p->sample_count == 2 && (p->samples[0].lives || p->samples[1].lives),
	   "frees belong to the line above");
	profile_free(p);
}

/* Two objects of 65 pages and one of 80 are in use, another 65 are freed. */
static void test_squares(void)
{
	struct profile *p = good("good-squares.heap");
	double u65 = 65 / 256.0, u80 = 80 / 256.0;
	double each65 = pow(2 * sinh(u65 / 2), -2);
	double each80 = pow(2 * sinh(u80 / 2), -2);
	double one64 = pow(2 * sinh(64 / 1048576.0 / 2), -2);

	is_near(profile_total(p, INUSE_SPACE).total / 4096,
		(2 * 65 / -expm1(-u65) + 2 * 80 / -expm1(-u80) +
		 1 / 64.0 / -expm1(-64 / 1048576.0)),
		0.05, "sizes of one class");
	is_near((profile_total(p, ALLOC_OBJECTS).variance - one64) /
			(3 * each65 + 2 * each80),
		1, 0.005, "have the error of their own sizes");
	ok(p->samples[1].lives && p->samples[1].lives->freed == 1,
	   "and their frees");
	profile_free(p);
}

static void test_pprof(const char *name)
{
	struct profile *p = good(name);
	const struct location *l = frame(p, 0, 0);

	is_total(p, INUSE_SPACE, 2048 - 1000);
	is_total(p, ALLOC_OBJECTS, 13);
	is_uint(p->period_bytes, 524288, "the period");
	is_near(p->samples[0].inuse_samples, 4 * -expm1(-512.0 / 524288), 1e-9,
		"the samples behind a value");
	ok(p->samples[0].block_bytes == 512 && p->samples[1].block_bytes == 0,
	   "label bytes");
	is_str(name_of(p, l, 0), "main.inlined", "an inlined frame");
	is_str(name_of(p, l, 1), "main.handle", "and the one around it");
	is_uint(l->lines[1].line, 10, "its line");
	is_str(p->files[l->file].build_id, "go1.19/build-id", "Go's build-id");
	is_uint(frame(p, 1, 1)->mapping, NONE, "a frame without an address");
	is_str(name_of(p, frame(p, 1, 1), 0), "runtime.main", "has a name");
	is_str(p->comments[0], "a comment", "the comment");
	profile_free(p);
}

static const struct {
	const char *name;
	const char *want; /* the message's end, behind the folder */
} bad[] = {
	{"bad-absent.heap", ": No such file or directory"},
	{"bad-empty.heap", ": is empty: no dump was written, or its writer was "
			   "killed; take another"},
	{"bad-only-warnings.heap", ": is empty: no dump was written"},
	{"bad-cut-in-stacks.heap",
	 ": ends without MAPPED_LIBRARIES: the dump is truncated (its writer "
	 "was killed, or the disk is full); take another"},
	{"bad-cut-in-maps.heap", ": ends within a line of MAPPED_LIBRARIES"},
	{"bad-cut.heap.gz", ": the gzip data end too early"},
	{"bad-overflow.heap", ":6: counts are expected: "},
	{"bad-sum-overflow.heap", ":5: the counts of the stack above do not "},
	{"bad-negative.heap", ":3: counts are expected: \"t*: -5: 1 [0: 0]\""},
	{"bad-garbled-line.heap", ":5: an address is expected"},
	{"bad-nul.heap", ":3: counts are expected"},
	{"bad-address.heap", ":2: an address is expected"},
	{"bad-period.heap", ":1: heap_v2/PERIOD is expected"},
	{"bad-spectrum.heap", ":4: an extension line is malformed"},
	{"bad-rate.heap", ":8: an extension line is malformed"},
	{"bad-squares.heap", ":9: an extension line is malformed"},
	{"bad-squares-size.heap", ":9: an extension line is malformed"},
	{"bad-freed.raw", ":24: an extension line is malformed"},
	{"bad-record-without-stack.heap", ":2: a record has no stack"},
	{"bad-symbolized-cut.raw", ":3: the table of symbols has no end"},
	{"bad-cut.pb", ": at byte 1"},
	{"bad-cpu.pb", ": is no heap profile: its sample type is cpu"},
	{"bad-no-location.pb", "there is no location 99; the file is damaged"},
	{"bad-few-values.pb", "a sample has fewer values than 4"},
	{"bad-few-strings.pb", "there is no string "},
	{"bad-contention.prof", ": is a profile of lock contention"},
	{"bad-prof-log.json", ": looks like JSON"},
	{"bad-text.txt", ": is no heap profile: it does not begin with "},
};

static void test_bad(void)
{
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct diag diag = {0};
		struct profile *profile = load(bad[i].name, &diag);

		if (!ok(!profile && strstr(diag.text, bad[i].want) &&
				strstr(diag.text, bad[i].name) &&
				!strchr(diag.text, '\x1b'),
			"%s is refused with its reason", bad[i].name))
			tap_line("# got \"%s\"\n", diag.text);
		profile_free(profile);
	}
}

static struct profile *parse(const char *text, struct diag *diag)
{
	return profile_parse(str_of(text), "x", diag);
}

/* Large inputs that say nothing end soon, whatever they say. */
static void test_large(void)
{
	size_t size = 100 << 20;
	char *data = malloc(size + 1);
	struct diag diag = {0};
	struct profile *p;

	if (!data)
		exit(99);
	memset(data, '@', size);
	data[size] = '\0';
	ok(!parse(data, &diag), "100 MiB of '@'");
	memcpy(data, "heap_v2/9\n", 10);
	diag_clear(&diag);
	ok(!parse(data, &diag), "with a header");
	for (size_t i = 10; i + 2 <= size / 50; i += 2)
		memcpy(data + i, "1 ", 2);
	memcpy(data + 10, "@ ", 2);
	data[size / 50] = '\0';
	diag_clear(&diag);
	ok(!parse(data, &diag), "a stack of a million frames");
	memcpy(data, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11);
	diag_clear(&diag);
	p = profile_parse((struct str){data, 10}, "x", &diag);
	ok(!p, "a field of 2^63 bytes");
	free(data);
}

static void put_message(struct text *out, uint32_t number, struct text *part)
{
	proto_put_element(out, number, text_str(part));
	part->len = 0;
}

/*
 * A file of 2 MB that names one long string in each of its functions and
 * comments must not grow by that string each time.
 */
static void test_amplification(void)
{
	enum { FUNCTIONS = 100000 };
	struct arena arena = {0};
	struct text out = {.arena = &arena}, part = {.arena = &arena};
	struct str name = {arena_alloc(&arena, 60000), 60000};
	struct diag diag = {0};
	struct rusage before, after;
	struct profile *p;
	uint64_t i;

	proto_put_element(&out, 6, (struct str){0});
	proto_put_element(&out, 6, STR("inuse_space"));
	proto_put_element(&out, 6, name);
	proto_put_uint(&part, 1, 1);
	put_message(&out, 1, &part);
	for (i = 1; i <= FUNCTIONS; i++) {
		proto_put_uint(&part, 1, i);
		proto_put_uint(&part, 2, 2);
		proto_put_uint(&part, 5, i);
		put_message(&out, 5, &part);
		proto_put_uint(&out, 13, 2);
	}
	getrusage(RUSAGE_SELF, &before);
	p = profile_parse(text_str(&out), "x", &diag);
	getrusage(RUSAGE_SELF, &after);
	ok(p && p->function_count == FUNCTIONS, "a string named often");
	ok(after.ru_maxrss - before.ru_maxrss < 200 << 10,
	   "is kept once, not %d times", FUNCTIONS);
	profile_free(p);
	arena_free(&arena);
}

static void test_corners(void)
{
	struct diag diag = {0};
	struct profile *p =
		parse("heap_v2/4096\n"
		      "@\n  t*: 1: 8 [0: 0]\n"
		      "@ 0x5\n  t*: 0: 0 [0: 0]\n"
		      "@ 0x7\n  t*: 1: 8 [0: 0]\n"
		      "@ 0x7\n  t*: 1: 8 [0: 0]\n"
		      "@ 0x9\n  t*: 2: 64 [0: 0]\n  t1: 0: 0 [1: 9]\n"
		      "@ 0xb\n  t1: 1: 64 [0: 0]\n"
		      "\nMAPPED_LIBRARIES:\n",
		      &diag);

	ok(p && profile_is_valid(p), "%s", p ? "corner cases" : diag.text);
	is_uint(p->stacks[p->samples[0].stack].count, 1,
		"a stack without frames has one that is nowhere");
	is_uint(p->samples[1].stack, p->samples[2].stack,
		"a stack that comes twice is one");
	is_near(p->samples[3].value[INUSE_SPACE].total,
		64 / -expm1(-32. / 4096), 1e-6,
		"what no thread has is not lost");
	is_near(p->samples[4].value[INUSE_SPACE].total,
		64 / -expm1(-64. / 4096), 1e-6, "threads without their sum");
	profile_free(p);
}

/* One of 0 bytes is none: estimates would divide by it. */
static void test_no_period(void)
{
	struct diag diag = {0};
	struct profile *p = parse("heap_v2/4096\n"
				  "# period_bytes 0\n"
				  "@ 0x5\n  t*: 1: 8 [0: 0]\n"
				  "\nMAPPED_LIBRARIES:\n",
				  &diag);

	ok(p && profile_is_valid(p), "a line with a period of 0");
	is_uint(p->period_bytes, 4096, "the header's holds");
	is_near(profile_total(p, INUSE_SPACE).total, 8 / -expm1(-8. / 4096),
		1e-6, "and is what is estimated by");
	profile_free(p);
}

static void test_input(void)
{
	int pid = 0;

	ok(input_is_pid("4121", &pid) && pid == 4121, "digits are a pid");
	ok(!input_is_pid("0", &pid) && !input_is_pid("41x", &pid) &&
		   !input_is_pid("", &pid) && !input_is_pid("-", &pid) &&
		   !input_is_pid("99999999999", &pid),
	   "these are none");
}

int main(void)
{
	plan(189);
	alarm(60);
	test_jemalloc();
	test_liballoc("good-liballoc.heap");
	test_liballoc("good-liballoc.heap.gz");
	test_liballoc("good-liballoc.heap.zst");
	test_liballoc("good-liballoc.heap.xz");
	test_liballoc("good-liballoc.heap.lz4");
	test_older();
	test_crlf();
	test_symbolized();
	test_lives();
	test_rates();
	test_squares();
	test_pprof("good-go.pb.gz");
	test_pprof("good-plain.pb");
	test_bad();
	test_amplification();
	test_large();
	test_corners();
	test_no_period();
	test_input();
	return done_testing();
}
