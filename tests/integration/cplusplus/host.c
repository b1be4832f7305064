/* SPDX-License-Identifier: BSD-2-Clause */
/* host LIBRARY: opens it privately and calls its run(), which returns 3. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *library =
		argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	int (*run)(void);

	if (!library) {
		fprintf(stderr, "host: %s\n", dlerror());
		return 2;
	}
	*(void **)&run = dlsym(library, "run");
	return run && run() == 3 ? 0 : 1;
}
