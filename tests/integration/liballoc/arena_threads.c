/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that make arenas, fill, reset and destroy them, while others read
 * statistics, purge all arenas and fork. Each object keeps
 * what was written to it.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liballoc/include/liballoc/liballoc.h"

enum { THREADS = 4, ROUNDS = 60, OBJECTS = 400 };

static atomic_uint wrong;
static atomic_bool stop;

static int act(const char *action, unsigned index)
{
	char name[64];

	snprintf(name, sizeof(name), "arena.%u.%s", index, action);
	return mallctl(name, NULL, NULL, NULL, 0);
}

static void fill(unsigned index, unsigned mark)
{
	int flags = MALLOCX_ARENA(index);
	unsigned char *objects[OBJECTS];

	for (unsigned i = 0; i < OBJECTS; i++) {
		size_t size = i % 40 ? 1 + (i * 37 + mark) % 4000 : 50000 + i;

		objects[i] = mallocx(size, flags);
		if (!objects[i]) {
			wrong++;
			return;
		}
		memset(objects[i], (int)(mark + i), size);
	}
	for (unsigned i = 0; i < OBJECTS; i++) {
		wrong += objects[i][0] != (unsigned char)(mark + i);
		if (i % 3)
			dallocx(objects[i], flags);
	}
}

static void *worker(void *argument)
{
	unsigned mark = (unsigned)(uintptr_t)argument * 50;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned index;
		size_t length = sizeof(index);

		if (mallctl("arenas.create", &index, &length, NULL, 0)) {
			wrong++;
			return NULL;
		}
		fill(index, mark + round);
		if (round % 2) {
			wrong += act("reset", index) != 0;
			fill(index, mark);
		}
		wrong += act("destroy", index) != 0;
	}
	return NULL;
}

static void fork_once(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		atomic_store(&wrong, 0);
		worker(NULL);
		_exit(atomic_load(&wrong) != 0);
	}
	waitpid(child, &status, 0);
	wrong += status != 0;
}

static void *watcher(void *unused)
{
	(void)unused;
	for (unsigned round = 0; !atomic_load(&stop); round++) {
		size_t value, length = sizeof(value);

		mallctl("stats.allocated", &value, &length, NULL, 0);
		act("purge", MALLCTL_ARENAS_ALL);
		if (round < 3)
			fork_once();
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS], watch;

	plan(1);
	pthread_create(&watch, NULL, watcher, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, worker, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&stop, true);
	pthread_join(watch, NULL);
	ok(atomic_load(&wrong) == 0, "each object keeps its contents, %u wrong",
	   atomic_load(&wrong));
	return done_testing();
}
