/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For liballoc.sh: takes all the memory that it is let have, in every size,
 * gives it back, and takes it again; fails where that is ever less than so
 * many MiB.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct link {
	struct link *next;
};

static size_t take_all(size_t size, size_t most)
{
	struct link *list = NULL, *one;
	size_t count = 0;

	errno = 0;
	while (count < most && (one = malloc(size))) {
		memset(one, 1, size);
		one->next = list;
		list = one;
		count++;
	}
	if (count < most && errno != ENOMEM)
		exit(3);
	while (list) {
		one = list;
		list = one->next;
		free(one);
	}
	return count * size;
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {16, 1000, 9000, 30000, 200000, 3000000};
	size_t i, least = SIZE_MAX;

	for (i = 0; i < 2 * sizeof(sizes) / sizeof(*sizes); i++) {
		size_t size = sizes[i % (sizeof(sizes) / sizeof(*sizes))];
		size_t got = take_all(size, ((size_t)100 << 20) / size);

		if (got < least)
			least = got;
	}
	printf("%zu MiB\n", least >> 20);
	return argc < 2 || least >> 20 < strtoul(argv[1], NULL, 10);
}
