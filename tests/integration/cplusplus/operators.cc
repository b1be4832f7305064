// SPDX-License-Identifier: BSD-2-Clause
// Each form of operator new and delete, by direct call, and what they do where
// memory is short: the new handler again and again, std::bad_alloc, nullptr.
#include "tap/tap.h"

#include <malloc.h>

#include <cstdint>
#include <cstring>
#include <new>

static const std::size_t too_much = static_cast<std::size_t>(1) << 46;

static bool is_aligned(void *p, std::size_t alignment)
{
	return p && reinterpret_cast<std::uintptr_t>(p) % alignment == 0;
}

// Writes all of the object, so that the allocator's checks have a chance.
static void *filled(void *p, std::size_t size)
{
	return std::memset(p, 0x5c, size);
}

static bool natural(std::size_t n)
{
	bool good = true;
	void *p = filled(::operator new(n), n);

	good &= is_aligned(p, n < 16 ? 8 : 16) && malloc_usable_size(p) >= n;
	::operator delete(p);
	::operator delete(filled(::operator new(n), n), n);
	::operator delete(filled(::operator new(n, std::nothrow), n),
			  std::nothrow);
	p = filled(::operator new[](n), n);
	good &= is_aligned(p, n < 16 ? 8 : 16);
	::operator delete[](p);
	::operator delete[](filled(::operator new[](n), n), n);
	::operator delete[](filled(::operator new[](n, std::nothrow), n),
			    std::nothrow);
	return good;
}

static bool over_aligned(std::size_t n, std::size_t a)
{
	std::align_val_t alignment{a};
	void *p[6] = {::operator new(n, alignment),
		      ::operator new(n, alignment),
		      ::operator new(n, alignment, std::nothrow),
		      ::operator new[](n, alignment),
		      ::operator new[](n, alignment),
		      ::operator new[](n, alignment, std::nothrow)};
	bool good = true;

	for (void *each : p)
		good &= is_aligned(filled(each, n), a);
	::operator delete(p[0], alignment);
	::operator delete(p[1], n, alignment);
	::operator delete(p[2], alignment, std::nothrow);
	::operator delete[](p[3], alignment);
	::operator delete[](p[4], n, alignment);
	::operator delete[](p[5], alignment, std::nothrow);
	return good;
}

static bool all_sizes()
{
	bool good = true;

	for (std::size_t n = 1; n < 100000; n += 1 + n / 7)
		good &= natural(n);
	for (std::size_t a = 1; a <= 1 << 20; a *= 2)
		for (std::size_t n = 1; n < 100000; n += 1 + n / 3)
			good &= over_aligned(n, a);
	return good;
}

// What a call did: returned, threw std::bad_alloc, or something else.
template <class Call> static const char *outcome(Call call)
{
	try {
		return call() ? "memory" : "nullptr";
	} catch (const std::bad_alloc &) {
		return "bad_alloc";
	} catch (...) {
		return "something else";
	}
}

static int calls;

static void third_time_throws()
{
	if (++calls == 3)
		throw std::bad_alloc();
}

static void gives_up()
{
	++calls;
	std::set_new_handler(nullptr);
}

static void throws_a_number()
{
	throw 7;
}

// Gives back what the program keeps for a rainy day.
static void *reserve;

static void release()
{
	++calls;
	::operator delete(reserve);
	reserve = nullptr;
	std::set_new_handler(nullptr);
}

static const std::align_val_t page{4096};

static const char *try_form(int form)
{
	return outcome([form]() -> void * {
		switch (form) {
		case 0:
			return ::operator new(too_much);
		case 1:
			return ::operator new[](too_much);
		case 2:
			return ::operator new(too_much, page);
		case 3:
			return ::operator new[](too_much, page);
		case 4:
			return ::operator new(too_much, std::nothrow);
		case 5:
			return ::operator new[](too_much, std::nothrow);
		case 6:
			return ::operator new(too_much, page, std::nothrow);
		default:
			return ::operator new[](too_much, page, std::nothrow);
		}
	});
}

int main()
{
	void *none = nullptr;

	plan(29);
	ok(all_sizes(), "all forms, of many sizes and alignments");
	ok(natural(0) && over_aligned(0, 64), "of no bytes too");
	::operator delete(none);
	::operator delete[](none, 16);
	::operator delete(none, page);
	ok(true, "a null pointer may be deleted");
	for (int form = 0; form < 8; form++)
		is_string(try_form(form), form < 4 ? "bad_alloc" : "nullptr",
			  "no memory and no handler");
	for (int form = 0; form < 8; form++) {
		calls = 0;
		std::set_new_handler(third_time_throws);
		is_string(try_form(form), form < 4 ? "bad_alloc" : "nullptr",
			  "the handler throws in the end");
		if (calls != 3)
			ok(false, "called %d times, not 3", calls);
	}
	calls = 0;
	std::set_new_handler(gives_up);
	is_string(try_form(0), "bad_alloc", "a handler that uninstalls itself");
	is_uint(static_cast<unsigned>(calls), 1, "is called once");
	std::set_new_handler(throws_a_number);
	is_string(try_form(1), "something else", "its own exception passes");
	is_string(try_form(7), "nullptr", "but not through a form without");
	std::set_new_handler(release);
	calls = 0;
	reserve = ::operator new(100);
	is_string(try_form(3), "bad_alloc", "a handler may free");
	ok(!reserve && calls == 1, "and did");
	std::set_new_handler(nullptr);
	is_string(outcome([] { return ::operator new(1000); }), "memory",
		  "and all is well again");
	ok(natural(100), "in each form");
	ok(over_aligned(100, 64), "aligned too");
	{
		int *volatile object = new int(3);
		auto *array = new (std::nothrow) long double[1000];

		ok(array && *object == 3, "expressions work");
		delete[] array;
		delete object;
	}
	return done_testing();
}
