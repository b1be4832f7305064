/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums, differences, filters and matches, on profiles made by hand: two
 * processes of one program at different addresses, and a rebuilt one.
 */
#include "config.h"

#include "libjeheap/profile/transform.h"
#include "tap/tap.h"

#define FRAMES 3

/* A process: program at `base`, library at `base` + 0x100000. */
static struct profile *process(uint64_t base, const char *build_id)
{
	struct profile *p = profile_new();
	uint32_t program =
		profile_file(p, STR("/bin/app"), str_of(build_id), false);
	uint32_t library =
		profile_file(p, STR("/lib/libx.so"), STR("libx"), false);

	p->source = STR("test");
	profile_add_mapping(p, base, base + 0x10000, 0x1000, program);
	profile_add_mapping(p, base + 0x100000, base + 0x110000, 0, library);
	profile_seal_mappings(p);
	p->has_alloc = true;
	return p;
}

static uint32_t named(struct profile *p, uint64_t address, const char *name,
		      const char *inlined)
{
	uint32_t location = profile_location(p, address), count = 0;
	struct line *lines = ARENA_ARRAY(p->arena, 2, struct line);

	if (inlined)
		lines[count++] = (struct line){
			profile_function(p, str_of(inlined), STR(""),
					 STR("inline.h"), 1),
			7, 0};
	if (name)
		lines[count++] =
			(struct line){profile_function(p, str_of(name), STR(""),
						       STR("app.c"), 1),
				      42, 0};
	p->locations[location].lines = lines;
	p->locations[location].line_count = count;
	return location;
}

static struct sample *add(struct profile *p, uint32_t stack, uint64_t thread,
			  double bytes)
{
	struct sample *s = profile_add_sample(
		p, stack, profile_thread(p, thread, STR("")), 16);

	s->value[INUSE_SPACE] = (struct value){bytes, 10};
	s->value[INUSE_OBJECTS] = (struct value){bytes / 16, 1};
	s->inuse_samples = 2;
	return s;
}

/* leaf in the library; middle(with an inlined frame); root */
static uint32_t stack_of(struct profile *p, uint64_t base, uint64_t shift,
			 const char *root)
{
	uint32_t frames[FRAMES] = {
		named(p, base + 0x100010, "leaf", NULL),
		named(p, base + 0x200 + shift, "middle", "helper"),
		named(p, base + 0x300 + shift + (uint64_t)root[0], root, NULL)};

	return profile_stack(p, frames, FRAMES);
}

static double total(const struct profile *p)
{
	return profile_total(p, INUSE_SPACE).total;
}

static void test_add(void)
{
	struct profile *a = process(0x400000, "id"),
		       *b = process(0x7000000, "id");
	struct value sum;

	add(a, stack_of(a, 0x400000, 0, "main"), 1, 1000);
	add(b, stack_of(b, 0x7000000, 0, "main"), 1, 400);
	add(b, stack_of(b, 0x7000000, 0, "other"), 2, 50);
	profile_add(a, b, -1);
	is_uint(a->stack_count, 2, "the same stack elsewhere is the same");
	is_uint(a->mapping_count, 2, "mappings too");
	is_uint(a->function_count, 5, "functions too");
	is_uint(a->locations[3].address, 0x400300 + 'o',
		"addresses move to the first process");
	sum = profile_total(a, INUSE_SPACE);
	ok(sum.total == 550 && sum.variance == 30,
	   "totals subtract, variances add");
	ok(a->samples[1].inuse_samples == -2, "the base's samples count less");
	is_uint(a->thread_count, 2, "threads are joined by uid");
	profile_scale(a, -2);
	sum = profile_total(a, INUSE_SPACE);
	ok(sum.total == -1100 && sum.variance == 120, "scaling");
	profile_free(a);
	profile_free(b);
}

static void test_rebuilt(void)
{
	struct profile *a = process(0x400000, "id"),
		       *b = process(0x400000, "new");
	add(a, stack_of(a, 0x400000, 0, "main"), 1, 1000);
	add(b, stack_of(b, 0x400000, 0, "main"), 1, 1000);
	profile_add(a, b, 1);
	is_uint(a->stack_count, 2, "another build is another place");
	is_uint(a->file_count, 3, "the library is the same");
	is_uint(a->location_count, 5, "so is the frame in it");
	profile_free(a);
	profile_free(b);
}

static void test_add_to_nothing(void)
{
	struct profile *sum = profile_new(), *b = process(0x400000, "id");

	b->period_bytes = 4096;
	add(b, stack_of(b, 0x400000, 0, "main"), 1, 1000);
	profile_add(sum, b, 1);
	ok(sum->period_bytes == 4096 && sum->has_alloc && total(sum) == 1000,
	   "a sum of one is a copy");
	profile_free(sum);
	profile_free(b);
}

static void test_negative(void)
{
	struct profile *p = process(0x400000, "id");
	uint32_t main_stack = stack_of(p, 0x400000, 0, "main");
	uint32_t other = stack_of(p, 0x400000, 0, "other");

	add(p, main_stack, 1, 100);
	add(p, main_stack, 1, -30);
	add(p, other, 1, 20);
	add(p, other, 1, -50);
	profile_drop_negative(p);
	ok(total(p) == 70, "a stack that shrank counts as 0");
	is_uint(p->sample_count, 2, "its samples go");
	profile_free(p);
}

