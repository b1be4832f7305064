/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that dumps go to: what they are called, by opt.prof_prefix, and
 * how many of them stay. Knows nothing of what is in them. All of it under the
 * dump lock.
 */
#ifndef LIBALLOC_PROF_FILES_H
#define LIBALLOC_PROF_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"

/* Why a dump is made. Those that wait to be served go in this order. */
enum dump_kind {
	DUMP_TIGHT,
	DUMP_SIGNAL,
	DUMP_ABOVE,
	DUMP_INTERVAL,
	DUMP_GDUMP,
	DUMP_CALL,
	DUMP_PEAK, /* of what was in use at the peak */
	DUMP_FINAL,
	DUMP_KINDS
};

#define DUMP_NAME_BYTES (OPTION_PATH_BYTES + 128)
#define FILES_REASON_BYTES (PRINT_NUMBER_BYTES + 8)

/* Takes up opt.prof_prefix. */
void files_boot(void);
/* The prefix is empty: no dump has a name but those that are given one. */
bool files_have_no_name(void);
/* Shorter than OPTION_PATH_BYTES. */
void files_set_prefix(const char *prefix);
/* The name of the next log; each is given once. */
void files_log_name(char name[DUMP_NAME_BYTES]);
/* The name of the next dump of a kind; each is given once. */
void files_name(char name[DUMP_NAME_BYTES], enum dump_kind kind);
/*
 * The file that was named last is there: removes, by opt.prof_dump_keep, the
 * oldest of the kind, unless somebody has asked for each of them.
 */
void files_written(enum dump_kind kind);
/* The child removes its own files, not its parent's. */
void files_postfork_child(void);
/* Why a file could not be written; text is room for that. Takes no lock. */
const char *files_reason(char text[FILES_REASON_BYTES], int error);

#endif
