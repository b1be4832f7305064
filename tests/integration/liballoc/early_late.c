/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library for liballoc.sh: allocates in the earliest constructor that one
 * can ask for, and frees, resizes and allocates in the latest destructor.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *early;

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(9);
}

__attribute__((constructor(101))) static void first(void)
{
	early = malloc(1000);
	strcpy(early, "made early\n");
}

__attribute__((destructor(101))) static void last(void)
{
	char *more = calloc(1, 100000);

	early = realloc(early, 50000);
	if (!early || !more || more[99999])
		_exit(8);
	say(early);
	free(early);
	free(more);
	say("freed late\n");
}
