/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads names of controls from standard input, one a line, and prints how the
 * allocator that the program runs on (by LD_PRELOAD) answers to reading and
 * writing each with right and wrong lengths: errors and lengths, no values.
 * Two allocators of one behaviour print the same.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef int mallctl_function(const char *, void *, size_t *, void *, size_t);
typedef int nametomib_function(const char *, size_t *, size_t *);

static mallctl_function *control;
static nametomib_function *numbers;

static void probe_reads(const char *name)
{
	static const size_t lengths[] = {16, 8, 4, 1, 0};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint64_t old[2] = {0};
		size_t length = lengths[i];
		int error = control(name, old, &length, NULL, 0);

		printf(" r%zu:%d,%zu", lengths[i], error, length);
	}
}

/* Lengths that no control has, so that nothing is ever set. */
static void probe_writes(const char *name)
{
	uint64_t value[2] = {0};

	printf(" w16:%d", control(name, NULL, NULL, value, 16));
	printf(" w3:%d", control(name, NULL, NULL, value, 3));
}

static void probe_exchange(const char *name)
{
	uint64_t value[2] = {0}, old[2] = {0};
	size_t length = 16;
	int error = control(name, old, &length, value, 16);

	printf(" x16:%d,%zu", error, length);
}

static void probe_numbers(const char *name)
{
	size_t mib[16] = {0}, depth = 16;
	int error = numbers(name, mib, &depth);

	printf(" mib:%d,%zu", error, error ? 0 : depth);
}

int main(void)
{
	char name[256];

	*(void **)&control = dlsym(RTLD_DEFAULT, "mallctl");
	*(void **)&numbers = dlsym(RTLD_DEFAULT, "mallctlnametomib");
	if (!control || !numbers) {
		fprintf(stderr, "probe: not run on an allocator with "
				"mallctl\n");
		return 2;
	}
	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = '\0';
		printf("%s", name);
		probe_reads(name);
		probe_writes(name);
		probe_exchange(name);
		probe_numbers(name);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
