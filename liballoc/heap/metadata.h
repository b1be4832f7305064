/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for the allocator's own structures, apart from the program's. Blocks
 * are 64-byte aligned; freed ones are kept by size for the next of that size.
 */
#ifndef LIBALLOC_HEAP_METADATA_H
#define LIBALLOC_HEAP_METADATA_H

#include <stddef.h>

struct lock;

/* Zeroed; NULL where memory is short. Any thread. */
void *metadata_allocate(size_t bytes);
/* bytes as given to metadata_allocate(). */
void metadata_free(void *block, size_t bytes);

/* For its counts. */
struct lock *metadata_lock(void);
void metadata_prefork(void);
void metadata_postfork_parent(void);
void metadata_postfork_child(void);

#endif
