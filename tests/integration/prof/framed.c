/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framed DUMP: allocates at the end of a deep recursion, in the first thread
 * and in another one, and dumps while both objects are in use.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern int mallctl(const char *name, void *old, size_t *old_bytes, void *new,
		   size_t new_bytes) __attribute__((weak));

static void *kept[2];

__attribute__((noinline)) static void deep(unsigned depth, void **place)
{
	char pad[200];

	memset(pad, (int)depth, sizeof(pad));
	__asm__ volatile("" ::"r"(pad) : "memory");
	if (depth)
		deep(depth - 1, place);
	else
		*place = malloc(1000);
	__asm__ volatile("" ::"r"(pad) : "memory");
}

static void *run(void *place)
{
	deep(20, place);
	return place;
}

int main(int argc, char **argv)
{
	const char *file = argc > 1 ? argv[1] : NULL;
	pthread_t thread;

	deep(30, &kept[0]);
	if (pthread_create(&thread, NULL, run, &kept[1]) ||
	    pthread_join(thread, NULL) || !mallctl)
		return 2;
	return mallctl("prof.dump", NULL, NULL, &file, sizeof(file));
}
