/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Demangling: each language, what is no mangled name, and names that would
 * fill memory.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "libjeheap/symbol/symbol.h"
#include "tap/tap.h"

static const struct {
	const char *mangled, *wanted;
} names[] = {
	{"_Znwm", "operator new(unsigned long)"},
	{"_ZmmRiS_", "operator--(int&, int&)"},
	{"_ZN12_GLOBAL__N_13Box3getEi", "(anonymous namespace)::Box::get(int)"},
	{"_ZNSt6vectorIiSaIiEE9push_backEOi",
	 "std::vector<int, std::allocator<int> >::push_back(int&&)"},
	{"_ZN5hello4main17hfdaa59868da6cbf8E", "hello::main"},
	{"_ZN5alloc7raw_vec20RawVecInner$LT$A$GT$11finish_grow"
	 "17hda8a78f3b09370caE",
	 "alloc::raw_vec::RawVecInner<A>::finish_grow"},
	{"_RNvCs1AdN8cFC2m1_5hello4main", "hello::main"},
	{"_RNvMNtNtCsgEmfK2I1SDS_4core5alloc6layoutNtB2_6Layout13repeat_packed",
	 "<core::alloc::layout::Layout>::repeat_packed"},
	{"_D3std5stdio7writelnFZv", "std.stdio.writeln()"},
	{"main", "main"},
	{"", ""},
	{"_Z", "_Z"},
	{"_Zfoo", "_Zfoo"},
	{"_R", "_R"},
	{"_D", "_D"},
	{"__libc_start_main", "__libc_start_main"},
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static const char *demangled(struct arena *arena, const char *name)
{
	return str_cstring(arena, demangle(arena, str_of(name)));
}

/* Each parameter is a pair of the one before: the text doubles. */
static char *bomb(struct arena *arena, int doublings)
{
	struct text text = {.arena = arena};

	text_add(&text, STR("_Z1f1AIiiE"));
	for (int i = 0; i < doublings; i++)
		text_printf(&text, "1BIS%s_S%s_E", i ? "0" : "", i ? "0" : "");
	return str_cstring(arena, text_str(&text));
}

/* "_Z1fI" then n times "1AI", "i", and the closing Es: deep nesting. */
static char *nested(struct arena *arena, int depth)
{
	struct text text = {.arena = arena};

	text_add(&text, STR("_Z1f"));
	for (int i = 0; i < depth; i++)
		text_add(&text, STR("1AI"));
	text_add_char(&text, 'i');
	for (int i = 0; i < depth; i++)
		text_add_char(&text, 'E');
	return str_cstring(arena, text_str(&text));
}

/* Every template refers twice to the substitution made just before it. */
static char *doubling(struct arena *arena, int doublings)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct text text = {.arena = arena};

	text_add(&text, STR("_Z1fSt4pairIiiE"));
	for (int i = 0; i < doublings; i++)
		text_printf(&text, "S_IS%c_S%c_E", digits[i], digits[i]);
	return str_cstring(arena, text_str(&text));
}

int main(void)
{
	struct arena arena = {0};
	char *long_name = memset(malloc(100000), 'x', 99999);

	plan(NAMES + 5);
	for (size_t i = 0; i < NAMES; i++)
		is_string(demangled(&arena, names[i].mangled), names[i].wanted,
			  names[i].mangled[0] ? names[i].mangled
					      : "the empty name");
	ok(strlen(demangled(&arena, bomb(&arena, 30))) <= 65536,
	   "repeated templates end");
	ok(strlen(demangled(&arena, nested(&arena, 5000))) <= 65536,
	   "deep nesting ends");
	ok(strlen(demangled(&arena, doubling(&arena, 34))) <= 65536,
	   "a name that stands for 16 GiB ends");
	long_name[0] = '_';
	long_name[1] = 'Z';
	long_name[99999] = '\0';
	is_string(demangled(&arena, long_name), long_name,
		  "a name of 100 kB stays as it is");
	is_uint(demangle(&arena, (struct str){NULL, 0}).len, 0,
		"no name at all stays so");
	free(long_name);
	arena_free(&arena);
	return done_testing();
}
