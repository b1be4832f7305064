/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of this process have memory, or lie in swap: by its pagemap, the
 * kernel's Documentation/admin-guide/mm/pagemap.rst. mincore(2) would take a
 * page in swap for one that never was, and services that systemd hardens
 * (SystemCallFilter=@system-service) may not call it. Takes no lock; leaves
 * errno alone.
 */
#ifndef LIBALLOC_HEAP_RESIDENCY_H
#define LIBALLOC_HEAP_RESIDENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A descriptor for the calls below; -1: it may not be told. */
int residency_open(void);
void residency_close(int fd);
/*
 * Adds to count how many of the pages [base, base + bytes) are so, or, once
 * count is more than most, of the first of them. False: it may not be told.
 */
bool residency_count(int fd, uintptr_t base, size_t bytes, size_t most,
		     size_t *count);

#endif
