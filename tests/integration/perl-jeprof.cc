/* SPDX-License-Identifier: BSD-2-Clause */
/* A program for jeprof: recursion, inlining, templates, a thread, a leak. */
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#define NOINLINE __attribute__((noinline))
#define AFTER_CALL() __asm__ volatile("")

void *volatile kept;

extern "C" NOINLINE void hold(int count, size_t size)
{
	for (int i = 0; i < count; i++)
		kept = malloc(size);
}

extern "C" NOINLINE void middle(int count)
{
	hold(count, 1000);
	AFTER_CALL();
}

extern "C" NOINLINE void recurse(int depth)
{
	if (depth == 0)
		hold(3000, 300);
	else
		recurse(depth - 1);
	AFTER_CALL();
}

template <class T> struct Session {
	std::vector<T> items;
	NOINLINE void grow(int count)
	{
		for (int i = 0; i < count; i++)
			items.push_back(T(200, 'x'));
		AFTER_CALL();
	}
};

extern "C" NOINLINE void come_and_go(int count)
{
	for (int i = 0; i < count; i++) {
		kept = malloc(5000);
		free(kept);
	}
}

int main()
{
	auto *session = new Session<std::string>;

	middle(5000);
	recurse(5);
	session->grow(20000);
	come_and_go(2000);
	std::thread worker([] {
		hold(3000, 2000);
		AFTER_CALL();
	});
	worker.join();
	/* Without destructors, so that the vector is in use in the dump. */
	kept = session;
	return 0;
}
