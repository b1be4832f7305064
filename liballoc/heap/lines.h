/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fetching of cache lines ahead of their use: what a sample touches was touched
 * long ago, and waiting for one line after the other is most of its price.
 */
#ifndef LIBALLOC_HEAP_LINES_H
#define LIBALLOC_HEAP_LINES_H

#define LINE_BYTES 64

/* Asks for the line, which will be written soon; a hint, of any address. */
static inline void lines_fetch(const void *at)
{
	__builtin_prefetch(at, 1);
}

/* The same of the next one, too. */
static inline void lines_fetch_two(const void *at)
{
	lines_fetch(at);
	lines_fetch((const char *)at + LINE_BYTES);
}

#endif
