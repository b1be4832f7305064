/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program as users of jemalloc write them: uses the header's names, and
 * fails where the library does not do what they say. With an argument it
 * prints what the header defines, to be compared between headers. Valid C++.
 */
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef JEMALLOC_NO_DEMANGLE
# define NAME(name) je_##name
#else
# define NAME(name) name
#endif

static int check(int good, const char *what)
{
	if (!good)
		fprintf(stderr, "failed: %s\n", what);
	return !good;
}

static int use_flags(void)
{
	int bad = 0;
	char *p =
		(char *)NAME(mallocx)(100, MALLOCX_ALIGN(4096) | MALLOCX_ZERO);

	bad += check(p && (size_t)p % 4096 == 0 && !p[99], "mallocx");
	p = (char *)NAME(rallocx)(p, 5000, MALLOCX_LG_ALIGN(6));
	bad += check(p && NAME(sallocx)(p, 0) >= 5000, "rallocx");
	bad += check(NAME(xallocx)(p, 5000, 0, 0) >= 5000, "xallocx");
	NAME(sdallocx)(p, 5000, MALLOCX_TCACHE_NONE);
	bad += check(NAME(nallocx)(100, 0) >= 100, "nallocx");
	return bad;
}

static int use_controls(void)
{
	const char *version = NULL;
	size_t size = sizeof(version), mib[3], depth = 3;
	unsigned narenas = 0, major = 0;
	char name[32];
	int bad = 0;

	NAME(mallctl)("version", &version, &size, NULL, 0);
	bad += check(version && sscanf(version, "%u.", &major) == 1 &&
			     major == JEMALLOC_VERSION_MAJOR,
		     "version");
	size = sizeof(narenas);
	NAME(mallctl)("arenas.narenas", &narenas, &size, NULL, 0);
	snprintf(name, sizeof(name), "arena.%u.purge", narenas);
	bad += check(!NAME(mallctl)(name, NULL, NULL, NULL, 0), name);
	snprintf(name, sizeof(name), "arena.%d.purge", MALLCTL_ARENAS_ALL);
	bad += check(!NAME(mallctl)(name, NULL, NULL, NULL, 0), name);
	bad += check(
		!NAME(mallctlnametomib)("arena.0.purge", mib, &depth) &&
			!NAME(mallctlbymib)(mib, depth, NULL, NULL, NULL, 0),
		"arena.0.purge by numbers");
	return bad;
}

static void print(void)
{
	printf("%d %d %d %d %d %d\n", MALLOCX_LG_ALIGN(12), MALLOCX_ALIGN(4096),
	       MALLOCX_ZERO, MALLOCX_TCACHE(3), MALLOCX_TCACHE_NONE,
	       MALLOCX_ARENA(7));
	printf("%d %d\n", MALLCTL_ARENAS_ALL, MALLCTL_ARENAS_DESTROYED);
	printf("%d.%d.%d-%d\n", JEMALLOC_VERSION_MAJOR, JEMALLOC_VERSION_MINOR,
	       JEMALLOC_VERSION_BUGFIX, JEMALLOC_VERSION_NREV);
	printf("%d\n", LG_SIZEOF_PTR);
	printf("%zu %zu\n", sizeof(extent_hooks_t), sizeof(extent_alloc_t *));
}

int main(int argc, char **argv)
{
	char *p;

	(void)argv;
	if (argc > 1) {
		print();
		return 0;
	}
	p = (char *)NAME(malloc)(10);
	NAME(free)(p);
	return use_flags() + use_controls() != 0;
}
