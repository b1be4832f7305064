/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Demangles C++, Rust and D by libiberty. A mangled name of a hundred bytes
 * can stand for a text that fills memory, so output is cut off at a limit,
 * and a name that runs into it stays as it is.
 */
#include "config.h"

#include "libjeheap/symbol/symbol.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#define MANGLED_MAX_BYTES ((size_t)32 << 10)
#define MANGLED_D_MAX_BYTES ((size_t)2 << 10)
#define DEMANGLED_MAX_BYTES ((size_t)64 << 10)

struct demangled {
	struct text text;
	jmp_buf overflow;
};

/*
 * libiberty cannot be told to stop. Its callback forms keep all they have on
 * the stack, so a jump out of them leaks nothing.
 */
static void take_piece(const char *piece, size_t len, void *data)
{
	struct demangled *d = data;

	if (len > DEMANGLED_MAX_BYTES - d->text.len)
		longjmp(d->overflow, 1);
	text_add(&d->text, (struct str){piece, len});
}

static bool demangle_into(struct demangled *d, const char *name)
{
	int options = DMGL_PARAMS | DMGL_ANSI;

	if (setjmp(d->overflow))
		return false;
	if (rust_demangle_callback(name, options, take_piece, d))
		return true;
	d->text.len = 0;
	return cplus_demangle_v3_callback(name, options, take_piece, d) != 0;
}

static struct str demangle_d(struct arena *arena, struct str name)
{
	struct str result = name;
	char *text;

	if (name.len > MANGLED_D_MAX_BYTES)
		return name;
	text = dlang_demangle(str_cstring(arena, name), DMGL_PARAMS);
	if (text && strlen(text) <= DEMANGLED_MAX_BYTES)
		result = str_copy(arena, str_of(text));
	free(text);
	return result;
}

struct str demangle(struct arena *arena, struct str name)
{
	struct demangled d = {.text.arena = arena};

	if (name.len > MANGLED_MAX_BYTES)
		return name;
	if (str_starts_with(name, STR("_D")))
		return demangle_d(arena, name);
	if (!str_starts_with(name, STR("_Z")) &&
	    !str_starts_with(name, STR("_R")) &&
	    !str_starts_with(name, STR("_GLOBAL_")))
		return name;
	if (!demangle_into(&d, str_cstring(arena, name)) || !d.text.len)
		return name;
	return text_str(&d.text);
}
