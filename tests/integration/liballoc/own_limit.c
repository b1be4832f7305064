/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that limits its own address space to 2 GiB when it has allocated
 * already: it can map memory, start threads, and allocate on. Before that a
 * child of vfork limits itself, which is nothing to its parent.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

static unsigned long mapped_pages(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages;
}

/* Does the parent have as much mapped when its child has a limit? */
static int limits_child_alone(const struct rlimit *limit)
{
	unsigned long before = mapped_pages(), after;
	int status = 1;
	pid_t child = vfork();

	if (!child)
		_exit(setrlimit(RLIMIT_AS, limit) != 0);
	if (waitpid(child, &status, 0) != child || status)
		return 0;
	after = mapped_pages();
	return before && after > before - before / 8;
}

int main(void)
{
	struct rlimit limit = {2ul << 30, RLIM_INFINITY}, got = {0, 0};
	pthread_t thread;
	void *failed = work(NULL);

	if (failed || !limits_child_alone(&limit))
		return 7;
	if (setrlimit(RLIMIT_AS, &limit))
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