static void test_thread(void)
{
	struct profile *p = process(0x400000, "id");
	uint32_t stack = stack_of(p, 0x400000, 0, "main");

	add(p, stack, 3, 100);
	add(p, stack, 4, 10);
	ok(!profile_keep_thread(p, 5) && total(p) == 110, "no such thread");
	ok(profile_keep_thread(p, 4) && total(p) == 10, "one thread");
	profile_free(p);
}

/* Two stacks: leaf, helper in middle, main (100); ... other (10). */
static struct profile *filtered(struct filter filter)
{
	struct profile *p = process(0x400000, "id");
	struct diag diag = {0};

	add(p, stack_of(p, 0x400000, 0, "main"), 1, 100);
	add(p, stack_of(p, 0x400000, 0, "other"), 1, 10);
	ok(profile_filter(p, &filter, &diag), "%s%s%s%s",
	   filter.focus ? filter.focus : "", filter.ignore ? filter.ignore : "",
	   filter.retain ? filter.retain : "",
	   filter.exclude ? filter.exclude : "");
	return p;
}

static void keeps(struct filter filter, double want, const char *what)
{
	struct profile *p = filtered(filter);

	is_near(total(p), want, 0, what);
	profile_free(p);
}

static void test_focus(void)
{
	struct profile *p = process(0x400000, "id");
	struct diag diag = {0};
	struct filter bad = {.focus = "a(b"};

	keeps((struct filter){.focus = "^main$"}, 100, "focus");
	keeps((struct filter){.focus = "^helper$"}, 110, "an inlined frame");
	keeps((struct filter){.focus = "app\\.c:42"}, 110, "a line");
	keeps((struct filter){.focus = "^libx\\.so"}, 110, "a library");
	keeps((struct filter){.focus = "/lib/"}, 0, "but not its folder");
	keeps((struct filter){.focus = "nothing"}, 0, "focus on nothing");
	keeps((struct filter){.ignore = "other"}, 100, "ignore");
	keeps((struct filter){.ignore = "helper"}, 0, "ignore inlined");
	keeps((struct filter){.focus = "main", .ignore = "leaf"}, 0, "both");
	ok(!profile_filter(p, &bad, &diag), "a malformed expression");
	ok(strstr(diag.text, "--focus=a(b: ") == diag.text, "is named");
	profile_free(p);
}

/* How many frames, inlined ones too, are left of the first sample. */
static unsigned frames_left(const struct profile *p)
{
	const struct stack *stack = &p->stacks[p->samples[0].stack];
	unsigned count = 0;
	uint32_t i;

	for (i = 0; i < stack->count; i++)
		count += p->locations[p->frames[stack->first + i]].line_count;
	return count;
}

static void test_retain(void)
{
	struct profile *p = filtered((struct filter){.retain = "main|helper"});

	is_uint(p->sample_count, 2, "retain keeps stacks");
	is_uint(frames_left(p), 2, "with the frames that match");
	profile_free(p);
	p = filtered((struct filter){.exclude = "^middle$"});
	is_uint(frames_left(p), 3, "exclude removes a frame around another");
	profile_free(p);
	p = filtered((struct filter){.retain = "^main$"});
	is_uint(p->sample_count, 1, "a stack left empty goes");
	profile_free(p);
	p = filtered((struct filter){.exclude = "."});
	is_uint(p->sample_count, 0, "all of them");
	profile_free(p);
}

static void test_match(void)
{
	struct profile *a = process(0x400000, "id"),
		       *b = process(0x7000000, "id");
	struct profile *c = process(0x900000, "new");
	struct stack_groups groups;
	struct arena arena = {0};
	uint32_t frame;

	stack_of(a, 0x400000, 0, "main");
	stack_of(a, 0x400000, 0, "other");
	frame = profile_location(a, 0x400999);
	profile_stack(a, &frame, 1);
	stack_of(b, 0x7000000, 0, "other");
	stack_of(b, 0x7000000, 0, "main");
	stack_of(b, 0x7000000, 0, "new");
	profile_match_stacks(a, b, &arena, &groups);
	ok(groups.of_a[0] == groups.of_b[1] && groups.of_a[1] == groups.of_b[0],
	   "stacks match by file and offset");
	ok(groups.of_b[2] != groups.of_a[0] && groups.of_b[2] != groups.of_a[1],
	   "a new one matches none");
	stack_of(c, 0x900000, 0x40, "other");
	frame = profile_location(c, 0x900999);
	profile_stack(c, &frame, 1);
	profile_match_stacks(a, c, &arena, &groups);
	ok(groups.of_a[1] == groups.of_b[0], "a rebuilt program by names");
	ok(groups.of_a[2] != groups.of_b[1],
	   "frames without names do not match across builds");
	ok(groups.of_a[0] != groups.of_b[0], "other names do not");
	arena_free(&arena);
	profile_free(a);
	profile_free(b);
	profile_free(c);
}

int main(void)
{
	plan(50);
	test_add();
	test_rebuilt();
	test_add_to_nothing();
	test_negative();
	test_thread();
	test_focus();
	test_retain();
	test_match();
	return done_testing();
}
