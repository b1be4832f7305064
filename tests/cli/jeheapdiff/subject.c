/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program for dumps to be about: its functions are named in them by
 * address. Built twice: REBUILT moves all of them.
 */
#include <stdlib.h>

#if defined(REBUILT)
int newcomer(int n);

int newcomer(int n)
{
	return n * 31 + (n >> 3);
}
#endif

void *leak_session(void);
void *fill_cache(void);
void *make_report(void);
void handle_payment(void **results);

__attribute__((noinline)) void *leak_session(void)
{
	return calloc(1, 100);
}

__attribute__((noinline)) void *fill_cache(void)
{
	return calloc(2, 4096);
}

__attribute__((noinline)) void *make_report(void)
{
	return calloc(3, 65536);
}

__attribute__((noinline)) void handle_payment(void **results)
{
	results[0] = leak_session();
	results[1] = fill_cache();
	results[2] = make_report();
}

int main(void)
{
	void *results[3];

	handle_payment(results);
#if defined(REBUILT)
	return results[2] == NULL || newcomer(0);
#else
	return results[2] == NULL;
#endif
}
