/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C++ runtime of the program, be it libstdc++, libc++ or one linked
 * statically: found by weak references or, as it may be opened later or
 * privately, by the dynamic linker, and only once memory is short. Owns no
 * state. Exceptions are caught by a frame written by hand, whose personality
 * routine (Itanium C++ ABI, level I, 1.6) takes every exception.
 */
#include "config.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unwind.h>

#include "liballoc/api/cplusplus.h"
#include "liballoc/ctl/print.h"

typedef void (*function)(void);

/* By mangled name. What is data is declared as bytes. */
extern void get_new_handler(void) __asm__("_ZSt15get_new_handlerv")
	__attribute__((weak));
extern void throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv")
	__attribute__((weak));
extern void allocate_exception(void) __asm__("__cxa_allocate_exception")
	__attribute__((weak));
extern void throw_exception(void) __asm__("__cxa_throw") __attribute__((weak));
extern void begin_catch(void) __asm__("__cxa_begin_catch")
	__attribute__((weak));
extern void end_catch(void) __asm__("__cxa_end_catch") __attribute__((weak));
extern void destroy_bad_alloc(void) __asm__("_ZNSt9bad_allocD1Ev")
	__attribute__((weak));
extern const char bad_alloc_type[] __asm__("_ZTISt9bad_alloc")
	__attribute__((weak));
extern const char bad_alloc_table[] __asm__("_ZTVSt9bad_alloc")
	__attribute__((weak));

#pragma weak _Unwind_SetGR
#pragma weak _Unwind_SetIP
#pragma weak dlopen
#pragma weak dlsym
#pragma weak dlclose

/* Where a runtime may lie that was opened with RTLD_LOCAL. */
static const char *const libraries[] = {
	"libstdc++.so.6",
	"libc++.so.1",
	"libc++abi.so.1",
	"libgcc_s.so.1",
};

static void *find_in(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD), *found;

	if (!handle)
		return NULL;
	found = dlsym(handle, name);
	dlclose(handle);
	return found;
}

/* linked: what the weak reference came to. NULL: there is none. */
static void *find(const char *name, const void *linked)
{
	void *found = (void *)(uintptr_t)linked;

	if (found || !dlsym || !dlopen || !dlclose)
		return found;
	found = dlsym(RTLD_DEFAULT, name);
	for (unsigned i = 0;
	     !found && i < sizeof(libraries) / sizeof(libraries[0]); i++)
		found = find_in(libraries[i], name);
	return found;
}

static function find_function(const char *name, function linked)
{
	return (function)find(name, (const void *)linked);
}

static function new_handler(void)
{
	function get = find_function("_ZSt15get_new_handlerv", get_new_handler);

	return get ? ((function(*)(void))get)() : NULL;
}

/* For static programs, which may have this much of the runtime and no more. */
static void throw_by_hand(void)
{
	function allocate =
		find_function("__cxa_allocate_exception", allocate_exception);
	function throw = find_function("__cxa_throw", throw_exception);
	function destroy =
		find_function("_ZNSt9bad_allocD1Ev", destroy_bad_alloc);
	void *type = find("_ZTISt9bad_alloc", bad_alloc_type);
	const char *table = find("_ZTVSt9bad_alloc", bad_alloc_table);
	const char **exception;

	if (!allocate || !throw || !type || !table)
		return;
	exception = ((void *(*)(size_t))allocate)(sizeof(*exception));
	/* An object's word points past the table's offset and type. */
	*exception = table + 2 * sizeof(void *);
	((void (*)(void *, void *, function)) throw)(exception, type, destroy);
}

void runtime_no_memory(size_t size)
{
	char number[PRINT_NUMBER_BYTES];
	function handler = new_handler(), throw;

	if (handler) {
		handler();
		return;
	}
	throw = find_function("_ZSt17__throw_bad_allocv", throw_bad_alloc);
	if (throw)
		throw();
	throw_by_hand();
	fatal("out of memory: operator new of ", print_number(number, size),
	      " bytes, and no C++ runtime to throw std::bad_alloc", NULL);
}

/*
 * Calls function(argument) and returns NULL, or the exception object that
 * left it.
 */
