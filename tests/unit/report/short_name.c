/* SPDX-License-Identifier: BSD-2-Clause */
/* Short names of C++ and Rust functions, and hostile ones. */
#include "config.h"

#include <stdlib.h>

#include "libjeheap/report/short_name.h"
#include "tap/tap.h"

static const struct row {
	const char *full, *want;
} rows[] = {
	{"main", "main"},
	{"recurse(int)", "recurse"},
	{"std::vector<int, std::allocator<int> >::push_back(int const&)",
	 "std::vector<…>::push_back"},
	{"void std::sort<int*>(int*, int*)", "std::sort<…>"},
	{"shop::Cache::get(std::function<void (int)>) const",
	 "shop::Cache::get"},
	{"main::{lambda(int)#1}::operator()(int) const",
	 "main::{lambda#1}::operator()"},
	{"(anonymous namespace)::helper(char)", "(anonymous)::helper"},
	{"main::(anonymous class)::operator()",
	 "main::(anonymous)::operator()"},
	{"operator new(unsigned long)", "operator new"},
	{"operator new[](unsigned long)", "operator new[]"},
	{"Iterator::operator--(int)", "Iterator::operator--"},
	{"Stream& operator<< <char>(Stream&, char)", "operator<<<…>"},
	{"A::operator->() const", "A::operator->"},
	{"A::operator bool() const", "A::operator bool"},
	{"A::operator[](unsigned long)", "A::operator[]"},
	{"f(int) [clone .constprop.0]", "f"},
	{"f[abi:cxx11](int)", "f"},
	{"<alloc::vec::Vec<T> as core::iter::Extend<T>>::extend",
	 "<alloc::vec::Vec<…> as core::iter::Extend<…>>::extend"},
	{"core::ptr::drop_in_place::<alloc::string::String>",
	 "core::ptr::drop_in_place<…>"},
	{"core::str::<impl str>::to_owned", "core::str::<impl str>::to_owned"},
	{"app::main::{{closure}}", "app::main::{{closure}}"},
	{"cooperator(int)", "cooperator"},
	{"f(", "f"},
	{"f<", "f<…>"},
	{"<<<<<<", "<<<<<<"},
	{"operator", "operator"},
	{"()", "()"},
	{"", ""},
};

#define COUNT (sizeof(rows) / sizeof(rows[0]))

/* Deeper than any stack should be. */
static bool survives(char bracket)
{
	struct arena arena = {NULL, NULL, NULL};
	size_t len = 2000000;
	char *text = malloc(len);
	struct str out;

	memset(text, bracket, len);
	out = short_name(&arena, (struct str){text, len});
	free(text);
	arena_free(&arena);
	return out.len > 0;
}

int main(void)
{
	struct arena arena = {NULL, NULL, NULL};

	plan(COUNT + 4);
	for (size_t i = 0; i < COUNT; i++)
		is_string(str_cstring(&arena,
				      short_name(&arena, str_of(rows[i].full))),
			  rows[i].want, rows[i].full);
	ok(survives('{'), "two million {");
	ok(survives('<'), "two million <");
	is_string(wrap_name(&arena, STR("one::two::three::four"), 10).ptr,
		  "one::two::\nthree::\nfour", "wrapped behind ::");
	is_string(wrap_name(&arena, STR("abcdefghijkl"), 4).ptr,
		  "abcdefgh\nijkl", "wrapped where it must be");
	arena_free(&arena);
	return done_testing();
}
