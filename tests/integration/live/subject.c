/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * subject DUMP [PEAK]: allocates in several threads, of which some have ended,
 * writes a profile to DUMP and that of the peak to PEAK by mallctl, says
 * "ready" without allocating, and waits to be read and killed. On an allocator
 * without mallctl it has no DUMP, and says so.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int mallctl_function(const char *name, void *old, size_t *old_bytes,
			     void *new, size_t new_bytes);

/* Found at run time in the library, at link time in a program that has it. */
extern mallctl_function mallctl __attribute__((weak));

static pthread_barrier_t barrier;

__attribute__((noinline)) static void *take(size_t bytes)
{
	void *p = malloc(bytes);

	if (p)
		memset(p, 1, bytes);
	return p;
}

__attribute__((noinline)) static void keep_cache(void)
{
	for (size_t i = 0; i < 20000; i++) {
		void *p = take(100 + i % 5000);

		if (i % 3)
			free(p);
	}
}

__attribute__((noinline)) static void keep_reports(void)
{
	for (size_t i = 0; i < 100; i++)
		take(100000 + i * 30000);
}

/* Most is in use in here, and nothing stays of it. */
__attribute__((noinline)) static void pass_peak(void)
{
	enum { PIECES = 500 };
	static void *pieces[PIECES];

	for (size_t i = 0; i < PIECES; i++)
		pieces[i] = take(65536);
	for (size_t i = 0; i < PIECES; i++)
		free(pieces[i]);
}

static void *work(void *data)
{
	size_t rounds = data ? 9000 : 2000;

	for (size_t i = 0; i < rounds; i++) {
		void *p = take(50 + i % 700);

		if (i % 2)
			free(p);
	}
	if (data) {
		pthread_barrier_wait(&barrier);
		for (;;)
			pause();
	}
	return NULL;
}

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

int main(int argc, char **argv)
{
	static char stays[] = "x";
	const char *path = argc > 1 ? argv[1] : NULL;
	const char *peak = argc > 2 ? argv[2] : NULL;
	mallctl_function *control = mallctl;
	uint64_t epoch = 1;
	pthread_t thread;

	if (!control)
		control = (mallctl_function *)dlsym(RTLD_DEFAULT, "mallctl");
	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, work, stays);
	for (int i = 0; i < 20; i++) {
		pthread_create(&thread, NULL, work, NULL);
		pthread_join(thread, NULL);
	}
	keep_cache();
	keep_reports();
	pass_peak();
	pthread_barrier_wait(&barrier);
	if (!control)
		say("no mallctl\n");
	else if (path && control("prof.dump", NULL, NULL, &path, sizeof(path)))
		say("no dump\n");
	else if (peak &&
		 control("prof.dump_peak", NULL, NULL, &peak, sizeof(peak)))
		say("no dump of the peak\n");
	/* Figures are brought up to date, exported ones too. */
	if (control)
		control("epoch", NULL, NULL, &epoch, sizeof(epoch));
	say("ready\n");
	for (;;)
		pause();
}
