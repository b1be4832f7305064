// SPDX-License-Identifier: BSD-2-Clause
// Prints whether the leaf of each sample is the function that calls new; with
// a dump at its end by MALLOC_CONF, whose stacks the test reads.
#include <cstddef>
#include <new>

void *volatile kept[64];

__attribute__((noinline)) static void calls_new(std::size_t size)
{
	const std::align_val_t line{64};
	int i = 0;

	kept[i++] = ::operator new(size);
	kept[i++] = ::operator new[](size);
	kept[i++] = ::operator new(size, std::nothrow);
	kept[i++] = ::operator new[](size, std::nothrow);
	kept[i++] = ::operator new(size, line);
	kept[i++] = ::operator new[](size, line);
	kept[i++] = ::operator new(size, line, std::nothrow);
	kept[i++] = ::operator new[](size, line, std::nothrow);
	kept[i] = nullptr;
}

int main()
{
	calls_new(100000);
	return 0;
}
