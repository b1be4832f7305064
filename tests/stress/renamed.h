/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives liballoc's functions other names, so that it can be a part of a
 * program whose malloc is ThreadSanitizer's. Force-included before all else.
 */
#ifndef TESTS_STRESS_RENAMED_H
#define TESTS_STRESS_RENAMED_H

#include <malloc.h>
#include <stdlib.h>

#define malloc own_name_malloc
#define calloc own_name_calloc
#define realloc own_name_realloc
#define reallocarray own_name_reallocarray
#define free own_name_free
#define posix_memalign own_name_posix_memalign
#define aligned_alloc own_name_aligned_alloc
#define memalign own_name_memalign
#define valloc own_name_valloc
#define pvalloc own_name_pvalloc
#define malloc_usable_size own_name_malloc_usable_size
#define mallinfo(...) own_name_mallinfo(__VA_ARGS__)
#define mallinfo2(...) own_name_mallinfo2(__VA_ARGS__)
#define mallopt own_name_mallopt
#define malloc_trim own_name_malloc_trim
#define malloc_stats own_name_malloc_stats
#define malloc_info own_name_malloc_info
/* Those of the system, which a sanitizer calls before it is ready. */
#include <sys/prctl.h>
#include <sys/resource.h>
#define prctl own_name_prctl
#define setrlimit own_name_setrlimit
#define setrlimit64 own_name_setrlimit64
#define prlimit own_name_prlimit
#define prlimit64 own_name_prlimit64
#define mlockall own_name_mlockall

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *ptr, size_t size);
void *reallocarray(void *ptr, size_t count, size_t size);
void free(void *ptr);
int posix_memalign(void **result, size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
size_t malloc_usable_size(void *ptr);
struct mallinfo mallinfo(void);
struct mallinfo2 mallinfo2(void);
int mallopt(int parameter, int value);
int malloc_trim(size_t pad);
void malloc_stats(void);
int malloc_info(int options, FILE *stream);

#endif
