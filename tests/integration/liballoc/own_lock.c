/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that locks its memory: what it has allocated and not the address
 * space that the allocator keeps. Exits with 77 where the system allows so
 * little that the ledger has no room in it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define OBJECTS 20000
#define LOCKED_KIB_MOST (256ul << 10)

static void *volatile objects[OBJECTS];

static int replace_all(void)
{
	for (size_t i = 0; i < OBJECTS; i++) {
		free(objects[i]);
		objects[i] = malloc(i % 5000);
		if (!objects[i])
			return 1;
		memset(objects[i], 1, i % 5000);
	}
	return 0;
}

static unsigned long locked_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmLck: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

int main(void)
{
	struct rlimit limit;

	if (replace_all() || getrlimit(RLIMIT_MEMLOCK, &limit))
		return 1;
	if (mlockall(MCL_CURRENT))
		return limit.rlim_cur < LOCKED_KIB_MOST << 10 ? 77 : 2;
	if (!locked_kib() || locked_kib() > LOCKED_KIB_MOST)
		return 3;
	if (replace_all())
		return 4;
	if (munlockall() || locked_kib())
		return 5;
	errno = 0;
	return mlockall(-1) == -1 && errno == EINVAL ? 0 : 6;
}
