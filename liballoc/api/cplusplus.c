/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operator new and delete in all forms, by their mangled names (Itanium C++
 * ABI, 5.1.4). Owns no state; never throws itself, see runtime.c. As the
 * standard asks, each form that has a default behaviour of calling another
 * calls the one in force, which the program may have replaced. All are weak,
 * so that a program which replaces some links statically too.
 */
#include "config.h"

#include "liballoc/api/api.h"
#include "liballoc/api/cplusplus.h"
#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/fast.h"
#include "liballoc/heap/heap.h"

/* clang calls them by way of the PLT, which works too. */
#if defined(__has_attribute)
# if __has_attribute(noplt)
#  define NO_PLT __attribute__((noplt))
# endif
#endif
#ifndef NO_PLT
# define NO_PLT
#endif

/* Exported: by the mangled name, weak, called by way of the GOT. */
#define OPERATOR(mangled) __asm__(mangled) __attribute__((weak)) NO_PLT API
/* One whose own definition must be known from the program's. */
#define ALIAS(mangled, own) OPERATOR(mangled) __attribute__((alias(own)))

void *new_one(size_t size) ALIAS("_Znwm", "own_new");
void *new_array(size_t size) ALIAS("_Znam", "own_new_array");
void *new_aligned(size_t size, size_t alignment)
	ALIAS("_ZnwmSt11align_val_t", "own_new_aligned");
void *new_array_aligned(size_t size, size_t alignment)
	ALIAS("_ZnamSt11align_val_t", "own_new_array_aligned");
void *new_nothrow(size_t size, const void *tag) OPERATOR("_ZnwmRKSt9nothrow_t");
void *new_array_nothrow(size_t size, const void *tag)
	OPERATOR("_ZnamRKSt9nothrow_t");
void *new_aligned_nothrow(size_t size, size_t alignment, const void *tag)
	OPERATOR("_ZnwmSt11align_val_tRKSt9nothrow_t");
void *new_array_aligned_nothrow(size_t size, size_t alignment, const void *tag)
	OPERATOR("_ZnamSt11align_val_tRKSt9nothrow_t");

void delete_one(void *ptr) ALIAS("_ZdlPv", "own_delete");
void delete_array(void *ptr) ALIAS("_ZdaPv", "own_delete_array");
void delete_sized(void *ptr, size_t size) OPERATOR("_ZdlPvm");
void delete_array_sized(void *ptr, size_t size) OPERATOR("_ZdaPvm");
void delete_nothrow(void *ptr, const void *tag)
	OPERATOR("_ZdlPvRKSt9nothrow_t");
void delete_array_nothrow(void *ptr, const void *tag)
	OPERATOR("_ZdaPvRKSt9nothrow_t");
void delete_aligned(void *ptr, size_t alignment)
	ALIAS("_ZdlPvSt11align_val_t", "own_delete_aligned");
void delete_array_aligned(void *ptr, size_t alignment)
	OPERATOR("_ZdaPvSt11align_val_t");
void delete_aligned_nothrow(void *ptr, size_t alignment, const void *tag)
	OPERATOR("_ZdlPvSt11align_val_tRKSt9nothrow_t");
void delete_array_aligned_nothrow(void *ptr, size_t alignment, const void *tag)
	OPERATOR("_ZdaPvSt11align_val_tRKSt9nothrow_t");
void delete_sized_aligned(void *ptr, size_t size, size_t alignment)
	OPERATOR("_ZdlPvmSt11align_val_t");
void delete_array_sized_aligned(void *ptr, size_t size, size_t alignment)
	OPERATOR("_ZdaPvmSt11align_val_t");

/* The slow paths end up on call stacks in the operators' stead. */
void *new_slow(size_t size, size_t alignment) __attribute__((noinline));
void *new_slow_nothrow(size_t size, size_t alignment, bool array)
	__attribute__((noinline));

static void check_infallible(size_t size)
{
	char number[PRINT_NUMBER_BYTES];

	if (opt.experimental_infallible_new)
		fatal("Allocation of size ", print_number(number, size),
		      " failed. opt.experimental_infallible_new is true.",
		      NULL);
}

void *new_slow(size_t size, size_t alignment)
{
	void *ptr;

	while (!(ptr = heap_allocate(size, alignment, false, NULL))) {
		check_infallible(size);
		runtime_no_memory(size);
	}
	return ptr;
}

/* A call of a throwing form whose exceptions are to be caught. */
struct attempt {
	size_t size, alignment; /* 0: the form without alignment */
	bool array;
	void *result;
};

static void attempt(void *argument)
{
	struct attempt *what = argument;

	if (what->alignment)
		what->result =
			what->array
				? new_array_aligned(what->size, what->alignment)
				: new_aligned(what->size, what->alignment);
	else
		what->result = what->array ? new_array(what->size)
					   : new_one(what->size);
}

void *new_slow_nothrow(size_t size, size_t alignment, bool array)
{
	struct attempt what = {
		.size = size, .alignment = alignment, .array = array};

	return runtime_call_catching(attempt, &what) ? what.result : NULL;
}

static __attribute__((cold, noinline)) void *new_counted(size_t size,
							 size_t counted)
{
	void *ptr = heap_allocate_counted(size, counted);

	return ptr ? ptr : new_slow(size, 0);
}

