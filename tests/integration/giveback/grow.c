/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocates, frees half, and prints the controls that are named by its
 * arguments; "fill:MIB" fills that much in steps, freeing as much at each, and
 * "write:FILE=TEXT" writes a file and lets a second pass.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "liballoc/include/liballoc/liballoc.h"

#define BLOCK ((size_t)64 << 10)

/* Takes all, frees every other piece, takes pieces of twice the size. */
static void fill(size_t mib)
{
	size_t count = (mib << 20) / BLOCK, i;
	void **blocks = calloc(count, sizeof(*blocks));

	for (i = 0; i < count; i++)
		memset(blocks[i] = malloc(BLOCK), 1, BLOCK);
	for (i = 0; i < count; i += 2) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
	for (i = 0; i < count / 4; i++)
		memset(blocks[i * 2] = malloc(BLOCK + 4096), 1, BLOCK + 4096);
	for (i = 0; i < count; i++)
		free(blocks[i]);
	free(blocks);
}

static int write_file(char *argument)
{
	char *text = strchr(argument, '=');
	int fd;

	*text++ = '\0';
	fd = open(argument, O_WRONLY | O_TRUNC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return 1;
	close(fd);
	usleep(1100000);
	return 0;
}

static int print(const char *name)
{
	uint64_t value = 0;
	size_t size = sizeof(value);

	/* Which says how long it is where it is not so long. */
	if (mallctl(name, &value, &size, NULL, 0) &&
	    mallctl(name, &value, &size, NULL, 0))
		return 1;
	printf("%s %llu\n", name, (unsigned long long)value);
	return 0;
}

int main(int argc, char **argv)
{
	int i, failed = 0;

	for (i = 1; i < argc; i++)
		if (strncmp(argv[i], "fill:", 5) == 0)
			fill(strtoul(argv[i] + 5, NULL, 10));
		else if (strncmp(argv[i], "write:", 6) == 0)
			failed |= write_file(argv[i] + 6);
		else
			failed |= print(argv[i]);
	return failed;
}
