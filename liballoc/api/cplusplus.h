/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the C++ operators need beyond memory: the new handler, exceptions, and
 * how their frames are told. liballoc links to no C++ runtime: what it needs
 * of the program's is looked up when memory is short, and not before.
 */
#ifndef LIBALLOC_API_CPLUSPLUS_H
#define LIBALLOC_API_CPLUSPLUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What std::get_new_handler() asks for when there is no memory for size
 * bytes: calls the handler and returns, for another try, or throws
 * std::bad_alloc. May be left by an exception. Aborts where an exception is
 * due and the process has no C++ runtime.
 */
void runtime_no_memory(size_t size);

/*
 * Calls function(argument). False where it was left by an exception, which is
 * caught and dropped. Where the program's unwinder cannot be found (linked
 * statically, symbols hidden), exceptions pass through.
 */
bool runtime_call_catching(void (*function)(void *), void *argument);

/* Does the function that begins at pc belong to the C++ operators? */
bool cplusplus_is_operator(uintptr_t pc);

#endif
