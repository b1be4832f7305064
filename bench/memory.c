/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory WHAT [NUMBER]: what an allocator holds beyond what is in use; prints
 * lines "NAME FIGURE".
 *	kept [MIB]      MiB still resident after a load (500 MiB of mixed sizes)
 *	                was freed: at once, after 1.5 s and 10 s, and then after
 *	                one further call
 *	overhead [MIB]  percent of resident bytes above those asked for, for
 *live objects of mixed sizes idle            MiB resident of a program that did
 *next to nothing thread [COUNT]  KiB that each of 64 idle threads holds after
 *some work, with its stack thread-stack    likewise, after none
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	MIB = 1 << 20,
	PAGE = 4096,
	THREADS_MAX = 1024,
	THREAD_OBJECTS = 200,
};

static uint64_t state = 88172645463325252;

static uint64_t next_random(uint64_t *from)
{
	*from ^= *from << 13;
	*from ^= *from >> 7;
	*from ^= *from << 17;
	return *from;
}

static void die(const char *what)
{
	fprintf(stderr, "memory: %s\n", what);
	exit(2);
}

/* Mostly small; some up to 32 KiB, a few up to 256 KiB. */
static size_t mixed_size(uint64_t *from)
{
	uint64_t random = next_random(from);
	unsigned kind = random >> 40 & 255;

	if (kind == 0)
		return (32 << 10) + random % (224 << 10);
	if (kind < 8)
		return 1024 + random % (31 << 10);
	if (kind < 128)
		return 128 + random % 896;
	return 8 + random % 120;
}

/* Resident bytes; without malloc, which stdio would call. */
static size_t resident(void)
{
	char text[128] = "";
	const char *second;
	int file = open("/proc/self/statm", O_RDONLY);

	if (file < 0 || read(file, text, sizeof(text) - 1) <= 0)
		die("/proc/self/statm: cannot read");
	close(file);
	second = strchr(text, ' ');
	return second ? strtoul(second, NULL, 10) * (size_t)PAGE : 0;
}

static double mib(size_t bytes)
{
	return (double)bytes / MIB;
}

static size_t above(size_t now, size_t before)
{
	return now > before ? now - before : 0;
}

static void sleep_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static void *filled(size_t bytes)
{
	void *memory = malloc(bytes);

	if (!memory)
		die("out of memory");
	return memset(memory, 1, bytes);
}

/* Objects of `bytes` in all; their table is the kernel's, not malloc's. */
static void **load_new(size_t bytes, size_t *count, size_t *asked)
{
	size_t most = bytes / 8, before = 0;
	void **objects =
		mmap(NULL, most * sizeof(*objects), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (objects == MAP_FAILED)
		die("cannot map the table");
	for (*count = 0; before < bytes && *count < most; ++*count) {
		size_t size = mixed_size(&state);

		objects[*count] = filled(size);
		before += size;
	}
	*asked = before;
	return objects;
}

static void kept(size_t megabytes)
{
	size_t count, asked, base, now[4];
	void **objects;

	free(filled(1));
	base = resident();
	objects = load_new(megabytes * MIB, &count, &asked);
	for (size_t i = 0; i < count; i++)
		free(objects[i]);
	munmap(objects, megabytes * MIB);
	now[0] = resident();
	sleep_ms(1500);
	now[1] = resident();
	sleep_ms(8500);
	now[2] = resident();
	sleep_ms(1000);
	free(filled(100));
	now[3] = resident();
	printf("kept-at-once %.1f\nkept-1.5s %.1f\nkept-10s %.1f\n"
	       "kept-10s-call %.1f\n",
	       mib(above(now[0], base)), mib(above(now[1], base)),
	       mib(above(now[2], base)), mib(above(now[3], base)));
}

static void overhead(size_t megabytes)
{
	size_t count, asked, table, base, now;
	void **objects;

	free(filled(1));
	base = resident();
	objects = load_new(megabytes * MIB, &count, &asked);
	table = (count * sizeof(*objects) + PAGE - 1) / PAGE * PAGE;
	now = above(resident(), base + table);
	printf("overhead %.1f\n",
	       100.0 * ((double)now - (double)asked) / (double)asked);
}

static pthread_barrier_t ready, done;
static int works;

static void *idle_thread(void *argument)
{
	uint64_t random = *(uint64_t *)argument;

	if (works) {
		void *objects[THREAD_OBJECTS];

		for (unsigned i = 0; i < THREAD_OBJECTS; i++)
			objects[i] = filled(8 + next_random(&random) % 1000);
		for (unsigned i = 0; i < THREAD_OBJECTS; i++)
			free(objects[i]);
	} else {
		char stack[THREAD_OBJECTS * sizeof(void *)];

		memset(stack, 1, sizeof(stack));
		__asm__ volatile("" ::"r"(stack) : "memory");
	}
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&done);
	return NULL;
}

/* Resident bytes that count threads add, after work or without any. */
static size_t threads_hold(unsigned count, int work)
{
	static pthread_t threads[THREADS_MAX];
	static uint64_t seeds[THREADS_MAX];
	size_t base = resident(), now;

	works = work;
	pthread_barrier_init(&ready, NULL, count + 1);
	pthread_barrier_init(&done, NULL, count + 1);
	for (unsigned i = 0; i < count; i++) {
		seeds[i] = i * 2654435761u + 1;
		if (pthread_create(&threads[i], NULL, idle_thread, &seeds[i]))
			die("cannot start a thread");
	}
	pthread_barrier_wait(&ready);
	now = resident();
	pthread_barrier_wait(&done);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return above(now, base);
}

static void thread(size_t count, int work)
{
	if (count < 1 || count > THREADS_MAX)
		die("1 to 1024 threads");
	free(filled(1));
	printf("%s %.1f\n", work ? "thread" : "thread-stack",
	       (double)threads_hold((unsigned)count, work) / 1024.0 /
		       (double)count);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	size_t number = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	if (strcmp(what, "kept") == 0) {
		kept(number ? number : 500);
	} else if (strcmp(what, "overhead") == 0) {
		overhead(number ? number : 200);
	} else if (strcmp(what, "thread") == 0) {
		thread(number ? number : 64, 1);
	} else if (strcmp(what, "thread-stack") == 0) {
		thread(number ? number : 64, 0);
	} else if (strcmp(what, "idle") == 0) {
		free(filled(100));
		printf("idle %.2f\n", mib(resident()));
	} else {
		fputs("Usage: memory kept|overhead|idle|thread|thread-stack"
		      " [NUMBER]\n",
		      stderr);
		return 2;
	}
	return 0;
}
