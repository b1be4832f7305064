// SPDX-License-Identifier: BSD-2-Clause
// Opened, with its runtime, by a program in C, privately: what it throws must
// be of that runtime.
#include <cstddef>
#include <new>

static const std::size_t too_much = static_cast<std::size_t>(1) << 46;

static void throws()
{
	throw std::bad_alloc();
}

extern "C" int run()
{
	int good = 0;

	try {
		::operator new(too_much);
	} catch (const std::bad_alloc &) {
		good++;
	}
	good += ::operator new(too_much, std::nothrow) == nullptr;
	std::set_new_handler(throws);
	good += ::operator new(too_much, std::nothrow) == nullptr;
	return good;
}
