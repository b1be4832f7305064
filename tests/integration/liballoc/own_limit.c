/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that limits its own address space to 2 GiB when it has allocated
 * already: it can map memory, start threads, and allocate on.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define OBJECTS 20000

static void *objects[OBJECTS];

static void *work(void *unused)
{
	for (size_t i = 0; i < OBJECTS; i++) {
		free(objects[i]);
		objects[i] = malloc(i % 5000);
		if (!objects[i])
			return &objects[i];
		memset(objects[i], 1, i % 5000);
	}
	return unused;
}

int main(void)
{
	struct rlimit limit = {2ul << 30, RLIM_INFINITY}, got = {0, 0};
	pthread_t thread;
	void *failed = work(NULL);

	if (failed || setrlimit(RLIMIT_AS, &limit))
		return 1;
	if (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return 2;
	if (pthread_create(&thread, NULL, work, NULL))
		return 3;
	if (pthread_join(thread, &failed) || failed || work(NULL))
		return 4;
	if (getrlimit(RLIMIT_AS, &got) || got.rlim_cur != limit.rlim_cur ||
	    got.rlim_max != limit.rlim_max)
		return 5;
	limit.rlim_max = limit.rlim_cur - 1;
	return setrlimit(RLIMIT_AS, &limit) ? 0 : 6;
}