static void *own_new(size_t size)
{
	size_t counted = 0;
	void *ptr = heap_fast_try(size, &counted);

	if (__builtin_expect(counted != 0, 0))
		return new_counted(size, counted);
	return __builtin_expect(ptr != NULL, 1) ? ptr : new_slow(size, 0);
}

static void *own_new_array(size_t size)
{
	return new_one(size);
}

static void *own_new_aligned(size_t size, size_t alignment)
{
	void *ptr = heap_fast_allocate_aligned(size, alignment);

	return __builtin_expect(ptr != NULL, 1) ? ptr
						: new_slow(size, alignment);
}

static void *own_new_array_aligned(size_t size, size_t alignment)
{
	return new_aligned(size, alignment);
}

void *new_nothrow(size_t size, const void *tag)
{
	void *ptr = new_one == own_new ? heap_fast_allocate(size) : NULL;

	(void)tag;
	return ptr ? ptr : new_slow_nothrow(size, 0, false);
}

void *new_array_nothrow(size_t size, const void *tag)
{
	void *ptr = NULL;

	(void)tag;
	if (new_one == own_new && new_array == own_new_array)
		ptr = heap_fast_allocate(size);
	return ptr ? ptr : new_slow_nothrow(size, 0, true);
}

void *new_aligned_nothrow(size_t size, size_t alignment, const void *tag)
{
	void *ptr = NULL;

	(void)tag;
	if (new_aligned == own_new_aligned)
		ptr = heap_fast_allocate_aligned(size, alignment);
	return ptr ? ptr : new_slow_nothrow(size, alignment, false);
}

void *new_array_aligned_nothrow(size_t size, size_t alignment, const void *tag)
{
	void *ptr = NULL;

	(void)tag;
	if (new_aligned == own_new_aligned &&
	    new_array_aligned == own_new_array_aligned)
		ptr = heap_fast_allocate_aligned(size, alignment);
	return ptr ? ptr : new_slow_nothrow(size, alignment, true);
}

static void own_delete(void *ptr)
{
	if (__builtin_expect(heap_fast_free(ptr), 1))
		return;
	if (ptr)
		heap_free(ptr, NULL);
}

static void own_delete_array(void *ptr)
{
	delete_one(ptr);
}

static void own_delete_aligned(void *ptr, size_t alignment)
{
	(void)alignment;
	own_delete(ptr);
}

/* Where sizes are checked, only those of objects that are known to be ours. */
static inline void check(const void *ptr, size_t size, size_t alignment,
			 bool ours)
{
	if (API_CHECKS_SIZES && ours && ptr)
		heap_check_size(ptr, size, alignment);
}

void delete_sized(void *ptr, size_t size)
{
	check(ptr, size, 0, delete_one == own_delete);
	delete_one(ptr);
}

void delete_array_sized(void *ptr, size_t size)
{
	check(ptr, size, 0,
	      delete_one == own_delete && delete_array == own_delete_array);
	delete_array(ptr);
}

void delete_nothrow(void *ptr, const void *tag)
{
	(void)tag;
	delete_one(ptr);
}

void delete_array_nothrow(void *ptr, const void *tag)
{
	(void)tag;
	delete_array(ptr);
}

void delete_array_aligned(void *ptr, size_t alignment)
{
	delete_aligned(ptr, alignment);
}

void delete_aligned_nothrow(void *ptr, size_t alignment, const void *tag)
{
	(void)tag;
	delete_aligned(ptr, alignment);
}

void delete_array_aligned_nothrow(void *ptr, size_t alignment, const void *tag)
{
	(void)tag;
	delete_array_aligned(ptr, alignment);
}

void delete_sized_aligned(void *ptr, size_t size, size_t alignment)
{
	check(ptr, size, alignment, delete_aligned == own_delete_aligned);
	delete_aligned(ptr, alignment);
}

void delete_array_sized_aligned(void *ptr, size_t size, size_t alignment)
{
	check(ptr, size, alignment, delete_aligned == own_delete_aligned);
	delete_array_aligned(ptr, alignment);
}

bool cplusplus_is_operator(uintptr_t pc)
{
	const uintptr_t functions[] = {
		(uintptr_t)own_new,
		(uintptr_t)own_new_array,
		(uintptr_t)own_new_aligned,
		(uintptr_t)own_new_array_aligned,
		(uintptr_t)new_counted,
		(uintptr_t)new_slow,
		(uintptr_t)new_slow_nothrow,
		(uintptr_t)new_nothrow,
		(uintptr_t)new_array_nothrow,
		(uintptr_t)new_aligned_nothrow,
		(uintptr_t)new_array_aligned_nothrow,
		(uintptr_t)own_delete,
		(uintptr_t)own_delete_array,
		(uintptr_t)own_delete_aligned,
		(uintptr_t)delete_sized,
		(uintptr_t)delete_array_sized,
		(uintptr_t)delete_nothrow,
		(uintptr_t)delete_array_nothrow,
		(uintptr_t)delete_array_aligned,
		(uintptr_t)delete_aligned_nothrow,
		(uintptr_t)delete_array_aligned_nothrow,
		(uintptr_t)delete_sized_aligned,
		(uintptr_t)delete_array_sized_aligned,
	};

	for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (functions[i] == pc)
			return true;
	return false;
}
