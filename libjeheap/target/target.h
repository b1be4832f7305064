/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process seen from outside: its mappings, its memory, its ledger. Reads
 * with process_vm_readv, or /proc/PID/mem where that is refused; where both
 * are, the figures from the snapshot that it exports. Signals nothing, stops
 * nobody. Or what is left of one, a core file. All it finds is hostile.
 */
#ifndef LIBJEHEAP_TARGET_TARGET_H
#define LIBJEHEAP_TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/diag.h"
#include "libjeheap/base/str.h"
#include "liballoc/ledger/layout.h"

struct core;

struct target {
	struct arena arena;
	int pid;		 /* of a core file, that of then; 0: unknown */
	struct core *core;	 /* NULL: a process */
	int memory_fd;		 /* /proc/PID/mem, or -1 */
	char name[256];		 /* "process 12 (cat)", for messages */
	struct str maps;	 /* the text of /proc/PID/maps */
	uint64_t ledger_address; /* 0: not looked for yet */
	int snapshot_fd;	 /* read instead of the memory, or -1 */
};

/*
 * False, with the remedy: the process is gone, a zombie, a kernel thread, or
 * not to be read by this user. Close it only where it was opened.
 */
bool target_open(struct target *target, int pid, struct diag *diag);
/* A core file, read in the same way. */
bool target_open_core(struct target *target, const char *path,
		      struct diag *diag);
/* Is the file one, by its first bytes, packed or not? */
bool core_is_one(const char *path);
void target_close(struct target *target);
/* All of [address, address + size), or false. */
bool target_read(struct target *target, uint64_t address, void *buffer,
		 size_t size, struct diag *diag);
/*
 * Finds the ledger: by the note or the symbol of each file mapped, in the
 * order of addresses, else by the magic of an anonymous mapping. Where a
 * process holds several copies of liballoc, it is that of the one with most
 * bytes allocated: the others hardly serve anybody. "process 12 (cat) does not
 * run on liballoc". Where its memory may not be read, its snapshot is found
 * instead; where there is none, the diag says what permission is lacking.
 */
bool target_find_ledger(struct target *target, struct diag *diag);

/*
 * The build-id in the notes of the ELF image whose first byte is mapped at
 * this address, read from the process's memory; false where there is none.
 */
bool target_build_id(struct target *target, uint64_t address,
		     struct arena *arena, struct str *id);

/*
 * A copy of a ledger, each section checked against the region: in here,
 * offsets, strides and counts can be trusted, contents cannot, but for
 * two: metrics lie in their section's rows, and strings end in NUL. Sections
 * that a newer minor version has grown are read by their own stride; a pointer
 * from ledger_row() has at least the bytes that layout.h knows.
 */
struct ledger_view {
	struct ledger_header header;
	const uint8_t *rows[LEDGER_SECTIONS];
	uint64_t count[LEDGER_SECTIONS];  /* rows copied */
	uint32_t stride[LEDGER_SECTIONS]; /* bytes */
	uint64_t torn_rows; /* left out: metrics and samples that make no
			       sense, as when caught in mid-write */
	/*
	 * The process stands still while its tables are being replaced: rows
	 * of the tables that a profile is made of may be missing or count
	 * twice. The figures of all other sections are as good as ever.
	 */
	bool unsettled;
};

/* Is it the exported snapshot, and not the process's memory, that was read? */
static inline bool ledger_view_is_snapshot(const struct ledger_view *view)
{
	return view->header.flags & LEDGER_SNAPSHOT;
}

/* Which sections to copy: a bit (1u << id) each. */
#define LEDGER_WANT_STATS                                                      \
 (1u << LEDGER_METRICS | 1u << LEDGER_PROCESS | 1u << LEDGER_ARENAS |          \
  1u << LEDGER_CLASSES | 1u << LEDGER_ARENA_CLASSES | 1u << LEDGER_THREADS)
#define LEDGER_WANT_PROFILE                                                    \
 (1u << LEDGER_CLASSES | 1u << LEDGER_THREADS | 1u << LEDGER_STACKS |          \
  1u << LEDGER_FRAMES | 1u << LEDGER_COUNTS | 1u << LEDGER_SAMPLES |           \
  1u << LEDGER_LIVES)

/*
 * Copies from the process, again while the generation changes: but from one
 * that is stopped, or has replaced nothing for two seconds, as it is. A
 * section is copied before those that its rows refer to, so that what they
 * refer to is there; sections not wanted have a count of 0. A snapshot has no
 * profile: where one is wanted, the diag says what permission is lacking.
 */
bool target_read_ledger(struct target *target, unsigned want,
			struct arena *arena, struct ledger_view *view,
			struct diag *diag);
/*
 * The same from memory that holds a region (tests, fuzzing, core files), which
 * stands still.
 */
bool ledger_view_from_memory(const void *region, size_t size, unsigned want,
			     struct arena *arena, struct ledger_view *view,
			     struct diag *diag);
/* Row i of a section, or NULL beyond its count. */
const void *ledger_row(const struct ledger_view *view, unsigned section,
		       uint64_t row);
/* A metric by name, or NULL. Its section, offset and count are in bounds. */
const struct ledger_metric *ledger_view_metric(const struct ledger_view *view,
					       unsigned section,
					       const char *name);
/* The metric's word in the row. */
uint64_t ledger_view_get(const struct ledger_view *view,
			 const struct ledger_metric *metric, uint64_t row);
/* The sum over all rows. */
uint64_t ledger_view_sum(const struct ledger_view *view,
			 const struct ledger_metric *metric);

/* Facts of /proc/PID, for jestat. False where the process is gone. */
struct process_info {
	char command[64];
	uint64_t rss_bytes, swap_bytes;
	unsigned threads;
	uint64_t start_time_ticks;
	unsigned uid;
};
bool process_info(int pid, struct process_info *info);

/* The arguments, with spaces between them; empty where they are not known. */
struct str target_command_line(const struct target *target,
			       struct arena *arena);

/*
 * The processes on liballoc that this user may read, by pid; *hidden counts
 * the processes that could not be looked at.
 */
size_t target_list(struct arena *arena, int **pids, size_t *hidden);

#endif
