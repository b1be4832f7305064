// SPDX-License-Identifier: BSD-2-Clause
// Calls back from a destructor that runs while an exception is in flight, and
// from the handler that catches it.
#include <stdexcept>

struct at_end {
	void (*call)();
	~at_end()
	{
		call();
	}
};

static void thrower(void (*call)())
{
	at_end guard{call};

	throw std::runtime_error("thrown");
}

extern "C" void cxx_throw(void (*call)())
{
	try {
		thrower(call);
	} catch (const std::exception &) {
		call();
	}
}
