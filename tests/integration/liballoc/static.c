/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A static program that allocates before its constructors, and beneath frames
 * that lead nowhere. Prints "served" where it was.
 */
#include <stdio.h>
#include <stdlib.h>

static void *early;

static void before(void)
{
	early = malloc(100);
	for (unsigned i = 0; i < 1000; i++)
		free(malloc(i * 10));
}

__attribute__((section(".preinit_array"),
	       used)) static void (*preinit)(void) = before;

int main(void)
{
	free(early);
	before();
	puts(early ? "served" : "not served");
	return 0;
}
