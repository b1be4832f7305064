// SPDX-License-Identifier: BSD-2-Clause
// A program with operators of its own: the forms that it leaves alone must
// call those that it replaced, as the standard says, and no object may go
// through two allocators.
#include "tap/tap.h"

#include <cstddef>
#include <cstdlib>
#include <new>

static unsigned news, deletes;

// Not what the allocator gave, so that freeing it elsewhere would be seen.
void *operator new(std::size_t size)
{
	char *p = static_cast<char *>(std::malloc(size + 64));

	news++;
	if (!p)
		throw std::bad_alloc();
	return p + 64;
}

void operator delete(void *p) noexcept
{
	deletes++;
	if (p)
		std::free(static_cast<char *>(p) - 64);
}

static void is_next(const char *what)
{
	ok(news == deletes && news > 0, "%s", what);
	news = deletes = 0;
}

int main()
{
	const std::align_val_t page{4096};

	plan(7);
	::operator delete(::operator new(10));
	is_next("its own");
	::operator delete(::operator new(10), static_cast<std::size_t>(10));
	is_next("sized delete calls it");
	::operator delete[](::operator new[](10));
	is_next("arrays");
	::operator delete[](::operator new[](10), static_cast<std::size_t>(10));
	is_next("sized arrays");
	::operator delete(::operator new(10, std::nothrow), std::nothrow);
	is_next("new that does not throw");
	::operator delete[](::operator new[](10, std::nothrow), std::nothrow);
	is_next("arrays that do not throw");
	::operator delete[](::operator new[](10, page), page);
	ok(news == 0 && deletes == 0, "but not those with alignment");
	return done_testing();
}
