/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A core file as the memory of a process that is no more (core(5), elf(5);
 * the notes are those of the kernel's fs/binfmt_elf.c, which gdb's gcore
 * writes too). 64-bit, little-endian only. All that is in it is hostile.
 */
#ifndef LIBJEHEAP_TARGET_CORE_H
#define LIBJEHEAP_TARGET_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/diag.h"
#include "libjeheap/base/str.h"

struct core_segment {
	uint64_t address, memory_bytes;
	uint64_t offset, file_bytes; /* the rest was not written */
	uint32_t flags;		     /* PF_* */
	bool is_file;		     /* begins a mapped file */
};

struct core {
	int fd;
	uint64_t bytes;		       /* of the file */
	struct core_segment *segments; /* by address */
	size_t segment_count;
	struct str maps;  /* as /proc/PID/maps would have it, as far as known */
	int pid;	  /* 0: unknown */
	char program[20]; /* its name; masked */
	struct str command; /* its arguments, of which the kernel keeps 79
			       bytes; masked */
	bool is_cut;	    /* the file ends before its segments do */
	uint64_t left;	    /* bytes that may be read yet: see core.c */
};

/* By its first bytes, which are aligned for an ELF header. */
bool core_begins_so(const void *start, size_t size);
/*
 * In the arena; a packed one is unpacked into a temporary file, within bounds.
 * name is for messages. NULL, and the diag, where it is none.
 */
struct core *core_open(const char *path, const char *name, struct arena *arena,
		       struct diag *diag);
void core_close(struct core *core);
/* All of [address, address + size), or false. */
bool core_read(struct core *core, const char *name, uint64_t address,
	       void *buffer, size_t size, struct diag *diag);

#endif
