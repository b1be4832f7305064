/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses of one file that want names, sorted. The resolvers run over
 * a file's ranges once and ask which addresses lie in each, so that the cost
 * follows what the file holds, not addresses times symbols.
 */
#ifndef LIBJEHEAP_SYMBOL_QUERY_H
#define LIBJEHEAP_SYMBOL_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/str.h"

#define NO_UNIT UINT32_MAX

/* A function as a debug file describes it; shared between frames. */
struct function_name {
	struct str name;	/* demangled */
	struct str system_name; /* as linked */
	struct str file;	/* where it is declared; empty: unknown */
	uint32_t line;		/* 0: unknown */
};

struct frame {
	const struct function_name *function;
	struct str file; /* of the line; empty: unknown */
	uint32_t line, column;
	struct frame *outer; /* the caller it is inlined in; NULL: none */
};

struct query {
	uint64_t address;  /* as linked */
	uint32_t location; /* in the profile */
	uint32_t unit;	   /* which compilation unit claims it */
	uint32_t scope;	   /* the innermost function found, 0: none yet */
	struct frame *innermost;
	struct str file; /* of the line table's row */
	uint32_t line, column;
};

struct queries {
	struct arena *arena; /* of frames and names */
	struct query *items; /* by address */
	size_t count;
};

void queries_sort(struct queries *queries);
/* The first query whose address is not below. */
size_t queries_from(const struct queries *queries, uint64_t address);

#endif
