/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the list of the files that are open now. A look that finds no room in it
 * is one that a child may keep, as before exec it may.
 */
#include "config.h"

#include "liballoc/heap/looks.h"

#include <errno.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "liballoc/heap/os.h"

#define MOST_LOOKS 8u

/*
 * The process that ended them; 0: none has. A child of vfork writes this, too,
 * in its parent's memory; and one of clone may have what its parent wrote.
 */
static pid_t ended_by;

/* The thread's control block, and the number of its file + 1; 0: none. */
static uint64_t looks[MOST_LOOKS];
#define LG_NUMBERS 16

static uint64_t look_of(int fd)
{
	return (uint64_t)(uintptr_t)__builtin_thread_pointer() << LG_NUMBERS |
	       (uint64_t)(fd + 1);
}

static bool is_same_thread(uint64_t one, uint64_t other)
{
	return one >> LG_NUMBERS == other >> LG_NUMBERS;
}

bool look_may(void)
{
	pid_t process = __atomic_load_n(&ended_by, __ATOMIC_RELAXED);

	return !process || (process != getpid() && process != getppid());
}

void look_end(void)
{
	if (look_may())
		__atomic_store_n(&ended_by, getpid(), __ATOMIC_RELAXED);
}

static void note(int fd)
{
	for (unsigned i = 0; i < MOST_LOOKS; i++) {
		uint64_t none = 0;

		if (__atomic_compare_exchange_n(&looks[i], &none, look_of(fd),
						false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return;
	}
}

int look_open(const char *path)
{
	int fd;

	if (!look_may()) {
		errno = EPERM;
		return -1;
	}
	fd = os_open(path);
	if (fd >= 0 && fd < (1 << LG_NUMBERS) - 1)
		note(fd);
	return fd;
}

void look_close(int fd)
{
	/* Off the list first: closed, the number may be another thread's. */
	for (unsigned i = 0; i < MOST_LOOKS; i++) {
		uint64_t look = look_of(fd);

		if (__atomic_compare_exchange_n(&looks[i], &look, 0, false,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			break;
	}
	os_close(fd);
}

/* A handler of a signal may fork, and this thread's own look goes on then. */
void look_postfork_child(void)
{
	if (!look_may())
		__atomic_store_n(&ended_by, getpid(), __ATOMIC_RELAXED);
	for (unsigned i = 0; i < MOST_LOOKS; i++) {
		uint64_t look = __atomic_load_n(&looks[i], __ATOMIC_RELAXED);

		if (!look || is_same_thread(look, look_of(-1)))
			continue;
		__atomic_store_n(&looks[i], 0, __ATOMIC_RELAXED);
		os_close((int)(look & ((1 << LG_NUMBERS) - 1)) - 1);
	}
}
