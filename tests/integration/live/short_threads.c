/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thousand threads one after the other that allocate a thousand times each;
 * with an argument all at once, as many as it says. Then it is ready, and
 * waits.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OBJECTS 1000000u

static unsigned each;

static void *work(void *unused)
{
	for (unsigned i = 0; i < each; i++) {
		void *volatile object = malloc(100);

		free(object);
	}
	return unused;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 1000, i;
	pthread_t *threads = calloc(count, sizeof(*threads));

	each = OBJECTS / count;
	for (i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, work, NULL))
			return 1;
		if (argc == 1)
			pthread_join(threads[i], NULL);
	}
	for (i = 0; argc > 1 && i < count; i++)
		pthread_join(threads[i], NULL);
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
