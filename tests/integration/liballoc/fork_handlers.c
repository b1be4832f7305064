/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With LIBRARY defined a library that allocates under a lock of its own, which
 * it takes before a fork; without, a program whose threads use it while the
 * program forks. Each may only get its lock where the other's is not held.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void allocate_locked(size_t bytes);

#if defined(LIBRARY)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void take(void)
{
	pthread_mutex_lock(&lock);
}

static void give(void)
{
	pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void begin(void)
{
	pthread_atfork(take, give, give);
}

void allocate_locked(size_t bytes)
{
	void *volatile objects[32];

	take();
	for (unsigned i = 0; i < 32; i++)
		objects[i] = malloc(bytes + i * 1000);
	for (unsigned i = 0; i < 32; i++)
		free(objects[i]);
	give();
}

#else

static void *work(void *unused)
{
	for (size_t bytes = 1;; bytes = bytes * 7919 % 60013)
		allocate_locked(bytes);
	return unused;
}

int main(void)
{
	pthread_t thread;
	int status = 0;

	for (unsigned i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, work, NULL))
			return 2;
	for (unsigned i = 0; i < 1000 && !status; i++) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		if (waitpid(child, &status, 0) != child)
			return 3;
	}
	_exit(status != 0);
}

#endif