struct _Unwind_Exception *runtime_guard(void (*function)(void *),
					void *argument);
extern const char runtime_guard_landing[] __attribute__((visibility("hidden")));
_Unwind_Reason_Code runtime_personality(int version, _Unwind_Action actions,
					_Unwind_Exception_Class class,
					struct _Unwind_Exception *exception,
					struct _Unwind_Context *context);

#if defined(__x86_64__)
__asm__(".text\n"
	".p2align 4\n"
	".globl runtime_guard\n"
	".hidden runtime_guard\n"
	".hidden runtime_personality\n"
	".type runtime_guard, @function\n"
	"runtime_guard:\n"
	".cfi_startproc\n"
	/* pc-relative, 4 bytes, signed */
	".cfi_personality 0x1b, runtime_personality\n"
	"endbr64\n"
	"subq $8, %rsp\n"
	".cfi_adjust_cfa_offset 8\n"
	"movq %rdi, %rax\n"
	"movq %rsi, %rdi\n"
	"call *%rax\n"
	"xorl %eax, %eax\n"
	".globl runtime_guard_landing\n"
	".hidden runtime_guard_landing\n"
	"runtime_guard_landing:\n"
	"endbr64\n"
	"addq $8, %rsp\n"
	".cfi_adjust_cfa_offset -8\n"
	"ret\n"
	".cfi_endproc\n"
	".size runtime_guard, . - runtime_guard\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".p2align 4\n"
	".globl runtime_guard\n"
	".hidden runtime_guard\n"
	".hidden runtime_personality\n"
	".type runtime_guard, %function\n"
	"runtime_guard:\n"
	".cfi_startproc\n"
	".cfi_personality 0x1b, runtime_personality\n"
	"hint #34\n" /* bti c */
	"stp x29, x30, [sp, -16]!\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset 29, -16\n"
	".cfi_offset 30, -8\n"
	"mov x29, sp\n"
	"mov x2, x0\n"
	"mov x0, x1\n"
	"blr x2\n"
	"mov x0, #0\n"
	".globl runtime_guard_landing\n"
	".hidden runtime_guard_landing\n"
	"runtime_guard_landing:\n"
	"hint #36\n" /* bti j */
	"ldp x29, x30, [sp], 16\n"
	".cfi_restore 30\n"
	".cfi_restore 29\n"
	".cfi_def_cfa_offset 0\n"
	"ret\n"
	".cfi_endproc\n"
	".size runtime_guard, . - runtime_guard\n");
#endif

__attribute__((visibility("hidden"))) _Unwind_Reason_Code runtime_personality(
	int version, _Unwind_Action actions, _Unwind_Exception_Class class,
	struct _Unwind_Exception *exception, struct _Unwind_Context *context)
{
	function set_register =
		find_function("_Unwind_SetGR", (function)_Unwind_SetGR);
	function set_pc =
		find_function("_Unwind_SetIP", (function)_Unwind_SetIP);

	(void)class;
	if (version != 1 || !set_register || !set_pc ||
	    !find_function("__cxa_begin_catch", begin_catch) ||
	    !find_function("__cxa_end_catch", end_catch))
		return _URC_CONTINUE_UNWIND;
	if (actions & _UA_SEARCH_PHASE)
		return _URC_HANDLER_FOUND;
	/* A thread that is cancelled passes. */
	if (!(actions & _UA_HANDLER_FRAME))
		return _URC_CONTINUE_UNWIND;
	((void (*)(struct _Unwind_Context *, int, _Unwind_Word))set_register)(
		context, __builtin_eh_return_data_regno(0),
		(uintptr_t)exception);
	((void (*)(struct _Unwind_Context *, _Unwind_Ptr))set_pc)(
		context, (uintptr_t)runtime_guard_landing);
	return _URC_INSTALL_CONTEXT;
}

bool runtime_call_catching(void (*function_)(void *), void *argument)
{
	struct _Unwind_Exception *exception =
		runtime_guard(function_, argument);
	function begin, end;

	if (!exception)
		return true;
	begin = find_function("__cxa_begin_catch", begin_catch);
	end = find_function("__cxa_end_catch", end_catch);
	((void *(*)(void *))begin)(exception);
	end();
	return false;
}
